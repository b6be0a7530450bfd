// PUT /v1/catalog/register and /v1/catalog/deregister.
#include <chrono>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/body_parts.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

using std::chrono::nanoseconds;

// Consul answers 500 to what its catalog refuses.
absl::Status Refused(absl::string_view text) {
  return absl::FailedPreconditionError(text);
}

// As Go's Duration.String(): "1m0s", "1.5s", "500ns".
std::string DurationText(nanoseconds duration) {
  const bool is_negative = duration.count() < 0;
  // The least one has no positive counterpart.
  const uint64_t total =
      is_negative ? uint64_t{0} - static_cast<uint64_t>(duration.count())
                  : static_cast<uint64_t>(duration.count());
  constexpr uint64_t kSecond = 1'000'000'000;
  const auto fraction = [](uint64_t whole, uint64_t part, int digits) {
    std::string text = absl::StrFormat("%d.%0*d", whole, digits, part);
    while (text.back() == '0') text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text;
  };
  std::string text = is_negative ? "-" : "";
  if (total == 0) return "0s";
  if (total < 1'000) return absl::StrCat(text, total, "ns");
  if (total < 1'000'000) {
    return absl::StrCat(text, fraction(total / 1'000, total % 1'000, 3), "µs");
  }
  if (total < kSecond) {
    return absl::StrCat(text, fraction(total / 1'000'000, total % 1'000'000, 6),
                        "ms");
  }
  const uint64_t seconds = total / kSecond;
  if (seconds >= 3600) absl::StrAppend(&text, seconds / 3600, "h");
  if (seconds >= 60) absl::StrAppend(&text, seconds / 60 % 60, "m");
  return absl::StrCat(text, fraction(seconds % 60, total % kSecond, 9), "s");
}

// What is wrong with a node's id, or "".
std::string UuidError(const std::string& id) {
  if (id.size() != 36) return "uuid string is wrong length";
  if (id[8] != '-' || id[13] != '-' || id[18] != '-' || id[23] != '-') {
    return "uuid is improperly formatted";
  }
  for (const char c : id) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '-' || absl::ascii_isxdigit(byte)) continue;
    return absl::StrFormat("encoding/hex: invalid byte: U+%04X '%c'", byte,
                           absl::ascii_isprint(byte) ? c : '?');
  }
  return "";
}

// A check's definition as the catalog keeps it, and what Type follows from it.
struct Definition {
  std::string json;
  std::string type;
};

class DefinitionReader {
 public:
  DefinitionReader(const GoObject& object, std::string* json)
      : object_(object), json_(json) {}

  bool Text(const char* name) {
    std::string text;
    object_.String({name}, &text);
    PutText(name, text, &json_);
    return !text.empty();
  }
  void Flag(const char* name) {
    bool flag = false;
    if (!object_.Bool({name}, &flag) || !flag) return;
    json_.Key(name);
    json_.Bool(true);
  }
  bool Time(const char* name) {
    nanoseconds duration{0};
    if (!object_.Duration({name}, &duration) || duration.count() == 0) {
      return false;
    }
    json_.Key(name);
    json_.String(DurationText(duration));
    return duration.count() > 0;
  }
  bool Ttl() {
    nanoseconds duration{0};
    if (!object_.Duration({"TTL"}, &duration) || duration.count() == 0) {
      return false;
    }
    json_.Key("TTL");
    json_.Int(duration.count());
    return duration.count() > 0;
  }
  void Size() {
    int64_t size = 0;
    if (!object_.Int({"OutputMaxSize"}, &size) || size == 0) return;
    json_.Key("OutputMaxSize");
    json_.Int(size);
  }
  void Header() {
    std::map<std::string, std::vector<std::string>> header;
    object_.StringLists({"Header"}, &header);
    if (header.empty()) return;
    json_.Key("Header");
    json_.BeginObject();
    for (const auto& [name, values] : header) {
      json_.Key(name);
      json_.Strings(values);
    }
    json_.EndObject();
  }
  bool Args() {
    std::vector<std::string> args;
    object_.Strings({"ScriptArgs"}, &args);
    PutTexts("ScriptArgs", args, &json_);
    return !args.empty();
  }
  JsonWriter* json() { return &json_; }

 private:
  const GoObject& object_;
  JsonWriter json_;
};

Definition ReadDefinition(const Value& value, const GoPlace& place,
                          GoErrors* errors) {
  Definition definition;
  const GoObject object(value, place, "structs.HealthCheckDefinition", errors);
  DefinitionReader reader(object, &definition.json);
  reader.json()->BeginObject();
  const bool is_polled = reader.Time("Interval");
  reader.Size();
  reader.Time("Timeout");
  reader.Time("DeregisterCriticalServiceAfter");
  const bool has_http = reader.Text("HTTP");
  reader.Flag("TLSSkipVerify");
  reader.Header();
  reader.Text("Method");
  reader.Text("Body");
  const bool has_tcp = reader.Text("TCP");
  const bool has_args = reader.Args();
  const bool has_container = reader.Text("DockerContainerID");
  reader.Text("Shell");
  const bool has_grpc = reader.Text("GRPC");
  reader.Flag("GRPCUseTLS");
  const bool has_alias_node = reader.Text("AliasNode");
  const bool has_alias_service = reader.Text("AliasService");
  const bool has_ttl = reader.Ttl();
  reader.json()->EndObject();
  // CheckType.Type().
  definition.type = has_grpc && is_polled                    ? "grpc"
                    : has_http && is_polled                  ? "http"
                    : has_ttl                                ? "ttl"
                    : has_tcp && is_polled                   ? "tcp"
                    : has_alias_node || has_alias_service    ? "alias"
                    : has_args && has_container && is_polled ? "docker"
                    : has_args                               ? "script"
                                                             : "";
  if (definition.json == "{}") definition.json.clear();
  return definition;
}

