#include "catalog/state.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "catalog/state_impl.h"

namespace dnsd {
namespace {

template <typename Slot>
void SortById(std::vector<const Slot*>* slots) {
  std::sort(slots->begin(), slots->end(), [](const Slot* a, const Slot* b) {
    return a->value.id < b->value.id;
  });
}

}  // namespace

void Dirty::Merge(const Dirty& other) {
  services.insert(other.services.begin(), other.services.end());
  nodes.insert(other.nodes.begin(), other.nodes.end());
  queries.insert(other.queries.begin(), other.queries.end());
  watched.insert(other.watched.begin(), other.watched.end());
}

State::Impl::SourceNode* State::Impl::NodeRecord::Said(SourceId source) const {
  for (const auto& item : said) {
    if (item->source == source) return item.get();
  }
  return nullptr;
}

const State::Impl::CheckSlot* State::Impl::SourceNode::FirstJudge(
    absl::string_view service_id) const {
  if (service_id.empty()) return node_judges;
  const auto instance = instances.find(service_id);
  if (instance != instances.end()) return (*instance)->judges;
  const auto stray = strays.find(service_id);
  return stray == strays.end() ? nullptr : *stray;
}

State::Impl::CheckSlot** State::Impl::SourceNode::PlaceOfJudges(
    absl::string_view service_id) {
  if (service_id.empty()) return &node_judges;
  const auto instance = instances.find(service_id);
  return instance == instances.end() ? nullptr : &(*instance)->judges;
}

const State::Impl::InstanceSlot* State::Impl::NodeRecord::FindSlot(
    absl::string_view id) const {
  for (const auto& source : said) {
    auto it = source->instances.find(id);
    if (it != source->instances.end()) return it->get();
  }
  return nullptr;
}

const ServiceInstance* State::Impl::NodeRecord::FindInstance(
    absl::string_view id) const {
  const auto* slot = FindSlot(id);
  return slot == nullptr ? nullptr : &slot->value;
}

bool State::Impl::NodeRecord::IsHidden(const SourceNode& source,
                                       absl::string_view check_id) const {
  for (const auto& other : said) {
    if (other.get() == &source) return false;
    if (other->checks.contains(check_id)) return true;
  }
  return false;
}

// Of checks with one id that judge the instance, the first source's counts.
HealthStatus State::Impl::NodeRecord::Health(
    const InstanceSlot& instance) const {
  const absl::string_view id = instance.value.id;
  const auto is_hidden = [&](const SourceNode& source, const Check& check) {
    for (const auto& other : said) {
      if (other.get() == &source) return false;
      const auto it = other->checks.find(check.id);
      if (it == other->checks.end()) continue;
      const absl::string_view judged = (*it)->value.service_id;
      if (judged.empty() || judged == id) return true;
    }
    return false;
  };
  HealthStatus worst = HealthStatus::kPassing;
  for (const auto& source : said) {
    const CheckSlot* const judges =
        said.size() == 1 ? instance.judges : source->FirstJudge(id);
    for (const CheckSlot* slot :
         {static_cast<const CheckSlot*>(source->node_judges), judges}) {
      for (; slot != nullptr; slot = slot->next) {
        if (slot->value.status <= worst) continue;
        if (!is_hidden(*source, slot->value)) worst = slot->value.status;
      }
    }
  }
  return worst;
}

NodeView State::Impl::NodeRecord::View() const {
  const Slot<Node>& slot = said.front()->node;
  return {&slot.value, slot.stamp};
}

InstanceView State::Impl::NodeRecord::View(const InstanceSlot& slot) const {
  const NodeView node = View();
  return {node.node, &slot.value, Health(slot), slot.stamp, node.stamp};
}

CheckView State::Impl::NodeRecord::View(const CheckSlot& slot) const {
  const absl::string_view service = slot.value.service_id;
  return {&said.front()->node.value, &slot.value,
          service.empty() ? nullptr : FindInstance(service), slot.stamp};
}

std::vector<const State::Impl::InstanceSlot*>
State::Impl::NodeRecord::Instances() const {
  std::vector<const InstanceSlot*> instances;
  for (const auto& source : said) {
    for (const auto& slot : source->instances) {
      if (FindSlot(slot->value.id) == slot.get()) {
        instances.push_back(slot.get());
      }
    }
  }
  SortById(&instances);
  return instances;
}

State::Impl::NodeRecord::Checks State::Impl::NodeRecord::AllChecks() const {
  Checks checks;
  for (const auto& source : said) {
    for (const auto& slot : source->checks) {
      if (!IsHidden(*source, slot->value.id)) checks.push_back(slot.get());
    }
  }
  SortById(&checks);
  return checks;
}

State::Impl::NodeRecord::Checks State::Impl::NodeRecord::ChecksOf(
    absl::string_view service_id) const {
  Checks checks;
  for (const auto& source : said) {
    for (const CheckSlot* slot = source->FirstJudge(service_id);
         slot != nullptr; slot = slot->next) {
      if (!IsHidden(*source, slot->value.id)) checks.push_back(slot);
    }
  }
  SortById(&checks);
  return checks;
}

State::Impl::NodeRecord* State::Impl::Find(const NodeKey& key) const {
  auto it = nodes.find(NameKey{key.datacenter, AsciiLower(key.node)});
  return it == nodes.end() ? nullptr : it->second.get();
}

void State::Impl::Visit(
    const Index& index_of, const NameKey& key,
    const std::function<void(const InstanceView&)>& visit) const {
  auto it = index_of.find(key);
  if (it == index_of.end()) return;
  for (const InstanceRef& ref : it->second) visit(ref.View());
}

State::State() : impl_(std::make_unique<Impl>()) {}
State::~State() = default;

absl::Status State::Apply(ChangeBatch batch, Dirty* dirty) {
  return impl_->Apply(std::move(batch), dirty);
}

void State::ForEachInstance(
    const NameKey& service,
    const std::function<void(const InstanceView&)>& visit) const {
  impl_->Visit(impl_->services, service, visit);
}

bool State::AnyInstance(
    const NameKey& service,
    const std::function<bool(const InstanceView&)>& visit) const {
  const auto it = impl_->services.find(service);
  if (it == impl_->services.end()) return false;
  return std::any_of(
      it->second.begin(), it->second.end(),
      [&](const Impl::InstanceRef& ref) { return visit(ref.View()); });
}

void State::ForEachMeshInstance(
    const NameKey& service,
    const std::function<void(const InstanceView&)>& visit) const {
  impl_->Visit(impl_->mesh, service, visit);
}

const Node* State::FindNode(const NameKey& node) const {
  auto it = impl_->nodes.find(node);
  if (it == impl_->nodes.end()) return nullptr;
  return it->second->View().node;
}

std::optional<NodeView> State::ViewNode(const NameKey& node) const {
  auto it = impl_->nodes.find(node);
  if (it == impl_->nodes.end()) return std::nullopt;
  return it->second->View();
}

std::optional<InstanceView> State::ViewInstance(const NameKey& node,
                                                const std::string& id) const {
  auto it = impl_->nodes.find(node);
  if (it == impl_->nodes.end()) return std::nullopt;
  const auto* slot = it->second->FindSlot(id);
  if (slot == nullptr) return std::nullopt;
  return it->second->View(*slot);
}

std::optional<CheckView> State::ViewCheck(const NameKey& node,
                                          const std::string& id) const {
  auto it = impl_->nodes.find(node);
  if (it == impl_->nodes.end()) return std::nullopt;
  for (const auto& source : it->second->said) {
    auto check = source->checks.find(id);
    if (check != source->checks.end()) return it->second->View(**check);
  }
  return std::nullopt;
}

void State::ForEachNode(
    const std::string& datacenter,
    const std::function<void(const NodeView&)>& visit) const {
  std::vector<const Impl::NodeRecord*> records;
  for (const auto& [key, record] : impl_->nodes) {
    if (key.first == datacenter) records.push_back(record.get());
  }
  std::sort(records.begin(), records.end(),
            [](const auto* a, const auto* b) { return a->key < b->key; });
  for (const auto* record : records) visit(record->View());
}

void State::ForEachService(
    const std::string& datacenter,
    const std::function<void(const std::string&, const std::set<std::string>&)>&
        visit) const {
  for (const auto& [key, refs] : impl_->services) {
    if (key.first != datacenter) continue;
    const std::string* name = nullptr;
    std::set<std::string> tags;
    for (const Impl::InstanceRef& ref : refs) {
      const ServiceInstance& instance = ref.slot->value;
      if (name == nullptr) name = &*instance.name;
      tags.insert(instance.tags.begin(), instance.tags.end());
    }
    visit(*name, tags);
  }
}

void State::ForEachInstanceOnNode(
    const NameKey& node,
    const std::function<void(const InstanceView&)>& visit) const {
  auto it = impl_->nodes.find(node);
  if (it == impl_->nodes.end()) return;
  const Impl::NodeRecord& record = *it->second;
  for (const auto* slot : record.Instances()) visit(record.View(*slot));
}

void State::ForEachCheckOnNode(
    const NameKey& node,
    const std::function<void(const CheckView&)>& visit) const {
  auto it = impl_->nodes.find(node);
  if (it == impl_->nodes.end()) return;
  for (const auto* slot : it->second->AllChecks()) {
    visit(it->second->View(*slot));
  }
}

void State::ForEachCheckOf(
    const InstanceView& instance,
    const std::function<void(const CheckView&)>& visit) const {
  const Impl::NodeRecord* record =
      impl_->Find({instance.node->datacenter, instance.node->name});
  if (record == nullptr) return;
  for (const absl::string_view judged :
       {absl::string_view(), absl::string_view(instance.instance->id)}) {
    for (const auto* slot : record->ChecksOf(judged)) {
      visit(record->View(*slot));
    }
  }
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

uint64_t State::index() const { return impl_->index; }

const ChangeIndex& State::changes() const { return impl_->changes; }

void State::RaiseIndex(uint64_t index) {
  impl_->index = std::max(impl_->index, index);
  impl_->changes.RaiseFloor(impl_->index);
}

std::vector<std::string> State::Datacenters() const {
  std::vector<std::string> names;
  for (const auto& [name, count] : impl_->datacenters) names.push_back(name);
  return names;
}

size_t State::node_count() const { return impl_->nodes.size(); }

size_t State::instance_count() const { return impl_->instance_count; }

}  // namespace dnsd
