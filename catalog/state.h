// State holds what all sources said: nodes, service instances, checks and
// prepared queries. It is the writer's side of the catalog; readers see what
// is compiled from it.
//
// Threads:   the sync thread only.
// Ownership: owns the data; pointers it returns are valid until the next
//            Apply().
// Cost:      Apply() costs what the batch changes, plus what the source knows
//            if the batch is complete. A batch that changes nothing dirties
//            nothing.
#ifndef DNSD_CATALOG_STATE_H_
#define DNSD_CATALOG_STATE_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/change.h"
#include "catalog/types.h"

namespace dnsd {

// (datacenter, name), both lower case.
using NameKey = std::pair<std::string, std::string>;

// What must be compiled anew after a batch.
struct Dirty {
  std::set<NameKey> services;  // by service name
  std::set<NameKey> nodes;     // by node name
  std::set<NameKey> queries;   // prepared queries, by id

  [[nodiscard]] bool empty() const {
    return services.empty() && nodes.empty() && queries.empty();
  }
  void Merge(const Dirty& other);
};

// One instance as a reader of the catalog sees it.
struct InstanceView {
  const Node* node;
  const ServiceInstance* instance;
  HealthStatus health;  // worst of the instance's and the node's checks
};

class State {
 public:
  State();
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Applies the batch. A change that refers to an unknown node is skipped and
  // reported in the status (kNotFound, the first one); the rest is applied.
  absl::Status Apply(const ChangeBatch& batch, Dirty* dirty);

  // Calls `visit` for every instance whose service has this name, ordered by
  // node name, then instance id.
  void ForEachInstance(
      const NameKey& service,
      const std::function<void(const InstanceView&)>& visit) const;

  // Calls `visit` for every instance that stands for this service in the
  // mesh: connect proxies whose destination it is, connect-native instances
  // of it, and gateways that stand before it. Same order.
  void ForEachMeshInstance(
      const NameKey& service,
      const std::function<void(const InstanceView&)>& visit) const;

  // The node of that name, or nullptr.
  [[nodiscard]] const Node* FindNode(const NameKey& node) const;

  // Calls `visit` for every instance on the node, ordered by id.
  void ForEachInstanceOnNode(
      const NameKey& node,
      const std::function<void(const InstanceView&)>& visit) const;

  // Calls `visit` for every check on the node, ordered by check id.
  void ForEachCheckOnNode(const NameKey& node,
                          const std::function<void(const Check&)>& visit) const;

  // The prepared query of a datacenter for a name or id, a template rendered
  // for it (PreparedQuerySet::Find). Of two definitions of one id the one of
  // the smaller source is believed.
  [[nodiscard]] std::optional<PreparedQuery> FindQuery(
      const std::string& datacenter, absl::string_view name) const;

  // Calls `visit` for every prepared query of the datacenter, ordered by id.
  void ForEachQuery(
      const std::string& datacenter,
      const std::function<void(const PreparedQuery&)>& visit) const;

  // The prefixes of the datacenter's templates, lower case, sorted.
  [[nodiscard]] std::vector<std::string> TemplatePrefixes(
      const std::string& datacenter) const;

  // All keys, sorted: what to compile for a first or a full build.
  [[nodiscard]] Dirty Everything() const;

  // Datacenters that have a node, sorted.
  [[nodiscard]] std::vector<std::string> Datacenters() const;

  [[nodiscard]] size_t node_count() const;
  [[nodiscard]] size_t instance_count() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_STATE_H_
