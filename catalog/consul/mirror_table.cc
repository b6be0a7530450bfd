#include "catalog/consul/mirror_table.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

uint64_t NewestIn(const std::vector<NodeReport>& nodes) {
  uint64_t newest = 0;
  for (const NodeReport& node : nodes) {
    newest = std::max(newest, node.modify_index);
    for (const InstanceReport& report : node.instances) {
      newest = std::max(newest, report.modify_index);
    }
    for (const CheckReport& report : node.checks) {
      newest = std::max(newest, report.modify_index);
    }
  }
  return newest;
}

}  // namespace

std::string MirrorTable::WithdrawnKey(const Node& node, Kind kind,
                                      const std::string& id) {
  return absl::StrCat(AsciiLower(node.name),
                      std::string{'\0', static_cast<char>(kind)}, id);
}

MirrorTable::MirrorTable(std::string datacenter)
    : datacenter_(std::move(datacenter)) {}

NodeKey MirrorTable::KeyOf(const Row& row) const {
  return {datacenter_, row.node->name};
}

MirrorTable::Row* MirrorTable::Find(const std::string& node) const {
  auto it = rows_.find(AsciiLower(node));
  return it == rows_.end() ? nullptr : it->second.get();
}

MirrorTable::Row* MirrorTable::PutNode(const NodeReport& report, const Age& age,
                                       Changes* changes) {
  newest_ = std::max(newest_, report.modify_index);
  const std::string name = AsciiLower(report.node.name);
  if (!age.reset && age.index < nodes_index_ && !rows_.contains(name)) {
    return nullptr;
  }
  std::unique_ptr<Row>& row = rows_[name];
  // An answer that does not say how old a node is, is as old as the node.
  const uint64_t modify_index =
      report.modify_index != 0 ? report.modify_index : age.index;
  if (row == nullptr) {
    row = std::make_unique<Row>();
  } else if (!age.reset && modify_index < row->modify_index) {
    return row.get();
  } else {
    row->modify_index = modify_index;
    if (*row->node == report.node) return row.get();
  }
  row->modify_index = modify_index;
  row->node = std::make_shared<const Node>(report.node);
  changes->push_back(UpsertNode{report.node});
  return row.get();
}

void MirrorTable::EmitInstance(const Row& row, const ServiceInstance& instance,
                               Changes* changes) const {
  UpsertInstance upsert{KeyOf(row), instance};
  if (IsGateway(instance.kind)) {
    auto it = gateways_.find(AsciiLower(instance.name));
    if (it != gateways_.end()) {
      upsert.instance.mesh.Edit().gateway_services = it->second;
    }
  }
  changes->push_back(std::move(upsert));
}

void MirrorTable::PutInstance(Row* row, const InstanceReport& report,
                              const Age& age, Changes* changes) {
  newest_ = std::max(newest_, report.modify_index);
  const std::string id = report.instance.id;
  if (!row->instances.contains(id) &&
      IsOvertaken(*row, Kind::kInstance, id, report.modify_index, age)) {
    return;
  }
  std::shared_ptr<const InstanceReport>& slot = row->instances[id];
  if (slot != nullptr) {
    if (!age.reset && report.modify_index < slot->modify_index) return;
    if (slot->instance == report.instance) {
      if (slot->modify_index != report.modify_index) {
        slot = std::make_shared<const InstanceReport>(report);
      }
      return;
    }
    const std::string before = AsciiLower(slot->instance.name);
    auto refs = services_.find(before);
    refs->second.erase({row, id});
    if (refs->second.empty()) services_.erase(refs);
  } else {
    ++instance_count_;
  }
  slot = std::make_shared<const InstanceReport>(report);
  services_[AsciiLower(report.instance.name)].insert({row, id});
  EmitInstance(*row, report.instance, changes);
}

void MirrorTable::PutCheck(Row* row, const CheckReport& report, const Age& age,
                           Changes* changes) {
  newest_ = std::max(newest_, report.modify_index);
  const std::string id = report.check.id;
  // A check of an instance that is not known yet comes with that.
  const std::string service_id = report.check.service_id;
  if (!service_id.empty() && !row->instances.contains(service_id)) return;
  if (!row->checks.contains(id) &&
      IsOvertaken(*row, Kind::kCheck, id, report.modify_index, age)) {
    return;
  }
  std::shared_ptr<const CheckReport>& slot = row->checks[id];
  if (slot != nullptr) {
    if (!age.reset && report.modify_index < slot->modify_index) return;
    if (slot->check == report.check) {
      if (slot->modify_index != report.modify_index) {
        slot = std::make_shared<const CheckReport>(report);
      }
      return;
    }
  } else {
    ++check_count_;
  }
  slot = std::make_shared<const CheckReport>(report);
  const Ref ref{row, id};
  if (report.check.status == HealthStatus::kPassing) {
    not_passing_.erase(ref);
  } else {
    not_passing_.insert(ref);
  }
  changes->push_back(UpsertCheck{KeyOf(*row), report.check});
}

