#include "dnsd/http/api_rights.h"

#include <utility>

namespace dnsd {
namespace {

bool May(const Authorizer& who, ApiResource resource, const std::string& name,
         ApiAccess access) {
  const bool writes = access == ApiAccess::kWrite;
  switch (resource) {
    case ApiResource::kAgent:
      return writes ? who.AgentWrite(name) : who.AgentRead(name);
    case ApiResource::kNode:
      return writes ? who.NodeWrite(name) : who.NodeRead(name);
    case ApiResource::kService:
      return writes ? who.ServiceWrite(name) : who.ServiceRead(name);
  }
  return false;
}

}  // namespace

const Authorizer* AclReadRights::Of(absl::string_view token) const {
  std::shared_ptr<const Acl> acl = current_();
  if (acl != acl_ || token != token_ || authorizer_ == nullptr) {
    acl_ = std::move(acl);
    token_ = std::string(token);
    authorizer_ = acl_->Resolve(token).value_or(nullptr);
  }
  return authorizer_.get();
}

bool AclReadRights::MayReadNode(absl::string_view token,
                                absl::string_view node) const {
  const Authorizer* const who = Of(token);
  return who != nullptr && who->NodeRead(node);
}

bool AclReadRights::MayReadService(absl::string_view token,
                                   absl::string_view service) const {
  const Authorizer* const who = Of(token);
  return who != nullptr && who->ServiceRead(service);
}

ApiRights MakeApiRights(RequestAcl::Current current) {
  return [current = std::move(current)](
             const HttpRequest& request, ApiResource resource,
             const std::string& name, ApiAccess access) {
    const auto who = current()->Resolve(RequestToken(request));
    return who.ok() && May(**who, resource, name, access);
  };
}

std::vector<Route> WithKnownTokens(std::vector<Route> routes,
                                   const RequestAcl& acl) {
  for (Route& route : routes) {
    route.handler = [acl, handler = std::move(route.handler)](
                        const HttpRequest& request, HttpServer::Reply reply) {
      if (acl.Authorize(request, reply) == nullptr) return;
      handler(request, std::move(reply));
    };
  }
  return routes;
}

}  // namespace dnsd
