// The insides of State: what every source said about every node, and the
// indexes by service name. state_impl.cc changes them, state.cc reads them.
//
// Threads: as State.
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

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/base/shared.h"
#include "catalog/change.h"
#include "catalog/state.h"
#include "catalog/state_queries.h"
#include "catalog/watch_key.h"

namespace dnsd {

struct State::Impl {
  template <typename T>
  struct Slot {
    T value;
    uint64_t seen = 0;  // the last batch that mentioned it
    Stamp stamp;
  };
  struct CheckSlot : Slot<Check> {
    // Others that judge the same.
    CheckSlot* before = nullptr;
    CheckSlot* next = nullptr;
  };
  struct InstanceSlot : Slot<ServiceInstance> {
    CheckSlot* judges = nullptr;  // the first of its source's that judge it
  };

  // Slots stay where they are, and are found by a text in them: kKey of it.
  template <auto kKey>
  struct SlotKey {
    using is_transparent = void;
    static absl::string_view Of(absl::string_view text) { return text; }
    template <typename Pointer>
    requires requires(const Pointer& slot) { slot->value; }
    static absl::string_view Of(const Pointer& slot) {
      return slot->value.*kKey;
    }
  };
  template <auto kKey>
  struct SlotHash : SlotKey<kKey> {
    size_t operator()(const auto& key) const {
      return absl::HashOf(SlotKey<kKey>::Of(key));
    }
  };
  template <auto kKey>
  struct SlotEqual : SlotKey<kKey> {
    bool operator()(const auto& a, const auto& b) const {
      return SlotKey<kKey>::Of(a) == SlotKey<kKey>::Of(b);
    }
  };
  template <typename Pointer, auto kKey>
  using SlotSet = absl::flat_hash_set<Pointer, SlotHash<kKey>, SlotEqual<kKey>>;

  // What one source said about one node.
  struct SourceNode {
    SourceId source = 0;
    Slot<Node> node;
    SlotSet<std::unique_ptr<InstanceSlot>, &ServiceInstance::id> instances;
    SlotSet<std::unique_ptr<CheckSlot>, &Check::id> checks;
    CheckSlot* node_judges = nullptr;  // the first of those that judge the node
    // The first of those that judge an instance which this source does not
    // know, or not yet.
    SlotSet<CheckSlot*, &Check::service_id> strays;

    // The first of the checks that judge an instance, or for "" the node; or
    // nullptr. One node may have very many instances.
    [[nodiscard]] const CheckSlot* FirstJudge(
        absl::string_view service_id) const;
    // Where the first stands, or nullptr: among the strays.
    [[nodiscard]] CheckSlot** PlaceOfJudges(absl::string_view service_id);
  };

  struct NodeRecord {
    NameKey key;
    // Sorted by source: the first one that knows a thing is believed.
    std::vector<std::unique_ptr<SourceNode>> said;

    [[nodiscard]] SourceNode* Said(SourceId source) const;
    [[nodiscard]] const InstanceSlot* FindSlot(absl::string_view id) const;
    [[nodiscard]] const ServiceInstance* FindInstance(
        absl::string_view id) const;
    [[nodiscard]] HealthStatus Health(const InstanceSlot& instance) const;
    [[nodiscard]] NodeView View() const;
    [[nodiscard]] InstanceView View(const InstanceSlot& slot) const;
    [[nodiscard]] CheckView View(const CheckSlot& slot) const;
    // The believed instances, ordered by id.
    [[nodiscard]] std::vector<const InstanceSlot*> Instances() const;
    // The believed checks, ordered by id: all, or those that judge
    // `service_id`.
    using Checks = std::vector<const CheckSlot*>;
    [[nodiscard]] Checks AllChecks() const;
    [[nodiscard]] Checks ChecksOf(absl::string_view service_id) const;

   private:
    // Whether a source before this one has a check of that id.
    [[nodiscard]] bool IsHidden(const SourceNode& source,
                                absl::string_view check_id) const;
  };

  // The believed instance of its id, in an index: ordered by node name, then
  // id.
  struct InstanceRef {
    const NodeRecord* record;
    const InstanceSlot* slot;

    bool operator<(const InstanceRef& other) const {
      if (record != other.record) return record->key < other.record->key;
      return slot->value.id < other.slot->value.id;
    }
    [[nodiscard]] InstanceView View() const { return record->View(*slot); }
  };
  using Index = absl::flat_hash_map<NameKey, absl::btree_set<InstanceRef>>;

  // The services, besides its own, that an instance stands for.
  [[nodiscard]] static std::vector<std::string> MeshNames(
      const ServiceInstance& instance);

  [[nodiscard]] NodeRecord* Find(const NodeKey& key) const;

  absl::Status Apply(ChangeBatch batch, Dirty* dirty);
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

  absl::Status ApplyOne(Change* change);
  void ApplyTo(NodeRecord* record, SourceNode* said, Change* change);
  void Upsert(UpsertNode change);
  void UpsertInstanceOf(NodeRecord* record, SourceNode* said,
                        UpsertInstance change);
  void UpsertCheckOf(NodeRecord* record, SourceNode* said, UpsertCheck change);
  void Unite(ServiceInstance* instance, const ServiceInstance* replaced);
  void SweepPools();
  void RemoveInstanceOf(NodeRecord* record, SourceNode* said,
                        const std::string& id);
  void RemoveCheckOf(NodeRecord* record, SourceNode* said,
                     const std::string& id);
  void RemoveSaid(NodeRecord* record);
  void Sweep();
  SourceNode* AddSource(NodeRecord* record);
  static void AddCheck(SourceNode* said, std::unique_ptr<CheckSlot> check);
  static void EraseCheck(SourceNode* said, absl::string_view id);

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

  SharedPool<std::string> texts_;
  SharedPool<std::vector<std::string>> lists_;
  SharedPool<std::map<std::string, std::string>> meta_;
  SharedPool<std::map<std::string, TaggedAddress>> addresses_;
  SharedPool<MeshPart> meshes_;
  size_t instances_then_ = 0;  // the most since the pools were swept

  // Of the Apply() that runs.
  uint64_t batch_count_ = 0;
  SourceId source_ = 0;
  Dirty* dirty_ = nullptr;  // null: nobody is told
  std::set<NameKey> changed_queries_;
  uint64_t batch_index_ = 0;  // 0: nothing has changed yet
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_STATE_IMPL_H_
