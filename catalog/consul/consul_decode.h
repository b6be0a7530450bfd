// Decoders of a Consul's JSON answers (1.8 to 1.21), by simdjson on demand.
//
// Threads: any; no shared state. Large answers are decoded on libuv's pool.
// Input:   a std::string of the whole body, changed by decoding and of no use
//          afterwards. Reserve 128 bytes more than the body and it is not
//          copied for simdjson's padding.
// Names:   datacenters in lower case, everything else as registered. Unknown
//          fields are skipped; missing ones and null are empty.
// Errors:  kInvalidArgument, "what: why", for JSON that is broken or not of
//          the shape, an object without its name or id, or a port or weight
//          that is no integer. An answer with an error is to be used not at
//          all.
// Ranges:  Consul registers any integer as a port and answers DNS with its
//          low 16 bits (-1: 65535, 70000: 4464), and so do these. Weights out
//          of Consul's range (passing 1 to 65535, warning 0 to 65535) are both
//          1, as Consul has them.
// Peers:   what another cluster exported to this one (a PeerName) is left out.
// Health:  a status that is none of the three is critical, as Consul's
//          filters have it; "maintenance" too.
#ifndef DNSD_CATALOG_CONSUL_CONSUL_DECODE_H_
#define DNSD_CATALOG_CONSUL_CONSUL_DECODE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/consul/report.h"
#include "catalog/prepared_query.h"

namespace dnsd {

// `datacenter` (lower case) fills in where an answer does not name it.

// /v1/health/service/NAME.
[[nodiscard]] absl::StatusOr<std::vector<NodeReport>> DecodeHealthService(
    std::string* body, const std::string& datacenter);

// /v1/internal/ui/nodes.
[[nodiscard]] absl::StatusOr<std::vector<NodeReport>> DecodeNodeDump(
    std::string* body, const std::string& datacenter);

// /v1/catalog/nodes.
[[nodiscard]] absl::StatusOr<std::vector<NodeReport>> DecodeNodes(
    std::string* body, const std::string& datacenter);

// /v1/catalog/services.
[[nodiscard]] absl::StatusOr<ServiceNames> DecodeServiceNames(
    std::string* body);

// /v1/health/state/STATE, /v1/health/node/NODE.
[[nodiscard]] absl::StatusOr<std::vector<CheckReport>> DecodeChecks(
    std::string* body);

// /v1/catalog/gateway-services/NAME: the services a gateway stands before,
// as registered, sorted, each once. Only ingress and
// terminating gateways count.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> DecodeGatewayServices(
    std::string* body);

// /v1/query.
[[nodiscard]] absl::StatusOr<std::vector<PreparedQuery>> DecodeQueries(
    std::string* body);

// /v1/catalog/datacenters: lower case, in the order given.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> DecodeDatacenters(
    std::string* body);

// /v1/health/services?nodes of a dnsd. An answer that lacks a member is none.
[[nodiscard]] absl::StatusOr<DeltaReport> DecodeDelta(
    std::string* body, const std::string& datacenter);

// Takes nodes and services out of a full one, as /v1/internal/ui/nodes would
// have told them.
[[nodiscard]] std::vector<NodeReport> NodesOf(DeltaReport* delta);

// /v1/agent/self.
[[nodiscard]] absl::StatusOr<SelfReport> DecodeSelf(std::string* body);

// /v1/status/leader: whether there is one.
[[nodiscard]] absl::StatusOr<bool> DecodeHasLeader(std::string* body);

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_CONSUL_DECODE_H_
