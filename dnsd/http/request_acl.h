// RequestAcl asks for the rights of whoever sent a request. A handler:
//
//   const auto may = acl.Authorize(request, reply);
//   if (may == nullptr) return;                       // 403 was answered
//   if (!may->ServiceWrite(name)) {
//     reply(PermissionDenied());
//     return;
//   }
//
// Lists are not refused but filtered: objects that may->ServiceRead() and
// NodeRead() refuse are left out, as by Consul.
//
// Threads:   the server's thread; what Authorize() returns, any, and it may be
//            kept by a request that is answered later.
// Errors:    403 and Consul's text, "ACL not found" or "Permission denied".
#ifndef DNSD_DNSD_HTTP_REQUEST_ACL_H_
#define DNSD_DNSD_HTTP_REQUEST_ACL_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "dnsd/acl/acl.h"
#include "dnsd/http/http_message.h"
#include "dnsd/http/http_reply.h"

namespace dnsd {

// The secret that a request brings, or "": ?token= before X-Consul-Token
// before "Authorization: Bearer", the first that is not empty.
[[nodiscard]] std::string RequestToken(const HttpRequest& request);

// 403, "Permission denied", or with what is missing "Permission denied:
// Missing service:write on web", as Consul says it for services and checks of
// an agent.
[[nodiscard]] HttpResponse PermissionDenied(absl::string_view missing = "");

class RequestAcl {
 public:
  // Asked for each request: a reload puts another Acl in place.
  using Current = std::function<std::shared_ptr<const Acl>()>;

  // Everybody may do everything.
  RequestAcl();
  explicit RequestAcl(Current current) : current_(std::move(current)) {}

  // nullptr: there is no such token, and the request is answered.
  [[nodiscard]] std::shared_ptr<const Authorizer> Authorize(
      const HttpRequest& request, const HttpReply& reply) const;
  // The same of a secret that did not come with the request.
  [[nodiscard]] std::shared_ptr<const Authorizer> AuthorizeToken(
      absl::string_view secret, const HttpReply& reply) const;

 private:
  Current current_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_REQUEST_ACL_H_
