#include "catalog/registry/definition.h"

#include <arpa/inet.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/registry/fields.h"
#include "catalog/registry/sidecar.h"

namespace dnsd {
namespace {

constexpr int kPortMax = 65535;
// The weight of an SRV record is 16 bits (RFC 2782).
constexpr int kWeightMax = 65535;
constexpr size_t kLabelBytesMax = 63;
constexpr size_t kNameBytesMax = 253;

// A sidecar's own definition may not bring another sidecar.
enum class Nesting : uint8_t { kService, kSidecar };

ServiceDefinition Decode(const Value& value, const Place& where,
                         Nesting nesting, Problems* problems);

bool IsDnsByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-';
}

// An IP address, or labels of letters, digits, - and _.
bool IsPlausibleAddress(const std::string& address) {
  in6_addr bytes;
  if (inet_pton(AF_INET, address.c_str(), &bytes) == 1 ||
      inet_pton(AF_INET6, address.c_str(), &bytes) == 1) {
    return true;
  }
  absl::string_view name = address;
  if (!name.empty() && name.back() == '.') name.remove_suffix(1);
  if (name.empty() || name.size() > kNameBytesMax) return false;
  bool last_is_number = false;
  for (const absl::string_view label : absl::StrSplit(name, '.')) {
    if (label.empty() || label.size() > kLabelBytesMax) return false;
    last_is_number = true;
    for (const char c : label) {
      if (!IsDnsByte(c) && c != '_') return false;
      if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) {
        last_is_number = false;
      }
    }
  }
  // "10.0.0.256" is a mistyped address, not a name.
  return !last_is_number;
}

void CheckAddress(const std::string& address, const Place& place,
                  Problems* problems) {
  if (address.empty()) return;
  if (!IsPlausibleAddress(address)) {
    problems->Error(place, absl::StrCat(Quoted(address),
                                        " is not an IP address or DNS name"));
  } else if (address == "0.0.0.0" || address == "::") {
    problems->Warn(place,
                   absl::StrCat(Quoted(address), " is of no use to a client"));
  }
}

void CheckName(const std::string& name, const Place& place,
               Problems* problems) {
  const char* reason = nullptr;
  if (!std::all_of(name.begin(), name.end(), IsDnsByte)) {
    reason =
        "invalid characters. Valid characters include all alpha-numerics and "
        "dashes";
  } else if (name.size() > kLabelBytesMax) {
    reason = "it being too long. Valid lengths are between 1 and 63 bytes";
  }
  if (reason == nullptr) return;
  problems->Warn(place, absl::StrCat("Service name ", Quoted(name),
                                     " will not be discoverable via DNS due "
                                     "to ",
                                     reason));
}

void ReadKind(Fields* fields, ServiceInstance* instance, Problems* problems) {
  static constexpr std::pair<const char*, ServiceKind> kKinds[] = {
      {"", ServiceKind::kTypical},
      {"typical", ServiceKind::kTypical},
      {"connect-proxy", ServiceKind::kConnectProxy},
      {"mesh-gateway", ServiceKind::kMeshGateway},
      {"terminating-gateway", ServiceKind::kTerminatingGateway},
      {"ingress-gateway", ServiceKind::kIngressGateway},
      {"api-gateway", ServiceKind::kApiGateway},
  };
  std::string text;
  if (!fields->String("kind", &text)) return;
  for (const auto& [name, kind] : kKinds) {
    if (text != name) continue;
    instance->kind = kind;
    return;
  }
  problems->Error(
      fields->PlaceOf("kind"),
      absl::StrCat(Quoted(text),
                   " is not connect-proxy, mesh-gateway, terminating-gateway, "
                   "ingress-gateway or api-gateway"));
}

