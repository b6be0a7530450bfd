// Readers of the objects that a Consul's answers and the file of a mirror
// have in common.
//
// Threads:   one owner.
// Ownership: the walk and the datacenter's name are the caller's.
// Errors:    as JsonWalk: false, and the walk knows why and where.
#ifndef DNSD_CATALOG_CONSUL_CONSUL_OBJECTS_H_
#define DNSD_CATALOG_CONSUL_CONSUL_OBJECTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/consul/json_walk.h"
#include "catalog/consul/report.h"
#include "catalog/prepared_query.h"

namespace dnsd {

// Nodes, instances and checks. `peer` is not empty for what a peered cluster
// exported to this one (Consul 1.13 and later): names without a peer do not
// mean it.
class ObjectReader {
 public:
  using Json = JsonWalk::Json;

  ObjectReader(JsonWalk* walk, const std::string& datacenter)
      : walk_(*walk), datacenter_(datacenter) {}

  [[nodiscard]] bool ReadNode(Json json, NodeReport* out, std::string* peer);

  // An element of /v1/internal/ui/nodes.
  [[nodiscard]] bool ReadNodeWithAll(Json json, NodeReport* out,
                                     std::string* peer);

  // An element of /v1/health/service/NAME.
  [[nodiscard]] bool ReadHealth(Json json, NodeReport* out, std::string* peer);

  // A node and its own checks: an element of "Nodes" of /v1/health/services.
  [[nodiscard]] bool ReadNodeEntry(Json json, NodeReport* out,
                                   std::string* peer);

  [[nodiscard]] bool ReadChecks(Json json, std::vector<CheckReport>* out);

 private:
  [[nodiscard]] bool FinishNode(NodeReport* out);
  [[nodiscard]] bool NodeMember(absl::string_view key, Json value,
                                NodeReport* out, std::string* peer);
  [[nodiscard]] bool ReadInstances(Json json, std::vector<InstanceReport>* out);
  [[nodiscard]] bool ReadInstance(Json json, InstanceReport* out,
                                  std::string* peer);
  [[nodiscard]] bool InstanceMember(absl::string_view key, Json value,
                                    InstanceReport* out, std::string* peer);
  [[nodiscard]] bool ReadKind(Json json, ServiceKind* out);
  [[nodiscard]] bool ReadPort(Json json, uint16_t* out);
  [[nodiscard]] bool ReadWeights(Json json, Weights* out);
  [[nodiscard]] bool ReadProxy(Json json, ServiceInstance* out);
  [[nodiscard]] bool ReadConnect(Json json, ServiceInstance* out);
  [[nodiscard]] bool ReadAddresses(Json json,
                                   std::map<std::string, TaggedAddress>* out);
  [[nodiscard]] bool ReadDefinition(Json json, std::string* out);
  [[nodiscard]] bool ReadCheck(Json json, CheckReport* out, std::string* peer);

  JsonWalk& walk_;
  const std::string& datacenter_;
};

class QueryReader {
 public:
  using Json = JsonWalk::Json;

  explicit QueryReader(JsonWalk* walk) : walk_(*walk) {}

  [[nodiscard]] bool Read(Json json, PreparedQuery* out);

 private:
  [[nodiscard]] bool ReadTemplate(Json json, PreparedQuery* out);
  [[nodiscard]] bool ReadService(Json json, PreparedQuery* out);
  [[nodiscard]] bool ReadFailover(Json json, PreparedQuery* out);

  // Of Consul 1.14 and later; a target is a datacenter or a peer.
  [[nodiscard]] bool ReadTargets(Json json, std::vector<std::string>* out);
  [[nodiscard]] bool ReadDns(Json json, PreparedQuery* out);

  JsonWalk& walk_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_CONSUL_OBJECTS_H_
