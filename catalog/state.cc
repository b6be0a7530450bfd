#include "catalog/state.h"

#include <algorithm>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "catalog/state_queries.h"

namespace dnsd {
namespace {

template <typename T>
struct Slot {
  T value;
  uint64_t seen = 0;  // the last complete batch that mentioned it
};

// What one source said about one node.
struct SourceNode {
  SourceId source = 0;
  Slot<Node> node;
  std::map<std::string, Slot<ServiceInstance>> instances;
  std::map<std::string, Slot<Check>> checks;
};

struct NodeRecord {
  NameKey key;
  // Sorted by source: the first one that knows a thing is believed.
  std::vector<std::unique_ptr<SourceNode>> said;

  const ServiceInstance* FindInstance(const std::string& id) const {
    for (const auto& source : said) {
      auto it = source->instances.find(id);
      if (it != source->instances.end()) return &it->second.value;
    }
    return nullptr;
  }
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

void Erase(Index* index, const NameKey& key, const InstanceRef& ref) {
  auto it = index->find(key);
  if (it == index->end()) return;
  it->second.erase(ref);
  if (it->second.empty()) index->erase(it);
}

// The services, besides its own, that an instance stands for.
std::vector<std::string> MeshNames(const ServiceInstance& instance) {
  if (IsGateway(instance.kind)) return instance.gateway_services;
  if (instance.kind == ServiceKind::kConnectProxy) {
    return {instance.proxy_destination};
  }
  if (instance.connect_native) return {instance.name};
  return {};
}

}  // namespace

void Dirty::Merge(const Dirty& other) {
  services.insert(other.services.begin(), other.services.end());
  nodes.insert(other.nodes.begin(), other.nodes.end());
  queries.insert(other.queries.begin(), other.queries.end());
}

struct State::Impl {
  absl::flat_hash_map<NameKey, std::unique_ptr<NodeRecord>> nodes;
  Index services;  // by service name
  Index mesh;      // by the name an instance stands for
  std::map<SourceId, std::set<NodeRecord*>> nodes_of_source;
  std::map<std::string, size_t> datacenters;
  StateQueries queries;
  uint64_t batch_count = 0;
  Dirty* dirty = nullptr;  // of the Apply() that runs

  NodeRecord* Find(const NodeKey& key) {
    auto it = nodes.find({key.datacenter, AsciiLower(key.node)});
    return it == nodes.end() ? nullptr : it->second.get();
  }
  static SourceNode* Said(NodeRecord* record, SourceId source) {
    for (const auto& said : record->said) {
      if (said->source == source) return said.get();
    }
    return nullptr;
  }

  void MarkInstance(const NodeRecord& record, const ServiceInstance& instance) {
    dirty->services.insert({record.key.first, AsciiLower(instance.name)});
    for (const std::string& name : MeshNames(instance)) {
      dirty->services.insert({record.key.first, AsciiLower(name)});
    }
  }
  void MarkNode(const NodeRecord& record) {
    dirty->nodes.insert(record.key);
    for (const auto& said : record.said) {
      for (const auto& [id, slot] : said->instances) {
        MarkInstance(record, slot.value);
      }
    }
  }
  void MarkCheck(const NodeRecord& record, const Check& check) {
    if (check.service_id.empty()) {
      MarkNode(record);
    } else if (const auto* instance = record.FindInstance(check.service_id)) {
      MarkInstance(record, *instance);
    }
  }

  // Takes the effective instance of this id out of the indexes, or puts it in.
  void Unindex(NodeRecord* record, const std::string& id) {
    const ServiceInstance* instance = record->FindInstance(id);
    if (instance == nullptr) return;
    MarkInstance(*record, *instance);
    const std::string& dc = record->key.first;
    Erase(&services, {dc, AsciiLower(instance->name)}, {record, id});
    for (const std::string& name : MeshNames(*instance)) {
      Erase(&mesh, {dc, AsciiLower(name)}, {record, id});
    }
  }
  void Reindex(NodeRecord* record, const std::string& id) {
    const ServiceInstance* instance = record->FindInstance(id);
    if (instance == nullptr) return;
    MarkInstance(*record, *instance);
    const std::string& dc = record->key.first;
    services[{dc, AsciiLower(instance->name)}].insert({record, id});
    for (const std::string& name : MeshNames(*instance)) {
      mesh[{dc, AsciiLower(name)}].insert({record, id});
    }
  }

  SourceNode* AddSource(NodeRecord* record, SourceId source) {
    auto said = std::make_unique<SourceNode>();
    said->source = source;
    SourceNode* raw = said.get();
    auto at = std::find_if(
        record->said.begin(), record->said.end(),
        [source](const auto& other) { return other->source > source; });
    record->said.insert(at, std::move(said));
    nodes_of_source[source].insert(record);
    return raw;
  }

