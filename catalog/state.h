// State holds what all sources said: nodes, service instances, checks and
// prepared queries. It is the writer's side of the catalog; readers see what
// is compiled from it.
//
// Threads:   the sync thread; while it waits for them, others may read.
// Ownership: owns the data; pointers it returns are valid until the next
//            Apply().
// Cost:      Apply() costs what the batch changes, plus what the source knows
//            if the batch is complete. A batch that changes nothing dirties
//            nothing.
#ifndef DNSD_CATALOG_STATE_H_
#define DNSD_CATALOG_STATE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/change.h"
#include "catalog/types.h"
#include "catalog/watch_key.h"

namespace dnsd {

// (datacenter, name), both lower case.
using NameKey = std::pair<std::string, std::string>;

// What a batch changed.
struct Dirty {
  // What must be compiled anew.
  std::set<NameKey> services;  // by service name
  std::set<NameKey> nodes;     // by node name
  std::set<NameKey> queries;   // prepared queries, by id
  // Who must be told; more than what is compiled, as outputs of checks.
  absl::flat_hash_set<WatchKey> watched;

  // Whether there is nothing to compile.
  [[nodiscard]] bool empty() const {
    return services.empty() && nodes.empty() && queries.empty();
  }
  void Merge(const Dirty& other);
};

struct NodeView {
  const Node* node = nullptr;
  Stamp stamp = {};
};

// One instance as a reader of the catalog sees it.
struct InstanceView {
  const Node* node = nullptr;
  const ServiceInstance* instance = nullptr;
  // Worst of the instance's and the node's checks.
  HealthStatus health = HealthStatus::kPassing;
  Stamp stamp = {};
  Stamp node_stamp = {};
};

struct CheckView {
  const Node* node = nullptr;
  const Check* check = nullptr;
  const ServiceInstance* instance = nullptr;  // or null: a check of the node
  Stamp stamp = {};
};

class State {
 public:
  State();
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  // Applies the batch. A change that refers to an unknown node is skipped and
  // reported in the status (kNotFound, the first one); the rest is applied.
  // Without `dirty`, nobody is told what changed: for what is there before
  // anybody looks, which is then Everything(), and RaiseIndex() called.
  absl::Status Apply(ChangeBatch batch, Dirty* dirty);

  // Calls `visit` for every instance whose service has this name, ordered by
  // node name, then instance id.
  void ForEachInstance(
      const NameKey& service,
      const std::function<void(const InstanceView&)>& visit) const;

  // The same until `visit` says true; whether it did.
  bool AnyInstance(const NameKey& service,
                   const std::function<bool(const InstanceView&)>& visit) const;

  // Calls `visit` for every instance that stands for this service in the
  // mesh: connect proxies whose destination it is, connect-native instances
  // of it, and gateways that stand before it. Same order.
  void ForEachMeshInstance(
      const NameKey& service,
      const std::function<void(const InstanceView&)>& visit) const;

  // The node of that name, or nullptr.
  [[nodiscard]] const Node* FindNode(const NameKey& node) const;
  [[nodiscard]] std::optional<NodeView> ViewNode(const NameKey& node) const;
  // The instance of that id on the node.
  [[nodiscard]] std::optional<InstanceView> ViewInstance(
      const NameKey& node, const std::string& id) const;
  [[nodiscard]] std::optional<CheckView> ViewCheck(const NameKey& node,
                                                   const std::string& id) const;

  // Calls `visit` for every node of the datacenter, ordered by name.
  void ForEachNode(const std::string& datacenter,
                   const std::function<void(const NodeView&)>& visit) const;

  // Calls `visit` for every service of the datacenter, with its first
  // instance's spelling of the name and the union of all tags, sorted. Costs
  // what the datacenter has of instances.
  void ForEachService(
      const std::string& datacenter,
      const std::function<void(const std::string& name,
                               const std::set<std::string>& tags)>& visit)
      const;

  // Calls `visit` for every instance on the node, ordered by id.
  void ForEachInstanceOnNode(
      const NameKey& node,
      const std::function<void(const InstanceView&)>& visit) const;

  // Calls `visit` for every check on the node, ordered by check id.
  void ForEachCheckOnNode(
      const NameKey& node,
      const std::function<void(const CheckView&)>& visit) const;

  // Calls `visit` for every check that judges the instance: the node's, then
  // its own, each ordered by check id.
  void ForEachCheckOf(const InstanceView& instance,
                      const std::function<void(const CheckView&)>& visit) const;

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

  // The index of the last change; it grows by one with each batch that changes
  // something.
  [[nodiscard]] uint64_t index() const;
  [[nodiscard]] const ChangeIndex& changes() const;
  // Goes on from `index`, if that is larger, and calls all of it changed then:
  // for a process that does not know what clients of the one before it saw.
  void RaiseIndex(uint64_t index);

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
