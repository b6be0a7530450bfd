#include "zones/view_builder.h"

#include <algorithm>

#include "catalog/base/check.h"
#include "catalog/base/parallel.h"
#include "zones/catalog_zone.h"
#include "zones/entry_builder.h"
#include "zones/name.h"
#include "zones/record.h"

namespace dnsd {
namespace {

constexpr uint32_t kNegativeTtlRfc = 5;

// How many names a thread compiles at a time, and how many are held before
// they are put into their places.
constexpr size_t kPartNames = 64;
constexpr size_t kBatchNames = 8192;

// Datacenters beyond 255 get this index, under which nothing is found.
constexpr uint8_t kNoIndex = UINT8_MAX;

Domain MakeDomain(const std::string& text) {
  Domain domain;
  DNSD_CHECK(NameToWire(text, &domain.wire));
  for (size_t at = 0; domain.wire[at] != 0;) {
    at += 1u + static_cast<uint8_t>(domain.wire[at]);
    ++domain.label_count;
  }
  return domain;
}

// The policy as Consul holds it: names lower case.
ZonePolicy Normalised(ZonePolicy policy) {
  policy.domain = AsciiLower(policy.domain);
  policy.alt_domain = AsciiLower(policy.alt_domain);
  policy.datacenter = AsciiLower(policy.datacenter);
  return policy;
}

}  // namespace

ViewBuilder::ViewBuilder(uint64_t seed, Qsbr* qsbr)
    : seed_(seed), qsbr_(qsbr) {}

void ViewBuilder::SetPolicy(const ZonePolicy& policy) {
  ZonePolicy next = Normalised(policy);
  DNSD_CHECK(!has_compiled_ || next.datacenter == policy_.datacenter);
  policy_ = std::move(next);
  rebuild_ = true;
}

void ViewBuilder::SetDatacenters(std::vector<KnownDatacenter> datacenters) {
  known_.clear();
  for (const KnownDatacenter& datacenter : datacenters) {
    known_[AsciiLower(datacenter.name)] = datacenter.state;
  }
  known_.erase("");  // which stands for a free place
}

void ViewBuilder::SetZones(Zones zones) { zones_ = std::move(zones); }

void ViewBuilder::SetRights(AskerRights rights) {
  rights_ = std::move(rights);
  rebuild_ = true;
}

void ViewBuilder::FinishLine() {
  if (last_ != nullptr) last_->owns_table = true;
  last_ = nullptr;
}

uint8_t ViewBuilder::DatacenterIndex(const std::string& name) {
  auto it = std::find(datacenters_.begin(), datacenters_.end(), name);
  if (it != datacenters_.end()) {
    return static_cast<uint8_t>(it - datacenters_.begin());
  }
  // Indexes stay; a datacenter that is gone leaves its place to another.
  auto free = std::find(datacenters_.begin() + 1, datacenters_.end(), "");
  if (free != datacenters_.end()) {
    *free = name;
    return static_cast<uint8_t>(free - datacenters_.begin());
  }
  if (datacenters_.size() == kNoIndex) return kNoIndex;
  datacenters_.push_back(name);
  return static_cast<uint8_t>(datacenters_.size() - 1);
}

void ViewBuilder::UpdateDatacenters(const State& state) {
  if (datacenters_.empty() || datacenters_[0] != policy_.datacenter) {
    datacenters_.assign(1, policy_.datacenter);
  }
  for (const std::string& name : state.Datacenters()) DatacenterIndex(name);
  for (const auto& [name, is] : known_) DatacenterIndex(name);
}

// Gives up the places of datacenters that are gone: all their names are, by
// now, and no label equals the empty name that is left.
void ViewBuilder::PutDatacenters(const State& state, View* view) {
  std::vector<std::string> present = state.Datacenters();
  for (size_t i = 0; i < datacenters_.size(); ++i) {
    auto known = known_.find(datacenters_[i]);
    if (i > 0 && known == known_.end() &&
        std::find(present.begin(), present.end(), datacenters_[i]) ==
            present.end()) {
      datacenters_[i].clear();
    }
    DatacenterState is =
        known == known_.end() ? DatacenterState::kReady : known->second;
    view->datacenters.push_back(datacenters_[i]);
    view->datacenter_states.push_back(is);
    view->all_ready = view->all_ready && is == DatacenterState::kReady;
  }
}

void ViewBuilder::Replace(EntryKind kind, uint8_t dc, const std::string& key,
                          const Entry* entry) {
  has_compiled_ = has_compiled_ || entry != nullptr;
  if (dc == kNoIndex) {
    if (entry != nullptr) Entry::Free(entry);
    return;
  }
  // Others are compiled once in a Build().
  const bool may_come_again =
      kind == EntryKind::kNodeSuffix || kind >= EntryKind::kQuery;
  if (may_come_again) {
    std::string name{static_cast<char>(kind), static_cast<char>(dc)};
    name += key;
    auto [it, is_new] = edit_of_.emplace(name, edits_.size());
    if (!is_new) {
      CowMap<Entry>::Edit& edit = edits_[it->second];
      if (edit.new_item != nullptr) Entry::Free(edit.new_item);
      edit.new_item = entry;
      return;
    }
  }
  const Entry* old =
      last_ == nullptr ? nullptr : last_->Find(kind, dc, WireBytes(key));
  if (old == nullptr && entry == nullptr && !may_come_again) return;
  edits_.push_back({entry != nullptr
                        ? entry->hash
                        : EntryHash(seed_, kind, dc, WireBytes(key)),
                    old, entry});
}

// The first view is compiled by several threads, for nobody is answered before
// it is there; later ones beside those who answer. datacenter_index only looks
// then: UpdateDatacenters() placed all.
void ViewBuilder::InParts(
    const CompileContext& context, size_t count,
    const std::function<void(const CompileContext&, size_t, size_t)>& work) {
  if (last_ != nullptr) return work(context, 0, count);
  Parallel(UsefulThreads(), count, kPartNames, [&](size_t begin, size_t end) {
    EntryBuilder entry;
    CompileContext own = context;
    own.builder = &entry;
    work(own, begin, end);
  });
}

void ViewBuilder::CompileServices(const CompileContext& context,
                                  const std::set<NameKey>& services) {
  auto next = services.begin();
  while (next != services.end()) {
    std::vector<std::pair<const NameKey*, EntryPlace>> batch;
    for (; next != services.end() && batch.size() < kBatchNames; ++next) {
      batch.emplace_back(&*next, EntryPlace{DatacenterIndex(next->first),
                                            ServiceKey(next->second)});
    }
    std::vector<CompiledService> compiled(batch.size());
    InParts(context, batch.size(),
            [&](const CompileContext& own, size_t begin, size_t end) {
              std::vector<InstanceView> scratch;
              for (size_t i = begin; i < end; ++i) {
                compiled[i] = CompileServiceNames(own, *batch[i].first,
                                                  batch[i].second, &scratch);
              }
            });
    for (size_t i = 0; i < batch.size(); ++i) {
      PutService(*batch[i].first, batch[i].second, std::move(compiled[i]));
    }
  }
}

void ViewBuilder::PutService(const NameKey& key, const EntryPlace& place,
                             CompiledService service) {
  reverse_.SetService(key, std::move(service.claims));
  if (place.key.empty()) return;
  for (size_t i = 0; i < service.entries.size(); ++i) {
    Replace(CompiledService::kKinds[i], place.datacenter, place.key,
            service.entries[i]);
  }
}

// Names above a dotted node name are empty non-terminals.
void ViewBuilder::CountSuffixes(const std::string& labels, uint8_t dc,
                                NodeTraces* traces) {
  size_t at = 1u + static_cast<uint8_t>(labels[0]);
  while (at < labels.size()) {
    std::string suffix = labels.substr(at);
    if (++suffix_counts_[{dc, suffix}] == 1) {
      entry_.Clear();
      Replace(EntryKind::kNodeSuffix, dc, suffix,
              entry_.Finish(EntryKind::kNodeSuffix, dc, suffix,
                            EntryHash(seed_, EntryKind::kNodeSuffix, dc,
                                      WireBytes(suffix))));
    }
    at += 1u + static_cast<uint8_t>(suffix[0]);
    traces->suffixes.push_back(std::move(suffix));
  }
}

void ViewBuilder::DropNodeTraces(uint8_t dc, const NameKey& key) {
  auto it = node_traces_.find(key);
  if (it == node_traces_.end()) return;
  NodeTraces& traces = it->second;
  if (!traces.id.second.empty()) {
    std::set<NameKey>& nodes = nodes_of_id_[traces.id];
    nodes.erase(key);
    if (nodes.empty()) nodes_of_id_.erase(traces.id);
    dirty_node_names_.insert(traces.id);
  }
  if (traces.address) reverse_.RemoveNode(*traces.address, key.second);
  for (const std::string& suffix : traces.suffixes) {
    if (--suffix_counts_[{dc, suffix}] == 0) {
      suffix_counts_.erase({dc, suffix});
      Replace(EntryKind::kNodeSuffix, dc, suffix, nullptr);
    }
  }
  node_traces_.erase(it);
}

void ViewBuilder::TraceNode(const CompileContext& context, const NameKey& key) {
  uint8_t dc = DatacenterIndex(key.first);
  DropNodeTraces(dc, key);
  dirty_node_names_.insert(key);
  std::string labels;
  const Node* node = context.state.FindNode(key);
  if (node == nullptr || !LabelsToWire(key.second, &labels)) return;
  if (!MayReadNode(rights_.asker.get(), node->name)) return;
  NodeTraces traces;
  CountSuffixes(labels, dc, &traces);
  if (!node->id.empty()) {
    traces.id = {key.first, AsciiLower(node->id)};
    nodes_of_id_[traces.id].insert(key);
    dirty_node_names_.insert(traces.id);
  }
  ParsedAddress address = ParseAddress(node->address);
  if (address.is_ip() && key.first == policy_.datacenter) {
    traces.address = ToAddressKey(address);
    std::string name;
    (void)LabelsToWire(node->name, &name);
    reverse_.AddNode(*traces.address, key.second,
                     name + Label("node") + Label(node->datacenter));
  }
  node_traces_[key] = std::move(traces);
}

// A node answers to its name and to its id; a name is stronger than an id.
void ViewBuilder::CompileNodeNames(const CompileContext& context) {
  for (const NameKey& key : dirty_node_names_) {
    std::string labels;
    if (!LabelsToWire(key.second, &labels)) continue;
    const Node* node = context.state.FindNode(key);
    auto id = nodes_of_id_.find(key);
    if (node == nullptr && id != nodes_of_id_.end()) {
      node = context.state.FindNode(*id->second.begin());
    }
    if (node != nullptr && !MayReadNode(rights_.asker.get(), node->name)) {
      node = nullptr;
    }
    Replace(EntryKind::kNode, DatacenterIndex(key.first), labels,
            node == nullptr ? nullptr : CompileNode(context, *node, labels));
  }
  dirty_node_names_.clear();
}

void ViewBuilder::CompileReverseNames(const CompileContext& context) {
  const std::vector<ReverseNames::Claim> claims = reverse_.TakeChanged();
  std::vector<const Entry*> entries(claims.size());
  InParts(context, claims.size(),
          [&](const CompileContext& own, size_t begin, size_t end) {
            for (size_t i = begin; i < end; ++i) {
              if (claims[i].target == nullptr) continue;
              entries[i] = CompileReverse(own, AddressBytes(claims[i].address),
                                          *claims[i].target);
            }
          });
  for (size_t i = 0; i < claims.size(); ++i) {
    Replace(EntryKind::kReverse, 0, AddressBytes(claims[i].address),
            entries[i]);
  }
}

bool ViewBuilder::AskQuery(uint8_t datacenter,
                           std::span<const uint8_t> labels) {
  return datacenter < datacenters_.size() &&
         queries_.Ask(datacenters_[datacenter], labels);
}

void ViewBuilder::CompileQueries(const CompileContext& context,
                                 const Dirty& dirty, View* view) {
  std::vector<std::string> present = context.state.Datacenters();
  std::set<std::string> placed(present.begin(), present.end());
  placed.insert(policy_.datacenter);
  for (const auto& [name, is] : known_) placed.insert(name);
  queries_.Compile(
      context, dirty, placed, rebuild_,
      [this](EntryKind kind, const EntryPlace& place, const Entry* entry) {
        Replace(kind, place.datacenter, place.key, entry);
      });
  view->query_templates = queries_.templates();
}

// A view with everything but its table and datacenters.
std::unique_ptr<View> ViewBuilder::StartView(uint32_t serial) const {
  auto view = std::make_unique<View>();
  view->policy = policy_;
  view->serial = serial;
  view->negative_ttl = policy_.soa.min_ttl.value_or(
      policy_.compat == Compat::kRfc ? kNegativeTtlRfc : 0);
  view->seed = seed_;
  view->domains.push_back(MakeDomain(policy_.domain));
  if (!policy_.alt_domain.empty()) {
    Domain alt = MakeDomain(policy_.alt_domain);
    bool longer = alt.label_count > view->domains[0].label_count;
    view->domains.insert(longer ? view->domains.begin() : view->domains.end(),
                         alt);
    view->primary_domain = longer ? 1 : 0;
  }
  view->wants_asked_names = wants_asked_names_;
  view->zones = zones_;
  for (const auto& zone : zones_) view->zone_by_apex[zone->apex] = zone.get();
  return view;
}

std::unique_ptr<View> ViewBuilder::Build(const State& state, const Dirty& dirty,
                                         uint32_t serial) {
  UpdateDatacenters(state);
  std::unique_ptr<View> view = StartView(serial);
  CompileContext context{state,
                         policy_,
                         seed_,
                         [this](const std::string& name) {
                           return DatacenterIndex(name); },
                         &entry_,
                         rights_};
  Dirty todo = rebuild_ ? state.Everything() : dirty;
  if (rebuild_) {
    // Everything is compiled anew; what is no more stays dirty by `dirty`.
    todo.Merge(dirty);
    for (const auto& [key, traces] : node_traces_) todo.nodes.insert(key);
    reverse_.ForEachService(
        [&](const NameKey& key) { todo.services.insert(key); });
    reverse_.TellAll();
  }
  bool servers = rebuild_;
  for (const NameKey& key : todo.nodes) {
    TraceNode(context, key);
    servers = servers || key.second == AsciiLower(policy_.node_name);
  }
  CompileServices(context, todo.services);
  servers = servers || todo.services.contains({policy_.datacenter, "consul"});
  CompileNodeNames(context);
  CompileReverseNames(context);
  CompileQueries(context, todo, view.get());
  if (servers) {
    Replace(EntryKind::kServers, 0, "", CompileServers(context));
  }

  std::erase_if(edits_, [](const auto& edit) {
    return edit.old_item == nullptr && edit.new_item == nullptr;
  });
  for (const auto& edit : edits_) {
    if (edit.old_item != nullptr) content_ -= ZoneContent(*edit.old_item);
    if (edit.new_item != nullptr) content_ += ZoneContent(*edit.new_item);
  }
  view->content = content_ + ZoneContent(policy_, view->negative_ttl);
  static const CowMap<Entry> kEmpty;
  view->table = (last_ == nullptr ? kEmpty : last_->table).Apply(edits_, qsbr_);
  PutDatacenters(state, view.get());
  edits_.clear();
  edit_of_.clear();
  rebuild_ = false;
  last_ = view.get();
  return view;
}

std::unique_ptr<const View> BuildView(const State& state,
                                      const ZonePolicy& policy,
                                      ViewBuilder::Zones zones,
                                      uint32_t serial) {
  Qsbr qsbr;
  ViewBuilder builder(0x5eed, &qsbr);
  builder.SetPolicy(policy);
  builder.SetZones(std::move(zones));
  std::unique_ptr<View> view = builder.Build(state, {}, serial);
  builder.FinishLine();
  return view;
}

}  // namespace dnsd
