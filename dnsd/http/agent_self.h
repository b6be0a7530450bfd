// AgentSelf is the answer to GET /v1/agent/self: what an agent says of itself,
// in Consul's shape. `consul info`, `consul watch`, Prometheus (Config) and
// Vault (DebugConfig's sizes) read it.
//
// Threads: any; no shared state.
#ifndef DNSD_DNSD_HTTP_AGENT_SELF_H_
#define DNSD_DNSD_HTTP_AGENT_SELF_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace dnsd {

// Section -> key -> value, all text, as `consul info` prints it.
using AgentStats = std::map<std::string, std::map<std::string, std::string>>;

struct SelfInfo {
  std::string datacenter;
  std::string primary_datacenter;  // empty: `datacenter`
  std::string node_name;
  std::string node_id;
  std::string version;     // "0.3.0"
  std::string revision;    // may be empty
  bool is_server = false;  // of its datacenter: it mirrors nobody
  uint16_t server_port = 0;
  std::string address;                      // of the node
  std::string domain;                       // "consul."
  std::vector<std::string> dns_addresses;   // "127.0.0.1:8600"
  std::vector<std::string> http_addresses;  // "127.0.0.1:8500"
  std::map<std::string, std::string> meta;
  AgentStats stats;
};

[[nodiscard]] std::string AgentSelf(const SelfInfo& info);
// A row of GET /v1/agent/members.
[[nodiscard]] std::string AgentMember(const SelfInfo& info);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_AGENT_SELF_H_