struct CatalogCheckBody {
  Check check;
  std::string node;
  std::string status;
};

CatalogCheckBody ReadCheck(const Value& value, const GoPlace& place,
                           GoErrors* errors) {
  CatalogCheckBody body;
  Check& check = body.check;
  const GoObject object(value, place, "structs.HealthCheck", errors);
  object.String({"Node"}, &body.node);
  object.String({"CheckID"}, &check.id);
  object.String({"Name"}, &check.name.Edit());
  object.String({"Status"}, &body.status);
  object.String({"Notes"}, &check.notes.Edit());
  object.String({"Output"}, &check.output.Edit());
  object.String({"ServiceID"}, &check.service_id);
  // What these say, the service says better.
  std::string service_name;
  std::vector<std::string> service_tags;
  object.String({"ServiceName"}, &service_name);
  object.Strings({"ServiceTags"}, &service_tags);
  object.String({"Type"}, &check.type.Edit());
  if (const Value* given = object.Find({"Definition"}); given != nullptr) {
    Definition definition =
        ReadDefinition(*given, object.Within("Definition"), errors);
    check.definition_json = std::move(definition.json);
    if (check.type.empty()) check.type = std::move(definition.type);
  }
  object.RejectOthers({"CreateIndex", "ModifyIndex", "ExposedPort", "Interval",
                       "Namespace", "Partition", "PeerName", "Timeout"});
  return body;
}

absl::Status JudgeCheck(const std::string& node, CatalogCheckBody* body) {
  Check& check = body->check;
  if (check.id.empty()) check.id = check.name;
  if (!body->node.empty() && body->node != node) {
    return Refused(absl::StrCat("check node ", GoQuoted(body->node),
                                " does not match node ", GoQuoted(node)));
  }
  if (check.id.empty()) {
    return Refused(
        absl::StrCat("failed inserting check: failed inserting check: object "
                     "missing primary index on node ",
                     GoQuoted(node)));
  }
  if (body->status.empty()) return absl::OkStatus();
  const std::optional<HealthStatus> status = ParseHealthStatus(body->status);
  if (!status) {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid check: Status ", GoQuoted(body->status),
                     " is not passing, warning or critical"));
  }
  check.status = *status;
  return absl::OkStatus();
}

absl::Status JudgeNode(const CatalogRegistration& registration) {
  const Node& node = registration.node;
  if (node.name.empty()) return Refused("Must provide node");
  if (node.address.empty() && !registration.skip_node_update) {
    return Refused("Must provide address if SkipNodeUpdate is not set");
  }
  const std::string error = node.id.empty() ? "" : UuidError(node.id);
  return error.empty() ? absl::OkStatus()
                       : Refused(absl::StrCat("Bad node ID: ", error));
}

absl::Status JudgeService(const std::string& node, ServiceParts* parts) {
  ServiceInstance& instance = parts->instance;
  if (instance.id.empty()) instance.id = instance.name;
  if (!instance.id.empty() && instance.name.empty()) {
    return Refused("Must provide service name with ID");
  }
  if (instance.id.empty()) {
    return Refused(
        "failed inserting service: failed inserting service: object missing "
        "primary index");
  }
  if (IsAnyAddress(instance.address)) return Refused("Invalid service address");
  const absl::Status mesh =
      ListErrors(absl::StatusCode::kFailedPrecondition,
                 MeshErrors(instance, parts->proxy, false));
  if (!mesh.ok()) return mesh;
  if (!WeightsError(instance.weights).empty()) instance.weights = {};
  const std::string meta =
      MetaError(instance.meta, instance.kind == ServiceKind::kMeshGateway
                                   ? "consul-wan-federation"
                                   : nullptr);
  if (meta.empty()) return absl::OkStatus();
  return Refused(
      absl::StrCat("failed inserting service: Invalid Service Meta for node ",
                   node, " and serviceID ", instance.id.view(), ": ", meta));
}

void ReadNode(const GoObject& object, Node* node) {
  object.String({"Datacenter"}, &node->datacenter);
  object.String({"ID"}, &node->id);
  object.String({"Node"}, &node->name);
  object.String({"Address"}, &node->address);
  node->has_tagged_addresses =
      object.StringMap({"TaggedAddresses"}, &node->tagged_addresses);
  node->has_meta = object.StringMap({"NodeMeta"}, &node->meta);
}

