// PUT /v1/agent/service/register.
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/body_parts.h"
#include "catalog/registry/sidecar.h"

namespace dnsd {
namespace {

// A service as read, before it is judged.
struct ServiceBody {
  ServiceDefinition definition;
  ServiceParts parts;
  std::vector<CheckParts> checks;
  std::vector<ServiceBody> sidecars;  // none or one
};

// Consul takes an empty "Check" for none.
bool IsEmpty(const CheckParts& check) {
  CheckDefinition given = check.definition;
  const CheckDefinition none;
  return check.status.empty() && given.id.empty() && given.name.empty() &&
         given.notes.empty() && given.args.empty() &&
         given.docker_container_id.empty() && given.shell.empty() &&
         given.http.empty() && given.method.empty() && given.header.empty() &&
         given.body.empty() && given.tcp.empty() && given.udp.empty() &&
         given.grpc.empty() && !given.grpc_use_tls && given.h2ping.empty() &&
         given.os_service.empty() && given.alias_node.empty() &&
         given.alias_service.empty() && !given.tls_skip_verify &&
         given.interval == none.interval && given.timeout == none.timeout &&
         given.ttl == none.ttl &&
         given.deregister_critical_service_after ==
             none.deregister_critical_service_after &&
         given.success_before_passing == none.success_before_passing &&
         given.failures_before_critical == none.failures_before_critical &&
         given.output_max_size == none.output_max_size;
}

void ReadChecks(const GoObject& object, ServiceBody* body, GoErrors* errors) {
  constexpr const char* kType = "structs.CheckType";
  if (const Value* one = object.Find({"Check"}); one != nullptr) {
    const GoObject inner(*one, object.Within("Check"), kType, errors);
    CheckParts check = ReadCheckParts(inner, errors);
    inner.RejectOthers(kNewerOfChecks);
    if (!IsEmpty(check)) body->checks.push_back(std::move(check));
  }
  for (const Value* item : object.List({"Checks"}, "structs.CheckTypes")) {
    const GoObject inner(*item, object.Within("Checks"), kType, errors);
    body->checks.push_back(ReadCheckParts(inner, errors));
    inner.RejectOthers(kNewerOfChecks);
  }
}

// A sidecar's own sidecar is read no further than to be refused.
ServiceBody ReadService(const Value& value, const GoPlace& place, int depth,
                        GoErrors* errors) {
  ServiceBody body;
  const GoObject object(value, place, "structs.ServiceDefinition", errors);
  ServiceParts& parts = body.parts;
  std::string name;
  std::string id;
  object.String({"Name"}, &name);
  object.String({"ID"}, &id);
  parts = ReadServiceParts(object, errors);
  parts.instance.name = std::move(name);
  parts.instance.id = std::move(id);
  ReadChecks(object, &body, errors);
  object.String({"Token"}, &body.definition.token);
  if (parts.sidecar != nullptr && depth < 2) {
    GoPlace within = object.Within("Connect");
    body.sidecars.push_back(
        ReadService(*parts.sidecar, within, depth + 1, errors));
  }
  object.RejectOthers(kNewerOfServices);
  return body;
}

void CompleteInstance(ServiceBody* body) {
  ServiceInstance& instance = body->parts.instance;
  for (ProxyUpstream& upstream : body->parts.proxy.upstreams) {
    if (upstream.destination_type.empty()) {
      upstream.destination_type = "service";
    }
  }
  const std::string proxy = ToProxyJson(body->parts.proxy);
  if (instance.mesh->proxy_json != proxy) {
    instance.mesh.Edit().proxy_json = proxy;
  }
  TagOwnAddress(&instance);
}

absl::Status JudgeChecks(const ServiceBody& body, absl::StatusCode code,
                         absl::string_view prefix, absl::string_view where) {
  for (const CheckParts& check : body.checks) {
    if (!check.kind_error) continue;
    return absl::Status(code, absl::StrCat(prefix, "Invalid check", where, ": ",
                                           *check.kind_error));
  }
  for (const CheckParts& check : body.checks) {
    if (check.status.empty() || ParseHealthStatus(check.status)) continue;
    return absl::Status(
        code, absl::StrCat(prefix,
                           "Status for checks must 'passing', 'warning', "
                           "'critical'"));
  }
  return absl::OkStatus();
}

absl::Status JudgeInstance(const ServiceInstance& instance, bool has_weights) {
  if (IsAnyAddress(instance.address)) {
    return absl::InvalidArgumentError("Invalid service address");
  }
  const std::string weights = WeightsError(instance.weights);
  if (has_weights && !weights.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid Weights: ", weights));
  }
  const std::string meta =
      MetaError(instance.meta, instance.kind == ServiceKind::kMeshGateway
                                   ? "consul-wan-federation"
                                   : nullptr);
  if (meta.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("Invalid Service Meta: ", meta));
}

absl::Status JudgeMesh(const ServiceBody& body) {
  const bool has_sidecar = !body.sidecars.empty();
  std::vector<std::string> errors =
      MeshErrors(body.parts.instance, body.parts.proxy, has_sidecar);
  if (has_sidecar) {
    if (!body.sidecars[0].parts.instance.id.empty()) {
      errors.push_back(
          "A SidecarService cannot specify an ID as this is managed by the "
          "agent");
    }
    if (!body.sidecars[0].sidecars.empty()) {
      errors.push_back("A SidecarService cannot have a nested SidecarService");
    }
  }
  return ListErrors(absl::StatusCode::kInvalidArgument, errors);
}

// What would be no proxy once it is completed is refused at once.
absl::Status JudgeSidecar(const ServiceBody& body) {
  absl::Status status = JudgeChecks(body, absl::StatusCode::kFailedPrecondition,
                                    "Bad request: ", " in sidecar_service");
  if (!status.ok()) return status;
  ServiceInstance completed = body.parts.instance;
  if (completed.kind != ServiceKind::kTypical &&
      completed.kind != ServiceKind::kConnectProxy) {
    return absl::InvalidArgumentError(
        "Invalid SidecarService: Kind must be connect-proxy");
  }
  completed.kind = ServiceKind::kConnectProxy;
  if (completed.port == 0) completed.port = 1;
  ProxyConfig proxy = body.parts.proxy;
  if (proxy.destination_name.empty()) proxy.destination_name = "-";
  status = ListErrors(absl::StatusCode::kInvalidArgument,
                      MeshErrors(completed, proxy, false));
  return status.ok() ? JudgeInstance(completed, body.parts.has_weights)
                     : status;
}

absl::Status Judge(const ServiceBody& body) {
  if (body.parts.instance.name.empty()) {
    return absl::InvalidArgumentError("Missing service name");
  }
  absl::Status status =
      JudgeInstance(body.parts.instance, body.parts.has_weights);
  if (status.ok()) status = JudgeMesh(body);
  if (status.ok()) {
    status = JudgeChecks(body, absl::StatusCode::kInvalidArgument, "", "");
  }
  if (status.ok() && !body.sidecars.empty()) {
    status = JudgeSidecar(body.sidecars[0]);
  }
  return status;
}

ServiceDefinition ToDefinition(ServiceBody body) {
  CompleteInstance(&body);
  ServiceDefinition definition = std::move(body.definition);
  definition.instance = std::move(body.parts.instance);
  for (CheckParts& check : body.checks) {
    definition.checks.push_back(std::move(check.definition));
  }
  for (ServiceBody& sidecar : body.sidecars) {
    ServiceDefinition inner = ToDefinition(std::move(sidecar));
    inner.instance.mesh.Edit().proxy_destination =
        FromProxyJson(inner.instance.mesh->proxy_json).destination_name;
    definition.sidecars.push_back(std::move(inner));
  }
  return definition;
}

}  // namespace

absl::StatusOr<ServiceDefinition> DecodeServiceBody(absl::string_view json) {
  const absl::StatusOr<Value> value = ParseBody(json);
  if (!value.ok()) return value.status();
  GoErrors errors;
  ServiceBody body = ReadService(*value, {}, 0, &errors);
  if (!errors.ok()) return DecodeFailed(errors.first());
  // As Consul does before it judges.
  CompleteInstance(&body);
  absl::Status status = Judge(body);
  if (!status.ok()) return status;
  ServiceDefinition service = ToDefinition(std::move(body));
  if (service.instance.id.empty()) {
    service.instance.id = service.instance.name;
  }
  NameChecks(&service);
  return service;
}

std::string EncodeService(const ServiceDefinition& service) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("Name");
  json.String(service.instance.name);
  PutService(service.instance, &json);
  PutText("Token", service.token, &json);
  if (!service.checks.empty()) {
    json.Key("Checks");
    json.BeginArray();
    for (const CheckDefinition& check : service.checks) {
      json.Raw(EncodeCheck(check));
    }
    json.EndArray();
  }
  json.EndObject();
  return text;
}

}  // namespace dnsd
