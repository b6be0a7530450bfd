// AbsentRoutes answers for the parts of Consul's HTTP API that an agent with
// own registrations does not have. 404 would not do: for KV it means that there
// is no such key, and clients go on with that.
//
//   501  a part that is not there, by its name: "dnsd has no key-value store"
//   401  what Consul itself has switched off by default, in its words: clients
//        know them as "off" ("ACL support disabled", unless they are on here)
//
// Threads: the sync thread's.
#ifndef DNSD_DNSD_HTTP_ABSENT_API_H_
#define DNSD_DNSD_HTTP_ABSENT_API_H_

#include <vector>

#include "dnsd/http/request_acl.h"
#include "dnsd/http/routes.h"

namespace dnsd {

// `acl` says whether rights are checked at all.
[[nodiscard]] std::vector<Route> AbsentRoutes(RequestAcl::Current acl);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_ABSENT_API_H_
