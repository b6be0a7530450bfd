#include "catalog/registry/body_parts.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

constexpr int kPortMax = 65535;

constexpr std::pair<const char*, ServiceKind> kKinds[] = {
    {"", ServiceKind::kTypical},
    {"connect-proxy", ServiceKind::kConnectProxy},
    {"mesh-gateway", ServiceKind::kMeshGateway},
    {"terminating-gateway", ServiceKind::kTerminatingGateway},
    {"ingress-gateway", ServiceKind::kIngressGateway},
    {"api-gateway", ServiceKind::kApiGateway},
};

void ReadKind(const GoObject& object, ServiceInstance* instance,
              GoErrors* errors) {
  std::string text;
  if (!object.String({"Kind"}, &text) || text == "typical") return;
  for (const auto& [name, kind] : kKinds) {
    if (text != name) continue;
    instance->kind = kind;
    return;
  }
  errors->Add(
      absl::StrCat("Kind: ", GoQuoted(text), " is not a kind of services"));
}

uint16_t ReadPort(const GoObject& object, const std::string& where,
                  GoErrors* errors) {
  int64_t port = 0;
  object.Int({"Port"}, &port);
  if (port < 0 || port > kPortMax) {
    errors->Add(
        absl::StrCat(where, ": ", port, " is not between 0 and ", kPortMax));
    return 0;
  }
  return static_cast<uint16_t>(port);
}

void ReadTaggedAddresses(const GoObject& object, ServiceInstance* instance,
                         GoErrors* errors) {
  constexpr const char* kName = "TaggedAddresses";
  for (const Member* member : object.Map({kName, "tagged_addresses"},
                                         "map[string]structs.ServiceAddress")) {
    const GoObject inner(member->value, object.Inside(kName, "ServiceAddress"),
                         "structs.ServiceAddress", errors);
    TaggedAddress tagged;
    inner.String({"Address"}, &tagged.address);
    tagged.port = ReadPort(
        inner, absl::StrCat(kName, "[", member->key, "].Port"), errors);
    inner.RejectOthers();
    instance->tagged_addresses[member->key] = std::move(tagged);
  }
}

void ReadWeights(const GoObject& object, ServiceParts* parts,
                 GoErrors* errors) {
  const Value* value = object.Find({"Weights"});
  if (value == nullptr) return;
  parts->has_weights = true;
  const GoObject inner(*value, object.Inside("Weights", "Weights"),
                       "structs.Weights", errors);
  int64_t passing = 0;
  int64_t warning = 0;
  inner.Int({"Passing"}, &passing);
  inner.Int({"Warning"}, &warning);
  inner.RejectOthers();
  // What is out of an int's range is out of a weight's too.
  constexpr int64_t kMost = 1 << 20;
  parts->instance.weights.passing =
      static_cast<int>(std::clamp(passing, -kMost, kMost));
  parts->instance.weights.warning =
      static_cast<int>(std::clamp(warning, -kMost, kMost));
}

void ReadMesh(const GoObject& object, ServiceParts* parts, GoErrors* errors) {
  ServiceInstance& instance = parts->instance;
  if (const Value* proxy = object.Find({"Proxy"}); proxy != nullptr) {
    parts->proxy = ReadProxyConfig(*proxy, object.Within("Proxy"), errors);
  }
  MeshPart mesh;
  mesh.proxy_json = ToProxyJson(parts->proxy);
  if (instance.kind == ServiceKind::kConnectProxy) {
    mesh.proxy_destination = parts->proxy.destination_name;
  }
  if (const Value* connect = object.Find({"Connect"}); connect != nullptr) {
    const GoObject inner(*connect, object.Within("Connect"),
                         "structs.ServiceConnect", errors);
    inner.Bool({"Native"}, &instance.connect_native);
    if (instance.connect_native) mesh.connect_json = "{\"Native\":true}";
    parts->sidecar = inner.Find({"SidecarService", "sidecar_service"});
  }
  instance.mesh = std::move(mesh);
}

bool IsMetaKeyByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' ||
         c == '_';
}

std::string PairError(const std::string& key, const std::string& value,
                      const char* allowed) {
  if (key.empty()) return "Key cannot be blank";
  if (!std::all_of(key.begin(), key.end(), IsMetaKeyByte)) {
    return "Key contains invalid characters";
  }
  if (key.size() > kMetaKeyBytesMax) {
    return absl::StrCat("Key is too long (limit: ", kMetaKeyBytesMax,
                        " characters)");
  }
  if (absl::StartsWith(key, "consul-") &&
      (allowed == nullptr || key != allowed)) {
    return "Key prefix 'consul-' is reserved for internal use";
  }
  if (value.size() > kMetaValueBytesMax) {
    return absl::StrCat("Value is too long (limit: ", kMetaValueBytesMax,
                        " characters)");
  }
  return "";
}

}  // namespace

