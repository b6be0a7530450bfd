// What checks find: shown, kept, and acted upon.
#include <algorithm>
#include <utility>

#include "catalog/base/log.h"
#include "catalog/base/unix_time.h"
#include "catalog/registry/registry.h"

namespace dnsd {
namespace {

// How often outputs that wait are looked through.
constexpr uint64_t kOutputTickMs = 1'000;

}  // namespace

void Registry::OnReport(const CheckFinding& report) {
  const AgentCheck* check = agent_.FindCheck(report.check_id);
  if (check == nullptr) return;
  const bool is_other_status = check->check.status != report.status;
  if (!agent_.SetCheck(report.check_id, report.status, report.output)) return;
  changed_states_.insert(report.check_id);
  if (!keep_states_.active()) keep_states_.Start(kCheckStateMs);
  if (is_other_status || options_.check_update_ms == 0) {
    ShowCheck(report.check_id);
    return;
  }
  // An output alone wakes watchers for little: it may wait, as in Consul.
  waiting_outputs_.try_emplace(report.check_id,
                               uv_now(loop_->uv()) + options_.check_update_ms);
  if (!show_outputs_.active()) {
    show_outputs_.Start(kOutputTickMs, kOutputTickMs);
  }
}

void Registry::ShowCheck(const std::string& id) {
  waiting_outputs_.erase(id);
  const AgentCheck* check = agent_.FindCheck(id);
  if (check != nullptr) Emit({UpsertCheck{LocalKey(), check->check}});
}

void Registry::ShowWaitingOutputs() {
  const uint64_t now = uv_now(loop_->uv());
  Changes changes;
  for (auto it = waiting_outputs_.begin(); it != waiting_outputs_.end();) {
    if (it->second > now) {
      ++it;
      continue;
    }
    const AgentCheck* check = agent_.FindCheck(it->first);
    if (check != nullptr) {
      changes.push_back(UpsertCheck{LocalKey(), check->check});
    }
    it = waiting_outputs_.erase(it);
  }
  if (waiting_outputs_.empty()) show_outputs_.Stop();
  Emit(std::move(changes));
}

void Registry::KeepCheckStates() {
  Writes writes;
  for (const std::string& id : changed_states_) {
    const AgentCheck* check = agent_.FindCheck(id);
    if (check == nullptr) continue;
    writes.push_back({RecordKey({"agent", "state", id}),
                      EncodeCheckState({check->check.status, UnixMs(),
                                        check->check.output})});
  }
  changed_states_.clear();
  if (!writes.empty()) store_->Commit(std::move(writes), LogFailure());
}

Store::Done Registry::LogFailure() {
  return [](const absl::Status& status) {
    if (status.ok()) return;
    LogError("agent", "The store could not be written",
             {{"error", std::string(status.message())}});
  };
}

void Registry::OnReap(const std::string& service_id,
                      const std::string& check_id) {
  if (agent_.FindService(service_id) == nullptr) return;
  LogInfo("agent",
          "Check has been critical for too long; deregistering service",
          {{"service", service_id}, {"check", check_id}});
  DeregisterService(service_id, LogFailure());
}

void Registry::UpdateCheck(const std::string& id, HealthStatus status,
                           const std::string& output, Done done) {
  const absl::Status known = runner_->SetTtl(id, status, output);
  if (!known.ok()) return done(known);
  // An output that its owner sent is shown at once.
  if (waiting_outputs_.contains(id)) ShowCheck(id);
  options_.when_published([done] { done(absl::OkStatus()); });
}

// Without a node, as in Consul, by what the agent knows of itself: the
// server's own check is none of it.
AliasTarget Registry::LocalTargetOf(const std::string& service_id) const {
  AliasTarget target;
  target.exists =
      service_id.empty() || agent_.FindService(service_id) != nullptr;
  for (const auto& [id, known] : agent_.checks()) {
    const absl::string_view judged = known.check.service_id;
    if (judged.empty() || judged == service_id) {
      target.checks.push_back(known.check);
    }
  }
  return target;
}

AliasTarget Registry::TargetOf(const std::string& node,
                               const std::string& service_id) const {
  if (node.empty()) return LocalTargetOf(service_id);
  AliasTarget target;
  const NameKey key{definitions_.node.datacenter, AsciiLower(node)};
  target.exists = service_id.empty()
                      ? state_->FindNode(key) != nullptr
                      : state_->ViewInstance(key, service_id).has_value();
  state_->ForEachCheckOnNode(key, [&](const CheckView& view) {
    const absl::string_view judged = view.check->service_id;
    if (judged.empty() || judged == service_id) {
      target.checks.push_back(*view.check);
    }
  });
  return target;
}

}  // namespace dnsd