bool MirrorTable::IsOvertaken(const Row& row, Kind kind, const std::string& id,
                              uint64_t modify_index, const Age& age) const {
  return !age.reset && !withdrawn_.empty() &&
         withdrawn_.Has(WithdrawnKey(*row.node, kind, id), modify_index,
                        age.index);
}

void MirrorTable::RemoveCheckOf(Row* row, const std::string& id, const Age& age,
                                Changes* changes) {
  withdrawn_.Add(WithdrawnKey(*row->node, Kind::kCheck, id),
                 row->checks.at(id)->modify_index, age.index);
  changes->push_back(RemoveCheck{KeyOf(*row), id});
  not_passing_.erase({row, id});
  row->checks.erase(id);
  --check_count_;
}

void MirrorTable::RemoveInstanceOf(Row* row, const std::string& id,
                                   const Age& age, Changes* changes) {
  auto it = row->instances.find(id);
  withdrawn_.Add(WithdrawnKey(*row->node, Kind::kInstance, id),
                 it->second->modify_index, age.index);
  auto refs = services_.find(AsciiLower(it->second->instance.name));
  refs->second.erase({row, id});
  if (refs->second.empty()) services_.erase(refs);
  changes->push_back(RemoveInstance{KeyOf(*row), id});
  row->instances.erase(it);
  --instance_count_;
  // Its checks go with it, in the catalog too.
  for (auto check = row->checks.begin(); check != row->checks.end();) {
    if (check->second->check.service_id == id) {
      not_passing_.erase({row, check->first});
      check = row->checks.erase(check);
      --check_count_;
    } else {
      ++check;
    }
  }
}

void MirrorTable::RemoveRow(Row* row, Changes* changes) {
  changes->push_back(RemoveNode{KeyOf(*row)});
  for (const auto& [id, report] : row->instances) {
    auto refs = services_.find(AsciiLower(report->instance.name));
    refs->second.erase({row, id});
    if (refs->second.empty()) services_.erase(refs);
  }
  for (const auto& [id, report] : row->checks) not_passing_.erase({row, id});
  instance_count_ -= row->instances.size();
  check_count_ -= row->checks.size();
  const std::string name = AsciiLower(row->node->name);
  rows_.erase(name);
}

void MirrorTable::SweepChecks(
    Row* row, const std::set<std::string>& seen, const Age& age,
    Changes* changes, absl::FunctionRef<bool(const CheckReport&)> concerns) {
  std::vector<std::string> gone;
  for (const auto& [id, report] : row->checks) {
    if (!seen.contains(id) && age.MayRemove(report->modify_index) &&
        concerns(*report)) {
      gone.push_back(id);
    }
  }
  for (const std::string& id : gone) RemoveCheckOf(row, id, age, changes);
}

// Takes out what a report of all of a node lacks.
void MirrorTable::SweepRow(Row* row, const NodeReport& report, const Age& age,
                           Changes* changes) {
  std::set<std::string> seen;
  for (const CheckReport& check : report.checks) seen.insert(check.check.id);
  SweepChecks(row, seen, age, changes, [](const CheckReport&) { return true; });
  seen.clear();
  for (const InstanceReport& instance : report.instances) {
    seen.insert(instance.instance.id);
  }
  std::vector<std::string> gone;
  for (const auto& [id, instance] : row->instances) {
    if (!seen.contains(id) && age.MayRemove(instance->modify_index)) {
      gone.push_back(id);
    }
  }
  for (const std::string& id : gone) RemoveInstanceOf(row, id, age, changes);
}

