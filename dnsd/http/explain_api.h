// What DNS would answer, and why. It is dnsd's own: Consul has no such API.
//
//   GET /v1/dnsd/explain?name=&type=A&transport=udp|tcp&edns=1232
//
// A name is as dig takes it and answers show it: "my\032web.service.consul".
//
// Rights:    agent:read; instances, services and nodes that the token may not
//            read are left out of it, as of Consul's lists, and so is what a
//            prepared query is, without query:read for it. The answer itself
//            is what anybody gets from the DNS port.
// Threads:   the sync thread; the hook answers there.
// Errors:    400 for what is no name, type, transport or size, 403 as
//            elsewhere.
#ifndef DNSD_DNSD_HTTP_EXPLAIN_API_H_
#define DNSD_DNSD_HTTP_EXPLAIN_API_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dnsd/explain/explanation.h"
#include "dnsd/http/request_acl.h"
#include "dnsd/http/routes.h"

namespace dnsd {

struct ExplainHooks {
  std::function<void(const ExplainQuestion& question,
                     std::shared_ptr<const Authorizer> reader,
                     std::function<void(const Explanation&)> done)>
      explain;
  RequestAcl acl;
  std::string node_name;
};

[[nodiscard]] std::vector<Route> ExplainRoutes(ExplainHooks hooks);

[[nodiscard]] std::string ExplanationJson(const Explanation& explanation);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_EXPLAIN_API_H_
