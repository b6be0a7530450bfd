#include "catalog/registry/proxy_json.h"

#include "absl/status/statusor.h"
#include "catalog/base/json_read.h"
#include "catalog/base/json_write.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

constexpr absl::string_view kEmpty = "{\"MeshGateway\":{},\"Expose\":{}}";
constexpr const char* kProxyType = "structs.ConnectProxyConfig";
constexpr const char* kMapType = "map[string]interface {}";

enum class Shape : uint8_t { kCatalog, kAgent };

std::optional<std::string> ReadConfig(const GoObject& object) {
  const Value* value = object.Find({"Config"});
  if (value == nullptr) return std::nullopt;
  if (value->kind != Value::Kind::kObject) {
    object.Mismatch(*value, "Config", kMapType);
    return std::nullopt;
  }
  std::string config;
  AppendGoValue(*value, &config);
  return config;
}

std::string ReadMeshGateway(const GoObject& object, GoErrors* errors) {
  std::string mode;
  const Value* value = object.Find({"MeshGateway", "mesh_gateway"});
  if (value == nullptr) return mode;
  const GoObject inner(*value,
                       object.Inside("MeshGateway", "MeshGatewayConfig"),
                       "structs.MeshGatewayConfig", errors);
  inner.String({"Mode"}, &mode);
  inner.RejectOthers();
  return mode;
}

ProxyUpstream ReadUpstream(const Value& value, const GoPlace& place,
                           GoErrors* errors) {
  ProxyUpstream upstream;
  const GoObject object(value, place, "structs.Upstream", errors);
  object.String({"DestinationType", "destination_type"},
                &upstream.destination_type);
  object.String({"DestinationNamespace", "destination_namespace"},
                &upstream.destination_namespace);
  object.String({"DestinationName", "destination_name"},
                &upstream.destination_name);
  object.String({"Datacenter"}, &upstream.datacenter);
  object.String({"LocalBindAddress", "local_bind_address"},
                &upstream.local_bind_address);
  object.Int({"LocalBindPort", "local_bind_port"}, &upstream.local_bind_port);
  upstream.config = ReadConfig(object);
  upstream.mesh_gateway_mode = ReadMeshGateway(object, errors);
  object.RejectOthers({"CentrallyConfigured", "DestinationPartition",
                       "DestinationPeer", "LocalBindSocketMode",
                       "LocalBindSocketPath"});
  return upstream;
}

void ReadExpose(const GoObject& object, ProxyConfig* proxy, GoErrors* errors) {
  const Value* value = object.Find({"Expose"});
  if (value == nullptr) return;
  const GoObject expose(*value, object.Inside("Expose", "ExposeConfig"),
                        "structs.ExposeConfig", errors);
  expose.Bool({"Checks"}, &proxy->exposes_checks);
  for (const Value* item : expose.List({"Paths"}, "[]structs.ExposePath")) {
    const GoObject inner(*item, expose.Inside("Paths", "ExposePath"),
                         "structs.ExposePath", errors);
    ProxyExposedPath path;
    inner.Int({"ListenerPort", "listener_port"}, &path.listener_port);
    inner.String({"Path"}, &path.path);
    inner.Int({"LocalPathPort", "local_path_port"}, &path.local_path_port);
    inner.String({"Protocol"}, &path.protocol);
    inner.RejectOthers({"ParsedFromCheck"});
    proxy->exposed_paths.push_back(std::move(path));
  }
  expose.RejectOthers();
}

// A member that Go leaves out when it is empty.
void OmitEmpty(absl::string_view key, absl::string_view text,
               JsonWriter* json) {
  if (text.empty()) return;
  json->Key(key);
  json->String(text);
}

void OmitZero(absl::string_view key, int64_t number, JsonWriter* json) {
  if (number == 0) return;
  json->Key(key);
  json->Int(number);
}

void WriteMeshGateway(const std::string& mode, JsonWriter* json) {
  json->Key("MeshGateway");
  json->BeginObject();
  OmitEmpty("Mode", mode, json);
  json->EndObject();
}

void Text(absl::string_view key, absl::string_view text, Shape shape,
          JsonWriter* json) {
  if (text.empty() && shape == Shape::kAgent) return;
  json->Key(key);
  json->String(text);
}