uint64_t MirrorTable::ApplyAll(uint64_t index,
                               const std::vector<NodeReport>& nodes, bool reset,
                               Changes* changes) {
  newest_ = std::max(reset ? 0 : newest_, NewestIn(nodes));
  index = std::min(index, newest_);
  const Age age{index, reset};
  if (reset) withdrawn_.Clear();
  std::set<const Row*> seen;
  for (const NodeReport& report : nodes) {
    Row* row = PutNode(report, age, changes);
    if (row == nullptr) continue;
    seen.insert(row);
    for (const InstanceReport& instance : report.instances) {
      PutInstance(row, instance, age, changes);
    }
    for (const CheckReport& check : report.checks) {
      PutCheck(row, check, age, changes);
    }
    SweepRow(row, report, age, changes);
  }
  std::vector<Row*> gone;
  for (const auto& [name, row] : rows_) {
    if (seen.contains(row.get())) continue;
    SweepRow(row.get(), NodeReport(), age, changes);
    if (row->instances.empty() && age.MayRemove(row->modify_index)) {
      gone.push_back(row.get());
    }
  }
  for (Row* row : gone) RemoveRow(row, changes);
  nodes_index_ = reset ? index : std::max(nodes_index_, index);
  return index;
}

void MirrorTable::AddKnown(const std::string& name,
                           std::vector<NodeReport>* nodes) const {
  auto refs = services_.find(AsciiLower(name));
  if (refs == services_.end()) return;
  for (const auto& [row, id] : refs->second) {
    for (NodeReport& node : *nodes) {
      if (AsciiLower(node.node.name) != AsciiLower(row->node->name)) continue;
      node.instances.push_back(*row->instances.at(id));
      for (const auto& [check_id, check] : row->checks) {
        if (check->check.service_id == id) node.checks.push_back(*check);
      }
    }
  }
}

void MirrorTable::ApplyService(const std::string& name, uint64_t index,
                               const std::vector<NodeReport>& entries,
                               Changes* changes) {
  PutService(name, entries, {index, false}, changes);
}

void MirrorTable::PutService(const std::string& name,
                             const std::vector<NodeReport>& entries,
                             const Age& age, Changes* changes) {
  std::set<Ref> seen;
  for (const NodeReport& entry : entries) {
    Row* row = PutNode(entry, age, changes);
    if (row == nullptr) continue;
    std::set<std::string> instances;
    for (const InstanceReport& instance : entry.instances) {
      PutInstance(row, instance, age, changes);
      seen.insert({row, instance.instance.id});
      instances.insert(instance.instance.id);
    }
    std::set<std::string> checks;
    for (const CheckReport& check : entry.checks) {
      PutCheck(row, check, age, changes);
      checks.insert(check.check.id);
    }
    // Another entry of this node has other instances, and their checks.
    SweepChecks(row, checks, age, changes, [&](const CheckReport& report) {
      const std::string id = report.check.service_id;
      return id.empty() || instances.contains(id);
    });
  }
  auto refs = services_.find(AsciiLower(name));
  if (refs == services_.end()) return;
  std::vector<Ref> gone;
  for (const Ref& ref : refs->second) {
    const auto& instance = ref.first->instances.at(ref.second);
    if (!seen.contains(ref) && age.MayRemove(instance->modify_index)) {
      gone.push_back(ref);
    }
  }
  for (const Ref& ref : gone)
    RemoveInstanceOf(ref.first, ref.second, age, changes);
}

void MirrorTable::ApplyDelta(const DeltaReport& delta, Changes* changes) {
  const Age age{delta.index, /*reset=*/true};
  for (const NodeReport& report : delta.nodes) {
    Row* row = PutNode(report, age, changes);
    std::set<std::string> seen;
    for (const CheckReport& check : report.checks) {
      PutCheck(row, check, age, changes);
      seen.insert(check.check.id);
    }
    SweepChecks(row, seen, age, changes, [](const CheckReport& check) {
      return check.check.service_id.empty();
    });
  }
  for (const auto& [name, entries] : delta.services) {
    PutService(name, entries, age, changes);
  }
  for (const std::string& name : delta.gone) {
    PutService(name, {}, age, changes);
  }
  for (const std::string& name : delta.gone_nodes) {
    if (Row* row = Find(name)) RemoveRow(row, changes);
  }
}

void MirrorTable::ApplyNodes(uint64_t index,
                             const std::vector<NodeReport>& nodes,
                             Changes* changes) {
  const Age age{index, false};
  std::set<const Row*> seen;
  for (const NodeReport& report : nodes) {
    seen.insert(PutNode(report, age, changes));
  }
  std::vector<Row*> gone;
  for (const auto& [name, row] : rows_) {
    if (!seen.contains(row.get()) && age.MayRemove(row->modify_index)) {
      gone.push_back(row.get());
    }
  }
  for (Row* row : gone) RemoveRow(row, changes);
  nodes_index_ = std::max(nodes_index_, index);
}

