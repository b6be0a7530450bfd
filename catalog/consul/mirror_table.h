// MirrorTable is what a mirror holds of one datacenter. It takes Consul's
// answers and says what they change; data that is equal changes nothing.
//
// Answers of different watches overlap (a node is in the answer for each of
// its services) and overtake each other, and with stale reads one may come
// from a server that lags. So an object is replaced only by one that is not
// older (ModifyIndex), and withdrawn only by an answer (X-Consul-Index) that
// is not older than the object; a node that is not there is made only by an
// answer that is not older than the list of nodes, and what was withdrawn comes
// back only newer, or in a younger answer. A reset ends that: after it, indexes
// of before mean nothing.
//
// Threads:   the sync thread. The values behind an image's pointers are never
//            changed, so an image may be read by another thread.
// Ownership: owns its rows.
// Cost:      what the answer holds, not what the table holds; ApplyAll(),
//            gateways() and image(): the table.
#ifndef DNSD_CATALOG_CONSUL_MIRROR_TABLE_H_
#define DNSD_CATALOG_CONSUL_MIRROR_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "catalog/change.h"
#include "catalog/consul/mirror_file.h"
#include "catalog/consul/report.h"
#include "catalog/consul/withdrawn.h"

namespace dnsd {

using Changes = std::vector<Change>;

class MirrorTable {
 public:
  explicit MirrorTable(std::string datacenter);
  MirrorTable(const MirrorTable&) = delete;
  MirrorTable& operator=(const MirrorTable&) = delete;

  // Every node there is, with all it has. `reset`: whatever the ages are. What
  // the table then is sure to be as of: `index`, or less if nothing known is as
  // new. A header may lie, and a poll with an index that never was waits for
  // its end; too low an index costs an answer or two.
  uint64_t ApplyAll(uint64_t index, const std::vector<NodeReport>& nodes,
                    bool reset, Changes* changes);

  // Adds to `nodes`, where their node is among them, the instances known of a
  // service: for what Consul itself cannot tell any more.
  void AddKnown(const std::string& name, std::vector<NodeReport>* nodes) const;

  // All instances of one service.
  void ApplyService(const std::string& name, uint64_t index,
                    const std::vector<NodeReport>& entries, Changes* changes);

  // What another dnsd says has changed, which is newer than all that is known
  // of it: for a table that nothing else tells of nodes and services.
  void ApplyDelta(const DeltaReport& delta, Changes* changes);

  // Every node there is, without what it has.
  void ApplyNodes(uint64_t index, const std::vector<NodeReport>& nodes,
                  Changes* changes);

  // All checks of one node.
  void ApplyNodeChecks(const std::string& node, uint64_t index,
                       const std::vector<CheckReport>& checks,
                       Changes* changes);

  // What must be asked for again before it is known.
  struct Unknown {
    std::set<std::string> services;   // names; of instances that are not known
    std::set<std::string> unsettled;  // names; instances may be passing again
    std::set<std::string> nodes;      // names; their checks
  };
  // All checks with a status that is not passing. Those the table has with
  // that status but the answer lacks may be passing or gone: `unknown`.
  void ApplyState(HealthStatus status, uint64_t index,
                  const std::vector<CheckReport>& checks, Changes* changes,
                  Unknown* unknown);

  // Names (lower case) of services whose instances are not those that `checks`
  // show, all checks there are.
  [[nodiscard]] std::set<std::string> FindChanged(
      uint64_t index, const std::vector<CheckReport>& checks) const;

  // The services that instances of a gateway stand before.
  void ApplyGateway(const std::string& name,
                    const std::vector<std::string>& services, Changes* changes);

  // All prepared queries.
  void ApplyQueries(const std::vector<PreparedQuery>& queries,
                    Changes* changes);

  // Withdraws everything.
  void Clear(Changes* changes);

  // Service names in lower case, sorted. Consul too finds them without case.
  [[nodiscard]] std::vector<std::string> service_names() const;
  [[nodiscard]] bool HasService(const std::string& name) const;
  // Whether `tags` are those of the instances.
  [[nodiscard]] bool HasTags(const std::string& name,
                             const std::set<std::string>& tags) const;
  // Names of services that have an instance which is a gateway.
  [[nodiscard]] std::vector<std::string> gateways() const;

