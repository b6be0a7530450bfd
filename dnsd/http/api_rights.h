// The rights of whoever asks the HTTP API, for its routes.
//
// Threads: the server's thread.
#ifndef DNSD_DNSD_HTTP_API_RIGHTS_H_
#define DNSD_DNSD_HTTP_API_RIGHTS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "dnsd/acl/acl.h"
#include "dnsd/http/api_context.h"
#include "dnsd/http/api_reply.h"
#include "dnsd/http/request_acl.h"
#include "dnsd/http/routes.h"

namespace dnsd {

// What a token may read of lists. An unknown token may read nothing: requests
// with one were refused before.
class AclReadRights : public ReadRights {
 public:
  explicit AclReadRights(RequestAcl::Current current)
      : current_(std::move(current)) {}

  [[nodiscard]] bool MayReadNode(absl::string_view token,
                                 absl::string_view node) const override;
  [[nodiscard]] bool MayReadService(absl::string_view token,
                                    absl::string_view service) const override;

 private:
  [[nodiscard]] const Authorizer* Of(absl::string_view token) const;

  RequestAcl::Current current_;
  // The one that was asked for last: lists ask for every row.
  mutable std::shared_ptr<const Acl> acl_;
  mutable std::string token_;
  mutable std::shared_ptr<const Authorizer> authorizer_;
};

// What the routes that change things ask.
[[nodiscard]] ApiRights MakeApiRights(RequestAcl::Current current);

// The same routes, for requests without an unknown token; to others, 403.
[[nodiscard]] std::vector<Route> WithKnownTokens(std::vector<Route> routes,
                                                 const RequestAcl& acl);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_API_RIGHTS_H_