void WriteUpstream(const ProxyUpstream& upstream, Shape shape,
                   JsonWriter* json) {
  json->BeginObject();
  Text("DestinationType", upstream.destination_type, shape, json);
  OmitEmpty("DestinationNamespace", upstream.destination_namespace, json);
  json->Key("DestinationName");
  json->String(upstream.destination_name);
  Text("Datacenter", upstream.datacenter, shape, json);
  OmitEmpty("LocalBindAddress", upstream.local_bind_address, json);
  OmitZero("LocalBindPort", upstream.local_bind_port, json);
  const std::string config = upstream.config.value_or("null");
  if (shape == Shape::kCatalog || (config != "null" && config != "{}")) {
    json->Key("Config");
    json->Raw(config);
  }
  WriteMeshGateway(upstream.mesh_gateway_mode, json);
  json->EndObject();
}

void WriteExpose(const ProxyConfig& proxy, JsonWriter* json) {
  json->Key("Expose");
  json->BeginObject();
  if (proxy.exposes_checks) {
    json->Key("Checks");
    json->Bool(true);
  }
  if (!proxy.exposed_paths.empty()) {
    json->Key("Paths");
    json->BeginArray();
    for (const ProxyExposedPath& path : proxy.exposed_paths) {
      json->BeginObject();
      OmitZero("ListenerPort", path.listener_port, json);
      OmitEmpty("Path", path.path, json);
      OmitZero("LocalPathPort", path.local_path_port, json);
      OmitEmpty("Protocol", path.protocol, json);
      json->Key("ParsedFromCheck");
      json->Bool(false);
      json->EndObject();
    }
    json->EndArray();
  }
  json->EndObject();
}

std::string Write(const ProxyConfig& proxy, Shape shape) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  OmitEmpty("DestinationServiceName", proxy.destination_name, &json);
  OmitEmpty("DestinationServiceID", proxy.destination_id, &json);
  OmitEmpty("LocalServiceAddress", proxy.local_address, &json);
  OmitZero("LocalServicePort", proxy.local_port, &json);
  if (proxy.config && *proxy.config != "{}") {
    json.Key("Config");
    json.Raw(*proxy.config);
  }
  if (!proxy.upstreams.empty()) {
    json.Key("Upstreams");
    json.BeginArray();
    for (const ProxyUpstream& upstream : proxy.upstreams) {
      WriteUpstream(upstream, shape, &json);
    }
    json.EndArray();
  }
  WriteMeshGateway(proxy.mesh_gateway_mode, &json);
  WriteExpose(proxy, &json);
  json.EndObject();
  return text;
}

}  // namespace

ProxyConfig ReadProxyConfig(const Value& value, const GoPlace& place,
                            GoErrors* errors) {
  ProxyConfig proxy;
  const GoObject object(value, place, kProxyType, errors);
  object.String({"DestinationServiceName", "destination_service_name"},
                &proxy.destination_name);
  object.String({"DestinationServiceID", "destination_service_id"},
                &proxy.destination_id);
  object.String({"LocalServiceAddress", "local_service_address"},
                &proxy.local_address);
  object.Int({"LocalServicePort", "local_service_port"}, &proxy.local_port);
  proxy.config = ReadConfig(object);
  for (const Value* item : object.List({"Upstreams"}, "structs.Upstreams")) {
    proxy.upstreams.push_back(
        ReadUpstream(*item, object.Within("Upstreams"), errors));
  }
  proxy.mesh_gateway_mode = ReadMeshGateway(object, errors);
  ReadExpose(object, &proxy, errors);
  object.RejectOthers({"AccessLogs", "EnvoyExtensions",
                       "LocalServiceSocketPath", "Mode", "MutualTLSMode",
                       "TransparentProxy"});
  return proxy;
}

std::string ToProxyJson(const ProxyConfig& proxy) {
  std::string text = Write(proxy, Shape::kCatalog);
  return text == kEmpty ? "" : text;
}

ProxyConfig FromProxyJson(absl::string_view proxy_json) {
  if (proxy_json.empty()) return {};
  const absl::StatusOr<Value> value = ParseJson(proxy_json);
  GoErrors errors;
  return value.ok() ? ReadProxyConfig(*value, {}, &errors) : ProxyConfig();
}

std::string AgentProxyJson(absl::string_view proxy_json) {
  return Write(FromProxyJson(proxy_json), Shape::kAgent);
}

}  // namespace dnsd
