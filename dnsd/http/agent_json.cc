#include "dnsd/http/agent_json.h"

#include <cstdint>

#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "catalog/object_json.h"
#include "catalog/registry/proxy_json.h"

namespace dnsd {
namespace {

constexpr absl::string_view kBareDefinition =
    "{\"Interval\":\"0s\",\"Timeout\":\"0s\","
    "\"DeregisterCriticalServiceAfter\":\"0s\",\"HTTP\":\"\",\"Header\":null,"
    "\"Method\":\"\",\"Body\":\"\",\"TLSSkipVerify\":false,\"TCP\":\"\"}";

void Text(absl::string_view key, absl::string_view text, JsonWriter* json) {
  json->Key(key);
  json->String(text);
}

void Number(absl::string_view key, int64_t number, JsonWriter* json) {
  json->Key(key);
  json->Int(number);
}

void Texts(absl::string_view key, const std::vector<std::string>& texts,
           JsonWriter* json) {
  json->Key(key);
  json->Strings(texts);
}

void WriteTaggedAddresses(const ServiceInstance& instance, JsonWriter* json) {
  if (instance.tagged_addresses.empty()) return;
  json->Key("TaggedAddresses");
  json->BeginObject();
  for (const auto& [name, tagged] : instance.tagged_addresses) {
    json->Key(name);
    json->BeginObject();
    Text("Address", tagged.address, json);
    Number("Port", tagged.port, json);
    json->EndObject();
  }
  json->EndObject();
}

}  // namespace

std::string ContentHash(const ServiceInstance& instance) {
  std::string text;
  JsonWriter json(&text);
  WriteAgentService(instance, "", &json);
  // FNV-1a, as Consul's; over our own text, so the numbers are others.
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  }
  return absl::StrFormat("%016x", hash);
}

void WriteAgentService(const ServiceInstance& instance,
                       const std::string& content_hash, JsonWriter* json) {
  json->BeginObject();
  const absl::string_view kind = ServiceKindName(instance.kind);
  if (!kind.empty()) Text("Kind", kind, json);
  Text("ID", instance.id, json);
  Text("Service", instance.name, json);
  Texts("Tags", instance.tags, json);
  json->Key("Meta");
  json->BeginObject();
  for (const auto& [key, value] : instance.meta) Text(key, value, json);
  json->EndObject();
  Number("Port", instance.port, json);
  Text("Address", instance.address, json);
  WriteTaggedAddresses(instance, json);
  json->Key("Weights");
  json->BeginObject();
  Number("Passing", instance.weights.passing, json);
  Number("Warning", instance.weights.warning, json);
  json->EndObject();
  json->Key("EnableTagOverride");
  json->Bool(instance.enable_tag_override);
  if (!content_hash.empty()) Text("ContentHash", content_hash, json);
  if (!kind.empty()) {
    json->Key("Proxy");
    json->Raw(AgentProxyJson(instance.mesh->proxy_json));
  }
  if (instance.connect_native) {
    json->Key("Connect");
    json->Raw("{\"Native\":true}");
  }
  json->EndObject();
}

void WriteAgentCheck(const std::string& node, const Check& check,
                     const ServiceInstance* service, AgentCheckShape shape,
                     JsonWriter* json) {
  const bool is_full = shape == AgentCheckShape::kFull;
  json->BeginObject();
  Text("Node", node, json);
  Text("CheckID", check.id, json);
  Text("Name", check.name, json);
  Text("Status", HealthStatusName(check.status), json);
  Text("Notes", check.notes, json);
  Text("Output", check.output, json);
  Text("ServiceID", check.service_id, json);
  Text("ServiceName", service == nullptr ? "" : service->name, json);
  if (!is_full && (service == nullptr || service->tags.empty())) {
    json->Key("ServiceTags");
    json->Null();
  } else {
    Texts("ServiceTags",
          service == nullptr ? std::vector<std::string>() : *service->tags,
          json);
  }
  Text("Type", is_full ? check.type : "", json);
  json->Key("Definition");
  json->Raw(is_full ? "{}" : kBareDefinition);
  Number("CreateIndex", 0, json);
  Number("ModifyIndex", 0, json);
  json->EndObject();
}

}  // namespace dnsd