void ReadTaggedAddresses(Fields* fields, ServiceInstance* instance,
                         Problems* problems) {
  const Value* value = fields->Take("tagged_addresses");
  if (value == nullptr) return;
  const Value& object = Unwrap(*value);
  const Place base = fields->PlaceOf("tagged_addresses");
  if (object.kind != Value::Kind::kObject) {
    problems->Error(base,
                    absl::StrCat("must be one map, not ", Describe(*value)));
    return;
  }
  for (const Member& member : object.members) {
    Place place = base;
    absl::StrAppend(&place.key, "[", member.key, "]");
    if (member.line > 0) place.line = member.line;
    TaggedAddress tagged;
    const Value& plain = Unwrap(member.value);
    if (plain.kind == Value::Kind::kString) {
      tagged.address = plain.text;
    } else {
      Fields inner(plain, place, problems);
      inner.String("address", &tagged.address);
      int port = 0;
      inner.Int("port", 0, kPortMax, &port);
      tagged.port = static_cast<uint16_t>(port);
      inner.Finish();
    }
    CheckAddress(tagged.address, place, problems);
    instance->tagged_addresses[member.key] = std::move(tagged);
  }
}

void ReadWeights(Fields* fields, ServiceInstance* instance,
                 Problems* problems) {
  const Value* value = fields->Take("weights");
  if (value == nullptr) return;
  Fields inner(*value, fields->PlaceOf("weights"), problems);
  // Consul's bounds: passing at least 1, warning may be 0.
  inner.Int("passing", 1, kWeightMax, &instance->weights.passing);
  inner.Int("warning", 0, kWeightMax, &instance->weights.warning);
  inner.Finish();
}

// Named ports (Consul 1.22). One port is served, the default or the first.
void ReadPorts(Fields* fields, ServiceInstance* instance, Problems* problems) {
  const auto list = fields->TakeList("ports");
  if (list.empty()) return;
  const Place place = fields->PlaceOf("ports");
  if (instance->port != 0) {
    problems->Error(place, "port and ports cannot both be given");
    return;
  }
  problems->Warn(place, "named ports are not served, only the default one is");
  int default_count = 0;
  for (size_t i = 0; i < list.size(); ++i) {
    Fields inner(*list[i].first, list[i].second, problems);
    std::string name;
    int port = 0;
    bool is_default = false;
    inner.String("name", &name);
    inner.Int("port", 0, kPortMax, &port);
    inner.Bool("default", &is_default);
    inner.Finish();
    default_count += is_default ? 1 : 0;
    if (i == 0 || is_default) instance->port = static_cast<uint16_t>(port);
  }
  if (default_count > 1) {
    problems->Error(place, "more than one port is the default");
  }
}

void ReadProxy(Fields* fields, Nesting nesting, ServiceInstance* instance,
               Problems* problems) {
  const Value* value = fields->Take("proxy");
  if (value != nullptr) {
    Fields inner(*value, fields->PlaceOf("proxy"), problems);
    inner.String("destination_service_name",
                 &instance->mesh.Edit().proxy_destination);
    // How a proxy is set up is the proxy's business.
    inner.Accept({"destination_service_id", "local_service_address",
                  "local_service_port", "local_service_socket_path",
                  "transparent_proxy", "mode", "config", "upstreams",
                  "mesh_gateway", "expose", "access_logs", "envoy_extensions"});
    inner.Finish();
  }
  if (nesting == Nesting::kSidecar) return;
  if (instance->kind != ServiceKind::kConnectProxy) {
    if (!instance->mesh->proxy_destination.empty()) {
      instance->mesh.Edit().proxy_destination.clear();
    }
    return;
  }
  if (instance->mesh->proxy_destination.empty()) {
    problems->Error(fields->where(),
                    "a connect-proxy needs proxy.destination_service_name");
  }
  if (instance->port == 0) {
    problems->Error(fields->where(), "a connect-proxy needs a port");
  }
}

void ReadConnect(Fields* fields, Nesting nesting, ServiceDefinition* service,
                 Problems* problems) {
  const Value* value = fields->Take("connect");
  if (value == nullptr) return;
  Fields inner(*value, fields->PlaceOf("connect"), problems);
  inner.Bool("native", &service->instance.connect_native);
  const Value* sidecar = inner.Take("sidecar_service");
  inner.Accept({"peer_meta"});
  inner.Finish();
  if (sidecar == nullptr) return;
  const Place place = inner.PlaceOf("sidecar_service");
  if (nesting == Nesting::kSidecar) {
    problems->Error(place, "a sidecar_service cannot have a sidecar_service");
    return;
  }
  service->sidecars.push_back(
      Decode(*sidecar, place, Nesting::kSidecar, problems));
}

