// The insides of State: what every source said about every node, and the
// indexes by service name. state_impl.cc changes them, state.cc reads them.
//
// Threads: the sync thread only, as State.
#ifndef DNSD_CATALOG_STATE_IMPL_H_
#define DNSD_CATALOG_STATE_IMPL_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "catalog/change.h"
#include "catalog/state.h"
#include "catalog/state_queries.h"
#include "catalog/watch_key.h"

namespace dnsd {

struct State::Impl {
  template <typename T>
  struct Slot {
    T value;
    uint64_t seen = 0;  // the last complete batch that mentioned it
    Stamp stamp;
  };

  // What one source said about one node.
  struct SourceNode {
    SourceId source = 0;
    Slot<Node> node;
    std::map<std::string, Slot<ServiceInstance>> instances;
    std::map<std::string, Slot<Check>> checks;
    // The same by what they judge: an instance's id, or "" for the node. One
    // node may have very many instances.
    std::map<std::string, std::map<std::string, const Slot<Check>*>> judges;
  };

  struct NodeRecord {
    NameKey key;
    // Sorted by source: the first one that knows a thing is believed.
    std::vector<std::unique_ptr<SourceNode>> said;

    [[nodiscard]] SourceNode* Said(SourceId source) const;
    [[nodiscard]] const Slot<ServiceInstance>* FindSlot(
        const std::string& id) const;
    [[nodiscard]] const ServiceInstance* FindInstance(
        const std::string& id) const;
    [[nodiscard]] HealthStatus Health(const std::string& instance_id) const;
    [[nodiscard]] NodeView View() const;
    [[nodiscard]] InstanceView View(const Slot<ServiceInstance>& slot) const;
    [[nodiscard]] CheckView View(const Slot<Check>& slot) const;
    // The believed checks, by id: all, or those that judge `service_id`.
    using Checks = std::map<std::string, const Slot<Check>*>;
    [[nodiscard]] Checks AllChecks() const;
    [[nodiscard]] Checks ChecksOf(const std::string& service_id) const;
  };

  // An instance in an index: ordered by node name, then id.
  struct InstanceRef {
    const NodeRecord* record;
    std::string id;

    bool operator<(const InstanceRef& other) const {
      if (record != other.record) return record->key < other.record->key;
      return id < other.id;
    }
  };
  using Index = absl::flat_hash_map<NameKey, std::set<InstanceRef>>;

  // The services, besides its own, that an instance stands for.
  [[nodiscard]] static std::vector<std::string> MeshNames(
      const ServiceInstance& instance);

  [[nodiscard]] NodeRecord* Find(const NodeKey& key) const;

  absl::Status Apply(const ChangeBatch& batch, Dirty* dirty);
  void Visit(const Index& index, const NameKey& key,
             const std::function<void(const InstanceView&)>& visit) const;

  absl::flat_hash_map<NameKey, std::unique_ptr<NodeRecord>> nodes;
  Index services;             // by service name
  Index mesh;                 // by the name an instance stands for
  size_t instance_count = 0;  // in `services`
  std::map<SourceId, std::set<NodeRecord*>> nodes_of_source;
  std::map<std::string, size_t> datacenters;
  StateQueries queries;
  ChangeIndex changes;
  uint64_t index = 0;

 private:
  enum class Judged : bool { kYes, kNo };  // whether health may be another

  absl::Status ApplyOne(const Change& change);
  void ApplyTo(NodeRecord* record, SourceNode* said, const Change& change);
  void Upsert(const UpsertNode& change);
  void UpsertInstanceOf(NodeRecord* record, SourceNode* said,
                        const UpsertInstance& change);
  void UpsertCheckOf(NodeRecord* record, SourceNode* said,
                     const UpsertCheck& change);
  void RemoveInstanceOf(NodeRecord* record, SourceNode* said,
                        const std::string& id);
  void RemoveCheckOf(NodeRecord* record, SourceNode* said,
                     const std::string& id);
  void RemoveSaid(NodeRecord* record);
  void Sweep();
  SourceNode* AddSource(NodeRecord* record);
  static void EraseCheck(SourceNode* said, const std::string& id);

  // Takes the effective instance of this id out of the indexes, or puts it in.
  // Listed says whether the list of services may be another then.
  enum class Listed : bool { kChanged, kSame };
  void Unindex(NodeRecord* record, const std::string& id,
               Listed listed = Listed::kChanged);
  void Reindex(NodeRecord* record, const std::string& id,
               Listed listed = Listed::kChanged);

  // What of a thing changed; the index it changed at is this batch's.
  void MarkInstance(const NodeRecord& record, const ServiceInstance& instance);
  void MarkNode(const NodeRecord& record);
  void MarkCheck(const NodeRecord& record, const Check& check, Judged judged);
  // Of the checks that show the instance's name and tags.
  void MarkChecksOf(const NodeRecord& record, const std::string& instance_id);
  void WatchServices(const NodeRecord& record, const ServiceInstance& instance);
  void WatchHealth(const std::string& datacenter,
                   const ServiceInstance& instance);
  void Watch(WatchKind kind, const std::string& datacenter,
             const std::string& name = {});
  // The stamp of what changes now, when it was `old` before.
  [[nodiscard]] Stamp NextStamp(const Stamp& given, const Stamp& old);

  // Of the Apply() that runs.
  uint64_t batch_count_ = 0;
  SourceId source_ = 0;
  Dirty* dirty_ = nullptr;
  uint64_t batch_index_ = 0;  // 0: nothing has changed yet
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_STATE_IMPL_H_
