#include "catalog/state_impl.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"

namespace dnsd {
namespace {

// How many were there: 1 or 0.
template <typename Index, typename Ref>
size_t Erase(Index* index, const NameKey& key, const Ref& ref) {
  auto it = index->find(key);
  if (it == index->end()) return 0;
  const size_t count = it->second.erase(ref);
  if (it->second.empty()) index->erase(it);
  return count;
}

const NodeKey& KeyOf(const Change& change) {
  return std::visit(
      [](const auto& c) -> const NodeKey& {
        if constexpr (requires { c.key; }) {
          return c.key;
        } else {
          CheckFailed(__FILE__, __LINE__, "a change without a key");
        }
      },
      change);
}

// Whether a change of status, or of whom it judges, is among the differences.
bool JudgesTheSame(const Check& a, const Check& b) {
  return a.status == b.status && a.service_id == b.service_id;
}

}  // namespace

std::vector<std::string> State::Impl::MeshNames(
    const ServiceInstance& instance) {
  if (IsGateway(instance.kind)) return instance.mesh->gateway_services;
  if (instance.kind == ServiceKind::kConnectProxy) {
    return {instance.mesh->proxy_destination};
  }
  if (instance.connect_native) return {instance.name};
  return {};
}

Stamp State::Impl::NextStamp(const Stamp& given, const Stamp& old) {
  if (given.modify_index != 0) return given;
  if (batch_index_ == 0) batch_index_ = ++index;
  return {old.create_index == 0 ? batch_index_ : old.create_index,
          std::max(batch_index_, old.modify_index)};
}

void State::Impl::Watch(WatchKind kind, const std::string& datacenter,
                        const std::string& name) {
  if (dirty_ == nullptr) return;
  if (batch_index_ == 0) batch_index_ = ++index;
  WatchKey key{kind, datacenter, name};
  changes.Note(key, batch_index_);
  dirty_->watched.insert(std::move(key));
}

void State::Impl::WatchHealth(const std::string& datacenter,
                              const ServiceInstance& instance) {
  Watch(WatchKind::kServiceHealth, datacenter, AsciiLower(instance.name));
  for (const std::string& name : MeshNames(instance)) {
    Watch(WatchKind::kMeshHealth, datacenter, AsciiLower(name));
  }
  Watch(WatchKind::kAllHealth, datacenter);
}

// The list of services shows names and tags. Its readers are spared an
// instance more or less whose tags a neighbour has too.
void State::Impl::WatchServices(const NodeRecord& record,
                                const ServiceInstance& instance) {
  if (dirty_ == nullptr) return;
  const std::string& datacenter = record.key.first;
  const auto it = services.find({datacenter, AsciiLower(instance.name)});
  if (it != services.end()) {
    const auto& tags = it->second.begin()->slot->value.tags;
    const auto has = [&](const std::string& tag) {
      return std::find(tags.begin(), tags.end(), tag) != tags.end();
    };
    if (std::all_of(instance.tags.begin(), instance.tags.end(), has)) return;
  }
  Watch(WatchKind::kServices, datacenter);
}

void State::Impl::MarkInstance(const NodeRecord& record,
                               const ServiceInstance& instance) {
  if (dirty_ == nullptr) return;
  const std::string& datacenter = record.key.first;
  dirty_->services.insert({datacenter, AsciiLower(instance.name)});
  Watch(WatchKind::kService, datacenter, AsciiLower(instance.name));
  for (const std::string& name : MeshNames(instance)) {
    dirty_->services.insert({datacenter, AsciiLower(name)});
    Watch(WatchKind::kMesh, datacenter, AsciiLower(name));
  }
  WatchHealth(datacenter, instance);
}

void State::Impl::MarkNode(const NodeRecord& record) {
  if (dirty_ == nullptr) return;
  dirty_->nodes.insert(record.key);
  Watch(WatchKind::kNodes, record.key.first);
  Watch(WatchKind::kNode, record.key.first, record.key.second);
  for (const auto& said : record.said) {
    for (const auto& slot : said->instances) {
      MarkInstance(record, slot->value);
    }
  }
}

void State::Impl::MarkCheck(const NodeRecord& record, const Check& check,
                            Judged judged) {
  if (dirty_ == nullptr) return;
  const std::string& datacenter = record.key.first;
  Watch(WatchKind::kNodeChecks, datacenter, record.key.second);
  Watch(WatchKind::kChecks, datacenter, "any");
  Watch(WatchKind::kChecks, datacenter, HealthStatusName(check.status));
  const auto mark = [&](const ServiceInstance& instance) {
    WatchHealth(datacenter, instance);
    if (judged == Judged::kNo) return;
    dirty_->services.insert({datacenter, AsciiLower(instance.name)});
    for (const std::string& name : MeshNames(instance)) {
      dirty_->services.insert({datacenter, AsciiLower(name)});
    }
  };
  if (!check.service_id.empty()) {
    const auto* instance = record.FindInstance(check.service_id);
    if (instance == nullptr) return;
    Watch(WatchKind::kServiceChecks, datacenter, AsciiLower(instance->name));
    mark(*instance);
    return;
  }
  if (judged == Judged::kYes) dirty_->nodes.insert(record.key);
  for (const auto& said : record.said) {
    for (const auto& slot : said->instances) mark(slot->value);
  }
}

void State::Impl::MarkChecksOf(const NodeRecord& record,
                               const std::string& instance_id) {
  if (dirty_ == nullptr) return;
  for (const auto* slot : record.ChecksOf(instance_id)) {
    MarkCheck(record, slot->value, Judged::kNo);
  }
}

void State::Impl::Unindex(NodeRecord* record, const std::string& id,
                          Listed listed) {
  const InstanceSlot* slot = record->FindSlot(id);
  if (slot == nullptr) return;
  const ServiceInstance& instance = slot->value;
  MarkInstance(*record, instance);
  const std::string& dc = record->key.first;
  Watch(WatchKind::kNode, dc, record->key.second);
  const InstanceRef ref{record, slot};
  instance_count -= Erase(&services, {dc, AsciiLower(instance.name)}, ref);
  for (const std::string& name : MeshNames(instance)) {
    Erase(&mesh, {dc, AsciiLower(name)}, ref);
  }
  if (listed == Listed::kChanged) WatchServices(*record, instance);
}

void State::Impl::Reindex(NodeRecord* record, const std::string& id,
                          Listed listed) {
  const InstanceSlot* slot = record->FindSlot(id);
  if (slot == nullptr) return;
  const ServiceInstance& instance = slot->value;
  if (listed == Listed::kChanged) WatchServices(*record, instance);
  MarkInstance(*record, instance);
  const std::string& dc = record->key.first;
  Watch(WatchKind::kNode, dc, record->key.second);
  const InstanceRef ref{record, slot};
  instance_count +=
      services[{dc, AsciiLower(instance.name)}].insert(ref).second;
  for (const std::string& name : MeshNames(instance)) {
    mesh[{dc, AsciiLower(name)}].insert(ref);
  }
}

State::Impl::SourceNode* State::Impl::AddSource(NodeRecord* record) {
  auto said = std::make_unique<SourceNode>();
  said->source = source_;
  SourceNode* raw = said.get();
  auto at = std::find_if(
      record->said.begin(), record->said.end(),
      [this](const auto& other) { return other->source > source_; });
  record->said.insert(at, std::move(said));
  nodes_of_source[source_].insert(record);
  return raw;
}

void State::Impl::Upsert(UpsertNode change) {
  NameKey key{change.node.datacenter, AsciiLower(change.node.name)};
  std::unique_ptr<NodeRecord>& record = nodes[key];
  if (record == nullptr) {
    record = std::make_unique<NodeRecord>();
    record->key = key;
    ++datacenters[key.first];
  }
  SourceNode* said = record->Said(source_);
  bool is_new = said == nullptr;
  if (is_new) said = AddSource(record.get());
  said->node.seen = batch_count_;
  if (!is_new && said->node.value == change.node) return;
  if (said->node.value.name != change.node.name) {
    // Checks show how their node is spelled.
    for (const auto* slot : record->AllChecks()) {
      MarkCheck(*record, slot->value, Judged::kNo);
    }
  }
  said->node.value = std::move(change.node);
  said->node.stamp = NextStamp(change.stamp, said->node.stamp);
  MarkNode(*record);
}

void State::Impl::RemoveSaid(NodeRecord* record) {
  SourceNode* said = record->Said(source_);
  MarkNode(*record);
  std::vector<std::string> ids;
  for (const auto& slot : said->checks) ids.push_back(slot->value.id);
  for (const std::string& id : ids) RemoveCheckOf(record, said, id);
  ids.clear();
  for (const auto& slot : said->instances) ids.push_back(slot->value.id);
  for (const std::string& id : ids) Unindex(record, id);
  nodes_of_source[source_].erase(record);
  std::erase_if(record->said,
                [said](const auto& other) { return other.get() == said; });
  for (const std::string& id : ids) {
    Reindex(record, id);
    MarkChecksOf(*record, id);
  }
  if (!record->said.empty()) return;
  auto dc = datacenters.find(record->key.first);
  if (--dc->second == 0) datacenters.erase(dc);
  NameKey key = record->key;  // a copy: the record dies in erase()
  nodes.erase(key);
}

// Most instances of a service have most of it in common.
void State::Impl::Unite(ServiceInstance* instance,
                        const ServiceInstance* replaced) {
  const auto unite = [&](auto* pool, auto part) {
    pool->Unite(&(instance->*part),
                replaced == nullptr ? nullptr : &(replaced->*part));
  };
  unite(&lists_, &ServiceInstance::tags);
  unite(&meta_, &ServiceInstance::meta);
  unite(&addresses_, &ServiceInstance::tagged_addresses);
  unite(&texts_, &ServiceInstance::name);
  unite(&meshes_, &ServiceInstance::mesh);
}

// When most of what there was is gone, what it had in common goes, too.
void State::Impl::SweepPools() {
  instances_then_ = std::max(instances_then_, instance_count);
  if (instance_count >= instances_then_ / 2) return;
  texts_.Sweep();
  lists_.Sweep();
  meta_.Sweep();
  addresses_.Sweep();
  meshes_.Sweep();
  instances_then_ = instance_count;
}

void State::Impl::UpsertInstanceOf(NodeRecord* record, SourceNode* said,
                                   UpsertInstance change) {
  ServiceInstance& instance = change.instance;
  const std::string id = instance.id;
  auto it = said->instances.find(id);
  const bool is_new = it == said->instances.end();
  if (!is_new && (*it)->value == instance) {
    (*it)->seen = batch_count_;
    return;
  }
  const ServiceInstance* before = record->FindInstance(id);
  const bool shows_as_before = before != nullptr &&
                               before->name == instance.name &&
                               before->tags == instance.tags;
  const Listed listed = shows_as_before ? Listed::kSame : Listed::kChanged;
  // Those of the service that it was.
  if (!shows_as_before) MarkChecksOf(*record, id);
  Unindex(record, id, listed);
  const Stamp old = is_new ? Stamp() : (*it)->stamp;
  Unite(&instance, is_new ? nullptr : &(*it)->value);
  if (is_new) {
    auto slot = std::make_unique<InstanceSlot>();
    if (const auto judges = said->strays.find(id);
        judges != said->strays.end()) {
      slot->judges = *judges;
      said->strays.erase(judges);
    }
    slot->value.id = id;
    it = said->instances.insert(std::move(slot)).first;
  }
  InstanceSlot& slot = **it;
  slot.value = std::move(instance);
  slot.seen = batch_count_;
  slot.stamp = NextStamp(change.stamp, old);
  Reindex(record, id, listed);
  if (!shows_as_before) MarkChecksOf(*record, id);
}

void State::Impl::RemoveInstanceOf(NodeRecord* record, SourceNode* said,
                                   const std::string& id) {
  if (!said->instances.contains(id)) return;
  while (const CheckSlot* slot = said->FirstJudge(id)) {
    RemoveCheckOf(record, said, std::string(slot->value.id));
  }
  Unindex(record, id);
  said->instances.erase(id);
  Reindex(record, id);
  MarkChecksOf(*record, id);  // of other sources
}

void State::Impl::UpsertCheckOf(NodeRecord* record, SourceNode* said,
                                UpsertCheck change) {
  Check& check = change.check;
  auto it = said->checks.find(check.id);
  const bool is_new = it == said->checks.end();
  if (!is_new && (*it)->value == check) {
    (*it)->seen = batch_count_;
    return;
  }
  const Stamp old = is_new ? Stamp() : (*it)->stamp;
  Judged judged = Judged::kYes;
  if (!is_new) {
    if (JudgesTheSame((*it)->value, check)) judged = Judged::kNo;
    MarkCheck(*record, (*it)->value, judged);
  }
  MarkCheck(*record, check, judged);
  for (const auto text :
       {&Check::name, &Check::notes, &Check::type, &Check::definition_json}) {
    texts_.Unite(&(check.*text), is_new ? nullptr : &((*it)->value.*text));
  }
  if (check.output.empty()) check.output.clear();  // and no empty block
  const bool stays = !is_new && (*it)->value.service_id == check.service_id;
  std::unique_ptr<CheckSlot> added;
  if (!stays) {
    if (!is_new) EraseCheck(said, check.id);
    added = std::make_unique<CheckSlot>();
  }
  CheckSlot* const slot = stays ? it->get() : added.get();
  slot->value = std::move(check);
  slot->seen = batch_count_;
  slot->stamp = NextStamp(change.stamp, old);
  if (!stays) AddCheck(said, std::move(added));
}

void State::Impl::AddCheck(SourceNode* said, std::unique_ptr<CheckSlot> check) {
  CheckSlot* const added = check.get();
  CheckSlot** const place = said->PlaceOfJudges(added->value.service_id);
  if (place != nullptr && *place == nullptr) *place = added;
  CheckSlot* const first =
      place != nullptr ? *place : *said->strays.insert(added).first;
  if (first != added) {
    added->before = first;
    added->next = std::exchange(first->next, added);
    if (added->next != nullptr) added->next->before = added;
  }
  said->checks.insert(std::move(check));
}

void State::Impl::EraseCheck(SourceNode* said, absl::string_view id) {
  const auto it = said->checks.find(id);
  CheckSlot* const slot = it->get();
  if (slot->next != nullptr) slot->next->before = slot->before;
  if (slot->before != nullptr) {
    slot->before->next = slot->next;
  } else if (CheckSlot** const place =
                 said->PlaceOfJudges(slot->value.service_id)) {
    *place = slot->next;
  } else {
    said->strays.erase(slot);
    if (slot->next != nullptr) said->strays.insert(slot->next);
  }
  said->checks.erase(it);
}

void State::Impl::RemoveCheckOf(NodeRecord* record, SourceNode* said,
                                const std::string& id) {
  auto it = said->checks.find(id);
  if (it == said->checks.end()) return;
  MarkCheck(*record, (*it)->value, Judged::kYes);
  EraseCheck(said, id);
}

void State::Impl::Sweep() {
  std::set<NodeRecord*> records = nodes_of_source[source_];
  for (NodeRecord* record : records) {
    SourceNode* said = record->Said(source_);
    if (said->node.seen != batch_count_) {
      RemoveSaid(record);
      continue;
    }
    std::vector<std::string> gone;
    for (const auto& slot : said->checks) {
      if (slot->seen != batch_count_) gone.push_back(slot->value.id);
    }
    for (const std::string& id : gone) RemoveCheckOf(record, said, id);
    gone.clear();
    for (const auto& slot : said->instances) {
      if (slot->seen != batch_count_) gone.push_back(slot->value.id);
    }
    for (const std::string& id : gone) RemoveInstanceOf(record, said, id);
  }
}

void State::Impl::ApplyTo(NodeRecord* record, SourceNode* said,
                          Change* change) {
  if (auto* c = std::get_if<UpsertInstance>(change)) {
    UpsertInstanceOf(record, said, std::move(*c));
  } else if (auto* d = std::get_if<UpsertCheck>(change)) {
    UpsertCheckOf(record, said, std::move(*d));
  } else if (const auto* e = std::get_if<RemoveInstance>(change)) {
    RemoveInstanceOf(record, said, e->service_id);
  } else if (const auto* f = std::get_if<RemoveCheck>(change)) {
    RemoveCheckOf(record, said, f->check_id);
  } else {
    RemoveSaid(record);
  }
}

absl::Status State::Impl::ApplyOne(Change* change) {
  if (auto* upsert = std::get_if<UpsertNode>(change)) {
    Upsert(std::move(*upsert));
    return absl::OkStatus();
  }
  if (const auto* query = std::get_if<UpsertQuery>(change)) {
    queries.Upsert(source_, *query, batch_count_, &changed_queries_);
    return absl::OkStatus();
  }
  if (const auto* query = std::get_if<RemoveQuery>(change)) {
    queries.Remove(source_, *query, &changed_queries_);
    return absl::OkStatus();
  }
  const NodeKey& key = KeyOf(*change);
  NodeRecord* record = Find(key);
  SourceNode* said = record == nullptr ? nullptr : record->Said(source_);
  if (said == nullptr) {
    return absl::NotFoundError(absl::StrCat("unknown node \"", key.node,
                                            "\" in datacenter \"",
                                            key.datacenter, "\""));
  }
  ApplyTo(record, said, change);
  return absl::OkStatus();
}

absl::Status State::Impl::Apply(ChangeBatch batch, Dirty* dirty) {
  absl::Status first;
  ++batch_count_;
  batch_index_ = 0;
  source_ = batch.source;
  dirty_ = dirty;
  for (Change& change : batch.changes) first.Update(ApplyOne(&change));
  if (batch.complete) {
    Sweep();
    queries.Sweep(source_, batch_count_, &changed_queries_);
  }
  for (const NameKey& query : changed_queries_) {
    Watch(WatchKind::kQueries, query.first);
  }
  if (dirty != nullptr) dirty->queries.merge(changed_queries_);
  changed_queries_.clear();
  SweepPools();
  dirty_ = nullptr;
  return first;
}

}  // namespace dnsd
