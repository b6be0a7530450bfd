// The catalog's plain values, with Consul's names: a node has service
// instances and checks; a check belongs to the node or to one instance.
//
// Threads: plain values; share them only as const. What most instances have in
//          common with others is Shared<>.
// DNS:     nothing here knows a DNS word; zones/ compiles these to records.
#ifndef DNSD_CATALOG_TYPES_H_
#define DNSD_CATALOG_TYPES_H_

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/shared.h"

namespace dnsd {

// Ordered from good to bad, so that the worst of two is the larger one.
enum class HealthStatus : uint8_t { kPassing, kWarning, kCritical };

struct TaggedAddress {
  std::string address;
  uint16_t port = 0;  // 0: not given

  bool operator==(const TaggedAddress&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const TaggedAddress& tagged) {
    return H::combine(std::move(h), tagged.address, tagged.port);
  }
};

struct Node {
  std::string id;          // UUID, may be empty
  std::string name;        // as registered; compared without case
  std::string datacenter;  // lower case
  std::string address;     // an IP address or a DNS name
  // "lan", "lan_ipv4", "lan_ipv6", "wan", "wan_ipv4", "wan_ipv6"
  std::map<std::string, std::string> tagged_addresses;
  std::map<std::string, std::string> meta;
  // Whether they are given, if only as {}: the API shows null else.
  bool has_tagged_addresses = false;
  bool has_meta = false;

  bool operator==(const Node&) const = default;
};

enum class ServiceKind : uint8_t {
  kTypical,
  kConnectProxy,
  kMeshGateway,
  kTerminatingGateway,
  kIngressGateway,
  kApiGateway,
};

// Whether instances of this kind stand before other services.
[[nodiscard]] inline bool IsGateway(ServiceKind kind) {
  return kind == ServiceKind::kIngressGateway ||
         kind == ServiceKind::kTerminatingGateway;
}

struct Weights {
  int passing = 1;
  int warning = 1;

  bool operator==(const Weights&) const = default;
};

struct ServiceInstance {
  std::string id;    // unique on its node
  std::string name;  // the service's name as registered; compared without case
  ServiceKind kind = ServiceKind::kTypical;
  Shared<std::vector<std::string>> tags;
  Shared<std::map<std::string, std::string>> meta;
  std::string address;  // empty: the node's
  uint16_t port = 0;
  // As a node's, and "virtual", "consul-virtual".
  Shared<std::map<std::string, TaggedAddress>> tagged_addresses;
  Weights weights;
  bool enable_tag_override = false;
  bool connect_native = false;
  // kConnectProxy: the service it stands in front of.
  Shared<std::string> proxy_destination;
  // kIngressGateway, kTerminatingGateway: the services it stands before.
  Shared<std::vector<std::string>> gateway_services;
  bool has_meta = false;  // as a node's
  // "Proxy" and "Connect" as the API shows them, in compact JSON. Empty: what
  // it shows of a service without a mesh.
  Shared<std::string> proxy_json;
  Shared<std::string> connect_json;

  bool operator==(const ServiceInstance&) const = default;
};

struct Check {
  std::string id;  // unique on its node
  Shared<std::string> name;
  std::string service_id;  // empty: a check of the node
  HealthStatus status = HealthStatus::kCritical;
  Shared<std::string> notes;
  std::string output;
  Shared<std::string> type;  // "http", "ttl", ...; may be empty
  // "Definition" as the API shows it, in compact JSON. Empty: {}.
  Shared<std::string> definition_json;

  bool operator==(const Check&) const = default;
};

// Lower-cases ASCII only, as DNS and Consul compare names (RFC 4343).
[[nodiscard]] std::string AsciiLower(const std::string& text);

// "passing", "warning", "critical".
[[nodiscard]] const char* HealthStatusName(HealthStatus status);

}  // namespace dnsd

#endif  // DNSD_CATALOG_TYPES_H_