absl::Status DecodeFailed(absl::string_view reason) {
  return absl::InvalidArgumentError(
      absl::StrCat("Request decode failed: ", reason));
}

absl::StatusOr<Value> ParseBody(absl::string_view json) {
  absl::StatusOr<Value> value = ParseGoJson(json);
  if (!value.ok()) return DecodeFailed(value.status().message());
  return value;
}

absl::Status ListErrors(absl::StatusCode code,
                        const std::vector<std::string>& errors) {
  if (errors.empty()) return absl::OkStatus();
  std::string text = absl::StrCat(
      errors.size(), errors.size() == 1 ? " error" : " errors", " occurred:\n");
  for (const std::string& error : errors) {
    absl::StrAppend(&text, "\t* ", error, "\n");
  }
  absl::StrAppend(&text, "\n");
  return absl::Status(code, text);
}

std::string MetaError(const std::map<std::string, std::string>& meta,
                      const char* allowed) {
  if (meta.size() > kMetaPairsMax) {
    return absl::StrCat("Node metadata cannot contain more than ",
                        kMetaPairsMax, " key/value pairs");
  }
  for (const auto& [key, value] : meta) {
    const std::string error = PairError(key, value, allowed);
    if (error.empty()) continue;
    return absl::StrCat("Couldn't load metadata pair ('", key, "', '", value,
                        "'): ", error);
  }
  return "";
}

bool IsAnyAddress(absl::string_view address) {
  return address == "0.0.0.0" || address == "::" || address == "[::]";
}

std::string WeightsError(const Weights& weights) {
  // The weight of an SRV record is 16 bits (RFC 2782).
  constexpr int kMax = 65535;
  if (weights.passing < 1) return "Passing must be greater than 0";
  if (weights.warning < 0) return "Warning must be greater or equal than 0";
  if (weights.passing > kMax || weights.warning > kMax) {
    return "DNS Weight must be between 0 and 65535";
  }
  return "";
}

ServiceParts ReadServiceParts(const GoObject& object, GoErrors* errors) {
  ServiceParts parts;
  ServiceInstance& instance = parts.instance;
  ReadKind(object, &instance, errors);
  object.Strings({"Tags"}, &instance.tags.Edit());
  object.String({"Address"}, &instance.address);
  ReadTaggedAddresses(object, &instance, errors);
  instance.has_meta = object.StringMap({"Meta"}, &instance.meta.Edit());
  instance.port = ReadPort(object, "Port", errors);
  ReadWeights(object, &parts, errors);
  object.Bool({"EnableTagOverride", "enable_tag_override"},
              &instance.enable_tag_override);
  ReadMesh(object, &parts, errors);
  return parts;
}

void PutText(absl::string_view key, absl::string_view text, JsonWriter* json) {
  if (text.empty()) return;
  json->Key(key);
  json->String(text);
}

void PutTexts(absl::string_view key, const std::vector<std::string>& texts,
              JsonWriter* json) {
  if (texts.empty()) return;
  json->Key(key);
  json->Strings(texts);
}

void PutMap(absl::string_view key,
            const std::map<std::string, std::string>& map, JsonWriter* json) {
  json->Key(key);
  json->BeginObject();
  for (const auto& [name, value] : map) {
    json->Key(name);
    json->String(value);
  }
  json->EndObject();
}

void PutService(const ServiceInstance& instance, JsonWriter* json) {
  for (const auto& [name, kind] : kKinds) {
    if (instance.kind == kind) PutText("Kind", name, json);
  }
  PutText("ID", instance.id, json);
  PutTexts("Tags", instance.tags, json);
  PutText("Address", instance.address, json);
  if (!instance.tagged_addresses.empty()) {
    json->Key("TaggedAddresses");
    json->BeginObject();
    for (const auto& [name, tagged] : instance.tagged_addresses) {
      json->Key(name);
      json->BeginObject();
      json->Key("Address");
      json->String(tagged.address);
      json->Key("Port");
      json->Int(tagged.port);
      json->EndObject();
    }
    json->EndObject();
  }
  if (instance.has_meta) PutMap("Meta", instance.meta, json);
  json->Key("Port");
  json->Int(instance.port);
  json->Key("Weights");
  json->BeginObject();
  json->Key("Passing");
  json->Int(instance.weights.passing);
  json->Key("Warning");
  json->Int(instance.weights.warning);
  json->EndObject();
  json->Key("EnableTagOverride");
  json->Bool(instance.enable_tag_override);
  if (!instance.mesh->proxy_json.empty()) {
    json->Key("Proxy");
    json->Raw(instance.mesh->proxy_json);
  }
  if (!instance.mesh->connect_json.empty()) {
    json->Key("Connect");
    json->Raw(instance.mesh->connect_json);
  }
}

}  // namespace dnsd
