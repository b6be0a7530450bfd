// PUT /v1/agent/service/, /v1/agent/maintenance, and what concerns a cluster.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/go_json.h"
#include "catalog/registry/sidecar.h"
#include "dnsd/http/agent_api_impl.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

constexpr absl::string_view kDeregisterPath = "/v1/agent/service/deregister/";
constexpr absl::string_view kMaintenancePath = "/v1/agent/service/maintenance/";
constexpr absl::string_view kForceLeavePath = "/v1/agent/force-leave/";
constexpr absl::string_view kJoinPath = "/v1/agent/join/";

// ?enable; nullopt: it is missing or wrong, and is answered.
std::optional<bool> ReadEnable(const HttpRequest& request,
                               const HttpReply& reply) {
  const std::optional<std::string> text = QueryValue(request.query, "enable");
  if (!text) {
    ReplyText(400, "Missing value for enable", reply);
    return std::nullopt;
  }
  const std::optional<bool> enable = ParseGoBool(*text);
  if (!enable) {
    ReplyText(400, absl::StrCat("Invalid value for enable: ", GoQuoted(*text)),
              reply);
  }
  return enable;
}

bool ReplacesChecks(const HttpRequest& request) {
  const auto value = QueryValue(request.query, "replace-existing-checks");
  return value && (value->empty() || *value == "true");
}

}  // namespace

void AgentApi::Impl::RegisterService(const HttpRequest& request,
                                     const HttpReply& reply) {
  if (RefusesTenant(request, reply)) return;
  absl::StatusOr<ServiceDefinition> service = DecodeServiceBody(request.body);
  if (!service.ok()) return ReplyError(service.status(), reply);
  // Who takes an id over must be allowed to touch what had it.
  const AgentService* const old = agent().FindService(service->instance.id);
  bool may = May(request, ApiResource::kService, service->instance.name,
                 ApiAccess::kWrite);
  may = may && (old == nullptr || May(request, ApiResource::kService,
                                      old->instance.name, ApiAccess::kWrite));
  absl::Status status = JudgeScripts(service->checks);
  for (const ServiceDefinition& sidecar : service->sidecars) {
    const std::string& given = sidecar.instance.name;
    may = may && May(request, ApiResource::kService,
                     given.empty() ? SidecarId(service->instance.name) : given,
                     ApiAccess::kWrite);
    if (status.ok()) status = JudgeScripts(sidecar.checks);
  }
  if (!may) return ReplyDenied(reply);
  if (!status.ok()) return ReplyError(status, reply);
  options.registry->RegisterService(*std::move(service),
                                    ReplacesChecks(request), Answer(reply));
}

void AgentApi::Impl::DeregisterService(const HttpRequest& request,
                                       const HttpReply& reply) {
  if (RefusesTenant(request, reply)) return;
  const std::string id(PathRest(request, kDeregisterPath));
  if (id.empty()) return ReplyText(500, "ServiceID missing", reply);
  const AgentService* const service = agent().FindService(id);
  // Consul 1.8 is content with what is gone already.
  if (service == nullptr) return ReplyEmpty(reply);
  if (!May(request, ApiResource::kService, service->instance.name,
           ApiAccess::kWrite)) {
    return ReplyDenied(reply);
  }
  options.registry->DeregisterService(id, Answer(reply));
}

void AgentApi::Impl::MaintainService(const HttpRequest& request,
                                     const HttpReply& reply) {
  const std::string id(PathRest(request, kMaintenancePath));
  if (id.empty()) return ReplyText(400, "Missing service ID", reply);
  const std::optional<bool> enable = ReadEnable(request, reply);
  if (!enable || RefusesTenant(request, reply)) return;
  const AgentService* const service = agent().FindService(id);
  if (service == nullptr) {
    return ReplyText(
        404, absl::StrCat("No service registered with ID ", GoQuoted(id)),
        reply);
  }
  if (!May(request, ApiResource::kService, service->instance.name,
           ApiAccess::kWrite)) {
    return ReplyDenied(reply);
  }
  options.registry->SetServiceMaintenance(
      id, *enable, QueryValue(request.query, "reason").value_or(""),
      Answer(reply));
}

void AgentApi::Impl::MaintainNode(const HttpRequest& request,
                                  const HttpReply& reply) {
  const std::optional<bool> enable = ReadEnable(request, reply);
  if (!enable) return;
  if (!May(request, ApiResource::kNode, options.registry->node().name,
           ApiAccess::kWrite)) {
    return ReplyDenied(reply);
  }
  options.registry->SetNodeMaintenance(
      *enable, QueryValue(request.query, "reason").value_or(""), Answer(reply));
}

void AgentApi::Impl::Leave(const HttpRequest& request, const HttpReply& reply) {
  if (!May(request, ApiResource::kAgent, options.registry->node().name,
           ApiAccess::kWrite)) {
    return ReplyDenied(reply);
  }
  ReplyEmpty(reply);
  if (options.leave) options.leave();
}

void AgentApi::Impl::ForceLeave(const HttpRequest& request,
                                const HttpReply& reply) {
  const std::string node(PathRest(request, kForceLeavePath));
  if (!May(request, ApiResource::kAgent, options.registry->node().name,
           ApiAccess::kWrite)) {
    return ReplyDenied(reply);
  }
  // The only member does not leave by this, as in Consul.
  if (node == options.registry->node().name) return ReplyEmpty(reply);
  ReplyText(500, absl::StrCat("agent: No node found with name '", node, "'"),
            reply);
}

void AgentApi::Impl::Join(const HttpRequest& request, const HttpReply& reply) {
  if (!May(request, ApiResource::kAgent, options.registry->node().name,
           ApiAccess::kWrite)) {
    return ReplyDenied(reply);
  }
  ReplyText(500,
            absl::StrCat("1 error occurred:\n\t* Failed to join ",
                         PathRest(request, kJoinPath),
                         ": this agent is in no cluster\n\n"),
            reply);
}

}  // namespace dnsd