std::optional<ServiceParts> ReadService(const GoObject& object,
                                        GoErrors* errors) {
  const Value* value = object.Find({"Service"});
  if (value == nullptr) return std::nullopt;
  const GoObject inner(*value, object.Inside("Service", "NodeService"),
                       "structs.NodeService", errors);
  std::string id;
  std::string name;
  inner.String({"ID"}, &id);
  inner.String({"Service"}, &name);
  ServiceParts parts = ReadServiceParts(inner, errors);
  parts.instance.id = std::move(id);
  parts.instance.name = std::move(name);
  inner.RejectOthers(kNewerOfServices,
                     {"CreateIndex", "ModifyIndex", "PeerName"});
  return parts;
}

std::vector<CatalogCheckBody> ReadChecks(const GoObject& object,
                                         GoErrors* errors) {
  std::vector<CatalogCheckBody> checks;
  if (const Value* one = object.Find({"Check"}); one != nullptr) {
    checks.push_back(
        ReadCheck(*one, object.Inside("Check", "HealthCheck"), errors));
  }
  for (const Value* item : object.List({"Checks"}, "structs.HealthChecks")) {
    checks.push_back(
        ReadCheck(*item, object.Inside("Checks", "HealthCheck"), errors));
  }
  return checks;
}

void PutCheck(const Check& check, JsonWriter* json) {
  json->BeginObject();
  PutText("CheckID", check.id, json);
  PutText("Name", check.name, json);
  PutText("Status", HealthStatusName(check.status), json);
  PutText("Notes", check.notes, json);
  PutText("Output", check.output, json);
  PutText("ServiceID", check.service_id, json);
  PutText("Type", check.type, json);
  if (!check.definition_json.empty()) {
    json->Key("Definition");
    json->Raw(check.definition_json);
  }
  json->EndObject();
}

}  // namespace

absl::StatusOr<CatalogRegistration> DecodeCatalogRegistration(
    absl::string_view json) {
  const absl::StatusOr<Value> value = ParseBody(json);
  if (!value.ok()) return value.status();
  GoErrors errors;
  const GoObject object(*value, {"RegisterRequest", "", ""},
                        "structs.RegisterRequest", &errors);
  CatalogRegistration registration;
  ReadNode(object, &registration.node);
  object.Bool({"SkipNodeUpdate"}, &registration.skip_node_update);
  std::optional<ServiceParts> service = ReadService(object, &errors);
  std::vector<CatalogCheckBody> checks = ReadChecks(object, &errors);
  object.RejectOthers(
      {"Token", "Locality", "Namespace", "Partition", "PeerName"});
  if (!errors.ok()) return DecodeFailed(errors.first());
  const std::string& node = registration.node.name;
  absl::Status status = JudgeNode(registration);
  if (status.ok() && service) status = JudgeService(node, &*service);
  for (CatalogCheckBody& check : checks) {
    if (status.ok()) status = JudgeCheck(node, &check);
    registration.checks.push_back(std::move(check.check));
  }
  if (!status.ok()) return status;
  if (service) registration.service = std::move(service->instance);
  return registration;
}

absl::StatusOr<CatalogDeregistration> DecodeCatalogDeregistration(
    absl::string_view json) {
  const absl::StatusOr<Value> value = ParseBody(json);
  if (!value.ok()) return value.status();
  GoErrors errors;
  const GoObject object(*value, {}, "structs.DeregisterRequest", &errors);
  CatalogDeregistration deregistration;
  object.String({"Datacenter"}, &deregistration.datacenter);
  object.String({"Node"}, &deregistration.node);
  object.String({"ServiceID"}, &deregistration.service_id);
  object.String({"CheckID"}, &deregistration.check_id);
  object.RejectOthers(
      {"Token", "Address", "Namespace", "Partition", "PeerName"});
  if (!errors.ok()) return DecodeFailed(errors.first());
  if (deregistration.node.empty()) return Refused("Must provide node");
  return deregistration;
}

std::string EncodeCatalogRegistration(const CatalogRegistration& registration) {
  std::string text;
  JsonWriter json(&text);
  const Node& node = registration.node;
  json.BeginObject();
  PutText("Datacenter", node.datacenter, &json);
  PutText("ID", node.id, &json);
  PutText("Node", node.name, &json);
  PutText("Address", node.address, &json);
  if (node.has_tagged_addresses) {
    PutMap("TaggedAddresses", node.tagged_addresses, &json);
  }
  if (node.has_meta) PutMap("NodeMeta", node.meta, &json);
  json.Key("SkipNodeUpdate");
  json.Bool(registration.skip_node_update);
  if (registration.service) {
    json.Key("Service");
    json.BeginObject();
    PutText("Service", registration.service->name, &json);
    PutService(*registration.service, &json);
    json.EndObject();
  }
  if (!registration.checks.empty()) {
    json.Key("Checks");
    json.BeginArray();
    for (const Check& check : registration.checks) PutCheck(check, &json);
    json.EndArray();
  }
  json.EndObject();
  return text;
}

}  // namespace dnsd
