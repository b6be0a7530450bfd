#include "dnsd/http/catalog_write_api.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/registry/api_body.h"

namespace dnsd {
namespace {

class CatalogWriter {
 public:
  CatalogWriter(Registry* registry, const State* state, ApiRights rights)
      : registry_(registry), state_(state), rights_(std::move(rights)) {}

  void Register(const HttpRequest& request, const HttpReply& reply) const {
    if (RefusesTenant(request, reply)) return;
    absl::StatusOr<CatalogRegistration> body =
        DecodeCatalogRegistration(request.body);
    if (!body.ok()) return ReplyError(body.status(), reply);
    if (!MayRegister(request, *body)) return ReplyDenied(reply);
    registry_->RegisterCatalog(*std::move(body), Answer(request, reply));
  }

  void Deregister(const HttpRequest& request, const HttpReply& reply) const {
    if (RefusesTenant(request, reply)) return;
    absl::StatusOr<CatalogDeregistration> body =
        DecodeCatalogDeregistration(request.body);
    if (!body.ok()) return ReplyError(body.status(), reply);
    if (!MayDeregister(request, *body)) return ReplyDenied(reply);
    registry_->DeregisterCatalog(*std::move(body), Answer(request, reply));
  }

 private:
  [[nodiscard]] bool MayWrite(const HttpRequest& request, ApiResource resource,
                              const std::string& name) const {
    return IsAllowed(rights_, request, resource, name, ApiAccess::kWrite);
  }

  [[nodiscard]] NameKey KeyOf(const std::string& node) const {
    return {registry_->node().datacenter, AsciiLower(node)};
  }

  // Of an instance: its service's right, else the node's.
  [[nodiscard]] bool MayTouch(const HttpRequest& request,
                              const std::string& node,
                              const std::string& service_id) const {
    std::optional<InstanceView> known;
    if (!service_id.empty()) {
      known = state_->ViewInstance(KeyOf(node), service_id);
    }
    return known
               ? MayWrite(request, ApiResource::kService, known->instance->name)
               : MayWrite(request, ApiResource::kNode, node);
  }

  // As in Consul, a node that stays as it is needs no right of its own.
  [[nodiscard]] bool MayRegister(const HttpRequest& request,
                                 const CatalogRegistration& body) const {
    const std::string& name = body.node.name;
    const std::optional<NodeView> known = state_->ViewNode(KeyOf(name));
    const bool changes_node =
        !known ||
        (!body.skip_node_update &&
         (known->node->address != body.node.address ||
          known->node->id != body.node.id ||
          known->node->meta != body.node.meta ||
          known->node->tagged_addresses != body.node.tagged_addresses));
    if (changes_node && !MayWrite(request, ApiResource::kNode, name)) {
      return false;
    }
    const auto& service = body.service;
    if (service && (!MayWrite(request, ApiResource::kService, service->name) ||
                    (state_->ViewInstance(KeyOf(name), service->id) &&
                     !MayTouch(request, name, service->id)))) {
      return false;
    }
    for (const Check& check : body.checks) {
      const bool is_of_service = service && check.service_id == service->id;
      if (!is_of_service && !MayTouch(request, name, check.service_id)) {
        return false;
      }
    }
    return true;
  }

  [[nodiscard]] bool MayDeregister(const HttpRequest& request,
                                   const CatalogDeregistration& body) const {
    std::string service_id = body.service_id;
    if (!body.check_id.empty()) {
      const std::optional<CheckView> check =
          state_->ViewCheck(KeyOf(body.node), body.check_id);
      service_id = check ? check->check->service_id : "";
    }
    return MayTouch(request, body.node, service_id);
  }

  static Registry::Done Answer(const HttpRequest& request,
                               const HttpReply& reply) {
    HttpResponse done = JsonAnswer(request, "true");
    return [done = std::move(done), reply](const absl::Status& status) {
      if (!status.ok()) return ReplyError(status, reply);
      reply(done);
    };
  }

  Registry* registry_;
  const State* state_;
  ApiRights rights_;
};

}  // namespace

std::vector<Route> CatalogWriteRoutes(Registry* registry, const State* state,
                                      ApiRights rights) {
  const auto writer =
      std::make_shared<CatalogWriter>(registry, state, std::move(rights));
  return {{"PUT", "/v1/catalog/register",
           [writer](const HttpRequest& request, const HttpReply& reply) {
             writer->Register(request, reply);
           }},
          {"PUT", "/v1/catalog/deregister",
           [writer](const HttpRequest& request, const HttpReply& reply) {
             writer->Deregister(request, reply);
           }}};
}

}  // namespace dnsd