  [[nodiscard]] size_t node_count() const { return rows_.size(); }
  [[nodiscard]] size_t instance_count() const { return instance_count_; }
  [[nodiscard]] size_t check_count() const { return check_count_; }
  [[nodiscard]] size_t service_count() const { return services_.size(); }
  [[nodiscard]] size_t query_count() const { return queries_.size(); }

  // All of it, sharing the values.
  struct Image {
    struct Row {
      std::shared_ptr<const Node> node;
      uint64_t modify_index;
      std::vector<std::shared_ptr<const InstanceReport>> instances;
      std::vector<std::shared_ptr<const CheckReport>> checks;
    };
    std::vector<Row> rows;
    std::vector<PreparedQuery> queries;
    std::map<std::string, std::vector<std::string>> gateways;
  };
  [[nodiscard]] Image image() const;

 private:
  struct Row {
    std::shared_ptr<const Node> node;
    uint64_t modify_index = 0;
    std::map<std::string, std::shared_ptr<const InstanceReport>> instances;
    std::map<std::string, std::shared_ptr<const CheckReport>> checks;
  };
  using Ref = std::pair<Row*, std::string>;  // and an instance's or check's id

  // Which objects an answer may overrule.
  struct Age {
    uint64_t index;
    bool reset;

    [[nodiscard]] bool MayRemove(uint64_t modify_index) const {
      return reset || modify_index <= index;
    }
  };

  [[nodiscard]] NodeKey KeyOf(const Row& row) const;
  [[nodiscard]] Row* Find(const std::string& node) const;
  // nullptr: it is gone, for a younger list of all nodes was without it.
  Row* PutNode(const NodeReport& report, const Age& age, Changes* changes);
  void PutInstance(Row* row, const InstanceReport& report, const Age& age,
                   Changes* changes);
  void PutCheck(Row* row, const CheckReport& report, const Age& age,
                Changes* changes);
  enum class Kind : char { kInstance = 'i', kCheck = 'c' };
  [[nodiscard]] static std::string WithdrawnKey(const Node& node, Kind kind,
                                                const std::string& id);
  // Whether an answer as of `age` shows what is withdrawn already.
  [[nodiscard]] bool IsOvertaken(const Row& row, Kind kind,
                                 const std::string& id, uint64_t modify_index,
                                 const Age& age) const;
  void RemoveInstanceOf(Row* row, const std::string& id, const Age& age,
                        Changes* changes);
  void RemoveCheckOf(Row* row, const std::string& id, const Age& age,
                     Changes* changes);
  void RemoveRow(Row* row, Changes* changes);
  void EmitInstance(const Row& row, const ServiceInstance& instance,
                    Changes* changes) const;
  // Takes out the checks of `row` that were not seen and that `concerns` says
  // would have been.
  void SweepChecks(Row* row, const std::set<std::string>& seen, const Age& age,
                   Changes* changes,
                   absl::FunctionRef<bool(const CheckReport&)> concerns);
  void SweepRow(Row* row, const NodeReport& report, const Age& age,
                Changes* changes);
  void PutService(const std::string& name,
                  const std::vector<NodeReport>& entries, const Age& age,
                  Changes* changes);

  std::string datacenter_;
  uint64_t nodes_index_ = 0;  // of the youngest list of all nodes
  uint64_t newest_ = 0;       // highest ModifyIndex that was shown
  absl::flat_hash_map<std::string, std::unique_ptr<Row>> rows_;  // lower case
  absl::flat_hash_map<std::string, std::set<Ref>> services_;     // lower case
  std::set<Ref> not_passing_;                                    // checks
  std::map<std::string, std::vector<std::string>> gateways_;     // lower case
  std::map<std::string, PreparedQuery> queries_;                 // by id
  Withdrawn withdrawn_;
  size_t instance_count_ = 0;
  size_t check_count_ = 0;
};

// As a file holds it. Costs a copy of everything: not on the sync thread.
[[nodiscard]] MirrorImage ToMirrorImage(const MirrorTable::Image& image);

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_MIRROR_TABLE_H_
