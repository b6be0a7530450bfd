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
#include "catalog/base/short_text.h"

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

// What most instances have none of.
struct MeshPart {
  // kConnectProxy: the service it stands in front of.
  std::string proxy_destination;
  // kIngressGateway, kTerminatingGateway: the services it stands before.
  std::vector<std::string> gateway_services;
  // "Proxy" and "Connect" as the API shows them, in compact JSON. Empty: what
  // it shows of a service without a mesh.
  std::string proxy_json;
  std::string connect_json;

  [[nodiscard]] bool empty() const {
    return proxy_destination.empty() && gateway_services.empty() &&
           proxy_json.empty() && connect_json.empty();
  }
  bool operator==(const MeshPart&) const = default;
  template <typename H>
  friend H AbslHashValue(H h, const MeshPart& part) {
    return H::combine(std::move(h), part.proxy_destination,
                      part.gateway_services, part.proxy_json,
                      part.connect_json);
  }
};

// Small things stand together: there may be a million of these.
struct ServiceInstance {
  ShortText id;              // unique on its node
  Shared<std::string> name;  // as registered; compared without case
  Shared<std::vector<std::string>> tags;
  Shared<std::map<std::string, std::string>> meta;
  ShortText address;  // empty: the node's
  // As a node's, and "virtual", "consul-virtual".
  Shared<std::map<std::string, TaggedAddress>> tagged_addresses;
  Shared<MeshPart> mesh;
  Weights weights;
  uint16_t port = 0;
  ServiceKind kind = ServiceKind::kTypical;
  bool enable_tag_override = false;
  bool connect_native = false;
  bool has_meta = false;  // as a node's

  bool operator==(const ServiceInstance&) const = default;
};

struct Check {
  ShortText id;  // unique on its node
  Shared<std::string> name;
  ShortText service_id;  // empty: a check of the node
  Shared<std::string> notes;
  Shared<std::string> output;
  Shared<std::string> type;  // "http", "ttl", ...; may be empty
  // "Definition" as the API shows it, in compact JSON. Empty: {}.
  Shared<std::string> definition_json;
  HealthStatus status = HealthStatus::kCritical;

  bool operator==(const Check&) const = default;
};

// Lower-cases ASCII only, as DNS and Consul compare names (RFC 4343).
[[nodiscard]] std::string AsciiLower(const std::string& text);

// "passing", "warning", "critical".
[[nodiscard]] const char* HealthStatusName(HealthStatus status);

}  // namespace dnsd

#endif  // DNSD_CATALOG_TYPES_H_