void MirrorTable::ApplyNodeChecks(const std::string& node, uint64_t index,
                                  const std::vector<CheckReport>& checks,
                                  Changes* changes) {
  Row* row = Find(node);
  if (row == nullptr) return;
  const Age age{index, false};
  std::set<std::string> seen;
  for (const CheckReport& check : checks) {
    seen.insert(check.check.id);
    PutCheck(row, check, age, changes);
  }
  SweepChecks(row, seen, age, changes, [](const CheckReport&) { return true; });
}

void MirrorTable::ApplyState(HealthStatus status, uint64_t index,
                             const std::vector<CheckReport>& checks,
                             Changes* changes, Unknown* unknown) {
  const Age age{index, false};
  std::set<Ref> seen;
  for (const CheckReport& report : checks) {
    Row* row = Find(report.node);
    const std::string id = report.check.service_id;
    if (row == nullptr || (!id.empty() && !row->instances.contains(id))) {
      if (!report.service_name.empty()) {
        unknown->services.insert(report.service_name);
      }
      continue;
    }
    PutCheck(row, report, age, changes);
    seen.insert({row, report.check.id});
  }
  for (const Ref& ref : not_passing_) {
    const CheckReport& report = *ref.first->checks.at(ref.second);
    if (report.check.status != status || seen.contains(ref) ||
        !age.MayRemove(report.modify_index)) {
      continue;
    }
    auto instance = ref.first->instances.find(report.check.service_id);
    if (instance == ref.first->instances.end()) {
      unknown->nodes.insert(ref.first->node->name);
    } else {
      unknown->unsettled.insert(instance->second->instance.name);
    }
  }
}

std::set<std::string> MirrorTable::FindChanged(
    uint64_t index, const std::vector<CheckReport>& checks) const {
  std::set<std::string> changed;
  absl::flat_hash_set<const CheckReport*> seen;
  seen.reserve(checks.size());
  for (const CheckReport& report : checks) {
    const Row* row = Find(report.node);
    if (row != nullptr) {
      const auto known = row->checks.find(report.check.id);
      if (known != row->checks.end() &&
          known->second->check.service_id == report.check.service_id) {
        seen.insert(known->second.get());
        continue;
      }
    }
    if (!report.service_name.empty()) {
      changed.insert(AsciiLower(report.service_name));
    }
  }
  const Age age{index, false};
  for (const auto& [name, row] : rows_) {
    for (const auto& [id, known] : row->checks) {
      if (seen.contains(known.get()) || !age.MayRemove(known->modify_index)) {
        continue;
      }
      const auto instance = row->instances.find(known->check.service_id);
      if (instance == row->instances.end()) continue;
      changed.insert(AsciiLower(instance->second->instance.name));
    }
  }
  return changed;
}

void MirrorTable::ApplyGateway(const std::string& name,
                               const std::vector<std::string>& services,
                               Changes* changes) {
  const std::string key = AsciiLower(name);
  auto it = gateways_.find(key);
  if (it == gateways_.end() ? services.empty() : it->second == services) return;
  if (services.empty()) {
    gateways_.erase(it);
  } else {
    gateways_[key] = services;
  }
  auto refs = services_.find(key);
  if (refs == services_.end()) return;
  for (const auto& [row, id] : refs->second) {
    EmitInstance(*row, row->instances.at(id)->instance, changes);
  }
}

void MirrorTable::ApplyQueries(const std::vector<PreparedQuery>& queries,
                               Changes* changes) {
  std::set<std::string> seen;
  for (const PreparedQuery& query : queries) {
    seen.insert(query.id);
    auto [it, is_new] = queries_.try_emplace(query.id, query);
    if (!is_new && it->second == query) continue;
    it->second = query;
    changes->push_back(UpsertQuery{datacenter_, query});
  }
  for (auto it = queries_.begin(); it != queries_.end();) {
    if (seen.contains(it->first)) {
      ++it;
      continue;
    }
    changes->push_back(RemoveQuery{datacenter_, it->first});
    it = queries_.erase(it);
  }
}

void MirrorTable::Clear(Changes* changes) {
  ApplyAll(0, {}, /*reset=*/true, changes);
  ApplyQueries({}, changes);
  gateways_.clear();
}

}  // namespace dnsd