void ReadChecks(Fields* fields, ServiceDefinition* service,
                Problems* problems) {
  if (const Value* one = fields->Take("check"); one != nullptr) {
    const Value& plain = Unwrap(*one);
    // Consul ignores an empty block.
    if (plain.kind != Value::Kind::kObject || !plain.members.empty()) {
      service->checks.push_back(
          DecodeCheck(*one, fields->PlaceOf("check"), problems));
    }
  }
  for (const auto& [value, place] : fields->TakeList("checks")) {
    service->checks.push_back(DecodeCheck(*value, place, problems));
  }
}

void WarnTenancy(Fields* fields, Problems* problems) {
  for (const char* name : {"namespace", "partition"}) {
    std::string text;
    if (!fields->String(name, &text) || text.empty() || text == "default") {
      continue;
    }
    problems->Warn(
        fields->PlaceOf(name),
        absl::StrCat(Quoted(text), " is ignored, there is one tenant here"));
  }
}

ServiceDefinition Decode(const Value& value, const Place& where,
                         Nesting nesting, Problems* problems) {
  ServiceDefinition service;
  ServiceInstance& instance = service.instance;
  service.place = where;
  Fields fields(value, where, problems);
  fields.String("name", &instance.name.Edit());
  fields.String("id", &instance.id);
  ReadKind(&fields, &instance, problems);
  fields.Strings("tags", &instance.tags.Edit());
  fields.StringMap("meta", &instance.meta.Edit());
  CheckMeta(instance.meta, fields.PlaceOf("meta"),
            instance.kind == ServiceKind::kMeshGateway ? "consul-wan-federation"
                                                       : nullptr,
            problems);
  fields.String("address", &instance.address);
  CheckAddress(instance.address, fields.PlaceOf("address"), problems);
  int port = 0;
  fields.Int("port", 0, kPortMax, &port);
  instance.port = static_cast<uint16_t>(port);
  ReadPorts(&fields, &instance, problems);
  ReadTaggedAddresses(&fields, &instance, problems);
  TagOwnAddress(&instance);
  ReadWeights(&fields, &instance, problems);
  fields.Bool("enable_tag_override", &instance.enable_tag_override);
  fields.String("token", &service.token);
  ReadProxy(&fields, nesting, &instance, problems);
  ReadConnect(&fields, nesting, &service, problems);
  ReadChecks(&fields, &service, problems);
  WarnTenancy(&fields, problems);
  // Where it runs and by which socket concern no DNS answer.
  fields.Accept({"locality", "socket_path"});
  fields.Finish();
  if (nesting == Nesting::kSidecar) {
    if (!instance.id.empty()) {
      problems->Error(fields.PlaceOf("id"),
                      "a sidecar_service gets its id from its service");
    }
    return service;
  }
  if (instance.name.empty()) {
    if (Unwrap(value).kind == Value::Kind::kObject) {
      problems->Error(where, "a service needs a name");
    }
  } else {
    CheckName(instance.name, fields.PlaceOf("name"), problems);
  }
  if (instance.id.empty()) instance.id = instance.name;
  NameChecks(&service);
  return service;
}

}  // namespace

void TagOwnAddress(ServiceInstance* instance) {
  in6_addr bytes;
  const std::string address = instance->address;
  const bool is_v4 = inet_pton(AF_INET, address.c_str(), &bytes) == 1;
  const bool is_v6 =
      !is_v4 && inet_pton(AF_INET6, address.c_str(), &bytes) == 1;
  if (!is_v4 && !is_v6) return;
  const bool as_v4 = is_v4 || IN6_IS_ADDR_V4MAPPED(&bytes);
  for (const char* name :
       {as_v4 ? "lan_ipv4" : "lan_ipv6", as_v4 ? "wan_ipv4" : "wan_ipv6"}) {
    // What is tagged already stays.
    instance->tagged_addresses.Edit().try_emplace(
        name, TaggedAddress{instance->address, instance->port});
  }
}

ServiceDefinition DecodeService(const Value& value, const Place& where,
                                Problems* problems) {
  return Decode(value, where, Nesting::kService, problems);
}

}  // namespace dnsd