  void Upsert(SourceId source, const UpsertNode& change, uint64_t seen) {
    NameKey key{change.node.datacenter, AsciiLower(change.node.name)};
    std::unique_ptr<NodeRecord>& record = nodes[key];
    if (record == nullptr) {
      record = std::make_unique<NodeRecord>();
      record->key = key;
      ++datacenters[key.first];
    }
    SourceNode* said = Said(record.get(), source);
    bool is_new = said == nullptr;
    if (is_new) said = AddSource(record.get(), source);
    said->node.seen = seen;
    if (!is_new && said->node.value == change.node) return;
    said->node.value = change.node;
    MarkNode(*record);
  }

  void RemoveSaid(NodeRecord* record, SourceId source) {
    SourceNode* said = Said(record, source);
    if (said == nullptr) return;
    MarkNode(*record);
    std::vector<std::string> ids;
    for (const auto& [id, slot] : said->instances) ids.push_back(id);
    for (const std::string& id : ids) Unindex(record, id);
    nodes_of_source[source].erase(record);
    std::erase_if(record->said,
                  [said](const auto& other) { return other.get() == said; });
    for (const std::string& id : ids) Reindex(record, id);
    if (!record->said.empty()) return;
    auto dc = datacenters.find(record->key.first);
    if (--dc->second == 0) datacenters.erase(dc);
    NameKey key = record->key;  // a copy: the record dies in erase()
    nodes.erase(key);
  }

  void UpsertInstanceOf(NodeRecord* record, SourceNode* said,
                        const ServiceInstance& instance, uint64_t seen) {
    auto it = said->instances.find(instance.id);
    if (it != said->instances.end() && it->second.value == instance) {
      it->second.seen = seen;
      return;
    }
    Unindex(record, instance.id);
    said->instances[instance.id] = {instance, seen};
    Reindex(record, instance.id);
  }

  void RemoveInstanceOf(NodeRecord* record, SourceNode* said,
                        const std::string& id) {
    if (!said->instances.contains(id)) return;
    Unindex(record, id);
    said->instances.erase(id);
    std::erase_if(said->checks, [&id](const auto& item) {
      return item.second.value.service_id == id;
    });
    Reindex(record, id);
  }

  void UpsertCheckOf(NodeRecord* record, SourceNode* said, const Check& check,
                     uint64_t seen) {
    auto it = said->checks.find(check.id);
    if (it != said->checks.end() && it->second.value == check) {
      it->second.seen = seen;
      return;
    }
    // Only a change of status or place is seen by readers of health.
    if (it == said->checks.end()) {
      MarkCheck(*record, check);
    } else if (it->second.value.status != check.status ||
               it->second.value.service_id != check.service_id) {
      MarkCheck(*record, it->second.value);
      MarkCheck(*record, check);
    }
    said->checks[check.id] = {check, seen};
  }

  void RemoveCheckOf(NodeRecord* record, SourceNode* said,
                     const std::string& id) {
    auto it = said->checks.find(id);
    if (it == said->checks.end()) return;
    MarkCheck(*record, it->second.value);
    said->checks.erase(it);
  }

  // Withdraws what a complete batch did not mention.
  void Sweep(SourceId source, uint64_t seen) {
    std::set<NodeRecord*> records = nodes_of_source[source];
    for (NodeRecord* record : records) {
      SourceNode* said = Said(record, source);
      if (said->node.seen != seen) {
        RemoveSaid(record, source);
        continue;
      }
      std::vector<std::string> gone;
      for (const auto& [id, slot] : said->checks) {
        if (slot.seen != seen) gone.push_back(id);
      }
      for (const std::string& id : gone) RemoveCheckOf(record, said, id);
      gone.clear();
      for (const auto& [id, slot] : said->instances) {
        if (slot.seen != seen) gone.push_back(id);
      }
      for (const std::string& id : gone) RemoveInstanceOf(record, said, id);
    }
  }

  HealthStatus Health(const NodeRecord& record, const std::string& id) const {
    HealthStatus worst = HealthStatus::kPassing;
    std::set<std::string> known;  // a check of an earlier source hides later
    for (const auto& said : record.said) {
      for (const auto& [check_id, slot] : said->checks) {
        const Check& check = slot.value;
        if (!check.service_id.empty() && check.service_id != id) continue;
        if (record.said.size() > 1 && !known.insert(check_id).second) continue;
        worst = std::max(worst, check.status);
      }
    }
    return worst;
  }

  void Visit(const Index& index, const NameKey& key,
             const std::function<void(const InstanceView&)>& visit) const {
    auto it = index.find(key);
    if (it == index.end()) return;
    for (const InstanceRef& ref : it->second) {
      visit({&ref.record->said.front()->node.value,
             ref.record->FindInstance(ref.id), Health(*ref.record, ref.id)});
    }
  }

