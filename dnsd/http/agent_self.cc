#include "dnsd/http/agent_self.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/base/json_write.h"
#include "dnsd/limits.h"

namespace dnsd {
namespace {

// Consul's ports.serf_lan, shown for what speaks no serf.
constexpr int kSerfPort = 8301;

void Field(absl::string_view key, absl::string_view value, JsonWriter* json) {
  json->Key(key);
  json->String(value);
}

void Number(absl::string_view key, int64_t value, JsonWriter* json) {
  json->Key(key);
  json->Int(value);
}

void Map(absl::string_view key,
         const std::map<std::string, std::string>& values, JsonWriter* json) {
  json->Key(key);
  json->BeginObject();
  for (const auto& [name, value] : values) Field(name, value, json);
  json->EndObject();
}

// As Consul prints Go's addresses: "tcp://127.0.0.1:8500".
void Addresses(absl::string_view key,
               const std::vector<absl::string_view>& networks,
               const std::vector<std::string>& addresses, JsonWriter* json) {
  json->Key(key);
  json->BeginArray();
  for (const std::string& address : addresses) {
    for (const absl::string_view network : networks) {
      json->String(absl::StrCat(network, "://", address));
    }
  }
  json->EndArray();
}

void Config(const SelfInfo& info, JsonWriter* json) {
  const std::string& primary = info.primary_datacenter;
  json->Key("Config");
  json->BeginObject();
  Field("Datacenter", info.datacenter, json);
  Field("PrimaryDatacenter", primary.empty() ? info.datacenter : primary, json);
  Field("NodeName", info.node_name, json);
  Field("NodeID", info.node_id, json);
  Field("Revision", info.revision, json);
  json->Key("Server");
  json->Bool(info.is_server);
  Field("Version", info.version, json);
  json->EndObject();
}

void DebugConfig(const SelfInfo& info, JsonWriter* json) {
  json->Key("DebugConfig");
  json->BeginObject();
  Field("Datacenter", info.datacenter, json);
  Field("NodeName", info.node_name, json);
  Field("NodeID", info.node_id, json);
  Field("DNSDomain", info.domain, json);
  Addresses("DNSAddrs", {"tcp", "udp"}, info.dns_addresses, json);
  Addresses("HTTPAddrs", {"tcp"}, info.http_addresses, json);
  Addresses("HTTPSAddrs", {"tcp"}, info.https_addresses, json);
  Number("GRPCPort", -1, json);  // `consul connect envoy` asks
  Number("KVMaxValueSize", kConsulBodyBytesMax, json);
  Number("TxnMaxReqLen", kConsulBodyBytesMax, json);
  json->Key("ServerMode");
  json->Bool(info.is_server);
  Field("Revision", info.revision, json);
  Field("Version", info.version, json);
  json->EndObject();
}

// There is no cluster to be a member of. Clients want one all the same: an
// agent by itself, alive.
void Member(const SelfInfo& info, JsonWriter* json) {
  json->BeginObject();
  Field("Name", info.node_name, json);
  Field("Addr", info.address, json);
  Number("Port", info.is_server ? kSerfPort : 0, json);
  std::map<std::string, std::string> tags = {
      {"build", absl::StrCat(info.version, ":", info.revision)},
      {"dc", info.datacenter},
      {"id", info.node_id},
      {"role", info.is_server ? "consul" : "node"}};
  if (info.is_server) {
    tags["port"] = absl::StrCat(info.server_port);
    // Of the RPC that Consul's commands show as its protocol.
    tags["vsn"] = tags["vsn_min"] = "2";
    tags["vsn_max"] = "3";
  }
  Map("Tags", tags, json);
  Number("Status", 1, json);  // serf's "alive"
  // The versions of serf's protocols that Consul 1.8 names.
  Number("ProtocolMin", 1, json);
  Number("ProtocolMax", 5, json);
  Number("ProtocolCur", 2, json);
  Number("DelegateMin", 2, json);
  Number("DelegateMax", 5, json);
  Number("DelegateCur", 4, json);
  json->EndObject();
}

}  // namespace

std::string AgentMember(const SelfInfo& info) {
  std::string text;
  JsonWriter json(&text);
  Member(info, &json);
  return text;
}

std::string AgentSelf(const SelfInfo& info) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  Config(info, &json);
  DebugConfig(info, &json);
  json.Key("Coord");
  json.Null();
  json.Key("Member");
  Member(info, &json);
  json.Key("Stats");
  json.BeginObject();
  for (const auto& [section, values] : info.stats) Map(section, values, &json);
  json.EndObject();
  Map("Meta", info.meta, &json);
  json.EndObject();
  return text;
}

}  // namespace dnsd