  absl::Status ApplyOne(const ChangeBatch& batch, const Change& change,
                        uint64_t seen) {
    if (const auto* upsert = std::get_if<UpsertNode>(&change)) {
      Upsert(batch.source, *upsert, seen);
      return absl::OkStatus();
    }
    if (const auto* query = std::get_if<UpsertQuery>(&change)) {
      queries.Upsert(batch.source, *query, seen, &dirty->queries);
      return absl::OkStatus();
    }
    if (const auto* query = std::get_if<RemoveQuery>(&change)) {
      queries.Remove(batch.source, *query, &dirty->queries);
      return absl::OkStatus();
    }
    const NodeKey& key = std::visit(
        [](const auto& c) -> const NodeKey& {
          if constexpr (requires { c.key; }) {
            return c.key;
          } else {
            CheckFailed(__FILE__, __LINE__, "a change without a key");
          }
        },
        change);
    NodeRecord* record = Find(key);
    SourceNode* said = record == nullptr ? nullptr : Said(record, batch.source);
    if (said == nullptr) {
      return absl::NotFoundError(absl::StrCat("unknown node \"", key.node,
                                              "\" in datacenter \"",
                                              key.datacenter, "\""));
    }
    if (const auto* c = std::get_if<UpsertInstance>(&change)) {
      UpsertInstanceOf(record, said, c->instance, seen);
    } else if (const auto* d = std::get_if<UpsertCheck>(&change)) {
      UpsertCheckOf(record, said, d->check, seen);
    } else if (const auto* e = std::get_if<RemoveInstance>(&change)) {
      RemoveInstanceOf(record, said, e->service_id);
    } else if (const auto* f = std::get_if<RemoveCheck>(&change)) {
      RemoveCheckOf(record, said, f->check_id);
    } else {
      RemoveSaid(record, batch.source);
    }
    return absl::OkStatus();
  }
};

State::State() : impl_(std::make_unique<Impl>()) {}
State::~State() = default;

absl::Status State::Apply(const ChangeBatch& batch, Dirty* dirty) {
  absl::Status first;
  uint64_t seen = ++impl_->batch_count;
  impl_->dirty = dirty;
  for (const Change& change : batch.changes) {
    first.Update(impl_->ApplyOne(batch, change, seen));
  }
  if (batch.complete) {
    impl_->Sweep(batch.source, seen);
    impl_->queries.Sweep(batch.source, seen, &dirty->queries);
  }
  impl_->dirty = nullptr;
  return first;
}

void State::ForEachInstance(
    const NameKey& service,
    const std::function<void(const InstanceView&)>& visit) const {
  impl_->Visit(impl_->services, service, visit);
}

void State::ForEachMeshInstance(
    const NameKey& service,
    const std::function<void(const InstanceView&)>& visit) const {
  impl_->Visit(impl_->mesh, service, visit);
}

const Node* State::FindNode(const NameKey& node) const {
  auto it = impl_->nodes.find(node);
  if (it == impl_->nodes.end()) return nullptr;
  return &it->second->said.front()->node.value;
}

void State::ForEachInstanceOnNode(
    const NameKey& node,
    const std::function<void(const InstanceView&)>& visit) const {
  auto it = impl_->nodes.find(node);
  if (it == impl_->nodes.end()) return;
  const NodeRecord& record = *it->second;
  std::map<std::string, const ServiceInstance*> instances;
  for (const auto& said : record.said) {
    for (const auto& [id, slot] : said->instances) {
      instances.emplace(id, &slot.value);  // the first source stays
    }
  }
  for (const auto& [id, instance] : instances) {
    visit({&record.said.front()->node.value, instance,
           impl_->Health(record, id)});
  }
}

void State::ForEachCheckOnNode(
    const NameKey& node, const std::function<void(const Check&)>& visit) const {
  auto it = impl_->nodes.find(node);
  if (it == impl_->nodes.end()) return;
  std::map<std::string, const Check*> checks;
  for (const auto& said : it->second->said) {
    for (const auto& [id, slot] : said->checks) checks.emplace(id, &slot.value);
  }
  for (const auto& [id, check] : checks) visit(*check);
}

std::optional<PreparedQuery> State::FindQuery(const std::string& datacenter,
                                              absl::string_view name) const {
  return impl_->queries.Find(datacenter, name);
}

void State::ForEachQuery(
    const std::string& datacenter,
    const std::function<void(const PreparedQuery&)>& visit) const {
  impl_->queries.ForEach(datacenter, visit);
}

std::vector<std::string> State::TemplatePrefixes(
    const std::string& datacenter) const {
  return impl_->queries.TemplatePrefixes(datacenter);
}

Dirty State::Everything() const {
  Dirty all;
  all.queries = impl_->queries.Keys();
  for (const auto& [key, record] : impl_->nodes) all.nodes.insert(key);
  for (const auto& [key, refs] : impl_->services) all.services.insert(key);
  for (const auto& [key, refs] : impl_->mesh) all.services.insert(key);
  return all;
}

std::vector<std::string> State::Datacenters() const {
  std::vector<std::string> names;
  for (const auto& [name, count] : impl_->datacenters) names.push_back(name);
  return names;
}

size_t State::node_count() const { return impl_->nodes.size(); }

size_t State::instance_count() const {
  size_t count = 0;
  for (const auto& [key, refs] : impl_->services) count += refs.size();
  return count;
}

}  // namespace dnsd
