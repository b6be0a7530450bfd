#include "catalog/registry/checks/check_runner.h"

#include <algorithm>
#include <deque>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/log.h"
#include "catalog/registry/checks/check_entry.h"
#include "catalog/registry/checks/check_schedule.h"
#include "catalog/registry/checks/go_text.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

int64_t NowMs() { return static_cast<int64_t>(uv_hrtime() / 1'000'000); }

int64_t ToMs(std::chrono::nanoseconds duration) {
  return std::chrono::ceil<std::chrono::milliseconds>(duration).count();
}

uint64_t Seed(uint64_t wanted) {
  if (wanted != 0) return wanted;
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace

struct CheckRunner::Impl {
  struct Finished {
    uint64_t serial;
    uint64_t run;
    ProbeResult result;
  };

  Impl(EventLoop* its_loop, CheckRunnerOptions its_options, Hooks its_hooks)
      : options(std::move(its_options)),
        hooks(std::move(its_hooks)),
        random(Seed(options.seed)),
        tools(its_loop, options.probes,
              {.connections_max = options.probes_max,
               .processes_max = options.processes_max}),
        next_reap_ms(NowMs() + options.reap_interval.count()),
        timer(its_loop, [this] { OnTimer(); }),
        wake(its_loop, [this] { Deliver(); }) {
    Arm();
  }

  absl::Status Add(CheckDefinition definition, const CheckStart& start);
  void Schedule(CheckEntry* entry, const CheckStart& start);
  void Remove(const std::string& check_id);
  absl::Status SetTtl(const std::string& check_id, HealthStatus status,
                      absl::string_view output);
  void CatalogChanged(absl::string_view node, absl::string_view service_id);

  void OnTimer();
  void OnDue(uint64_t key, int64_t due_ms);
  void OnRunDue(CheckEntry* entry, int64_t due_ms);
  void OnTimeout(CheckEntry* entry);
  void Reap();
  void Arm();

  [[nodiscard]] bool HasRoom(CheckKind kind) const;
  void Start(CheckEntry* entry);
  void StartWaiting(std::deque<uint64_t>* queue, bool are_programs);
  void EndRun(CheckEntry* entry);
  void Deliver();
  void TakeResult(CheckEntry* entry, ProbeResult result);
  void Report(CheckEntry* entry, HealthStatus status, std::string output);
  void LookAtAlias(CheckEntry* entry);

  [[nodiscard]] CheckEntry* Find(uint64_t serial) const;
  [[nodiscard]] std::pair<std::string, std::string> AliasKey(
      const CheckDefinition& check) const;

  const CheckRunnerOptions options;
  const Hooks hooks;
  std::mt19937_64 random;
  CheckRunnerStats counts;
  ProbeTools tools;  // outlives the entries' probes
  CheckSchedule schedule;
  uint64_t last_serial = 0;
  absl::flat_hash_map<std::string, std::unique_ptr<CheckEntry>> entries;
  absl::flat_hash_map<uint64_t, CheckEntry*> by_serial;
  // Node and instance, the node without case -> alias checks.
  std::set<std::tuple<std::string, std::string, uint64_t>> aliases;
  std::set<uint64_t> dirty_aliases;
  std::deque<uint64_t> waiting;           // serials
  std::deque<uint64_t> waiting_programs;  // serials
  size_t running_programs = 0;
  std::vector<Finished> finished;
  int64_t next_reap_ms;
  Timer timer;
  Timer wake;  // at once: Deliver()
};

absl::Status CheckRunner::Impl::Add(CheckDefinition definition,
                                    const CheckStart& start) {
  const absl::Status status = PrepareCheck(options, start.origin, &definition);
  if (!status.ok()) return status;
  const auto found = entries.find(definition.id);
  if (found != entries.end() &&
      IsSameRun(*found->second->definition, definition)) {
    found->second->definition =
        std::make_shared<const CheckDefinition>(std::move(definition));
    return absl::OkStatus();
  }
  Remove(definition.id);
  auto entry = std::make_unique<CheckEntry>();
  entry->serial = ++last_serial;
  entry->kind = KindOf(definition);
  entry->thresholds = StatusThresholds(
      {.success_before_passing = definition.success_before_passing,
       .failures_before_warning = definition.failures_before_warning,
       .failures_before_critical = definition.failures_before_critical});
  entry->definition =
      std::make_shared<const CheckDefinition>(std::move(definition));
  Schedule(entry.get(), start);
  by_serial[entry->serial] = entry.get();
  entries[entry->definition->id] = std::move(entry);
  Arm();
  return absl::OkStatus();
}

void CheckRunner::Impl::Schedule(CheckEntry* entry, const CheckStart& start) {
  const CheckDefinition& check = *entry->definition;
  const int64_t now_ms = NowMs();
  switch (entry->kind) {
    case CheckKind::kTtl:
      entry->interval_ms = ToMs(check.ttl);
      entry->ttl_output = start.output;
      entry->due_ms = now_ms + std::clamp<int64_t>(start.ttl_left.has_value()
                                                       ? start.ttl_left->count()
                                                       : entry->interval_ms,
                                                   0, entry->interval_ms);
      break;
    case CheckKind::kAlias: {
      entry->interval_ms = options.alias_interval.count();
      entry->due_ms = now_ms + entry->interval_ms;
      const auto [node, service_id] = AliasKey(check);
      aliases.emplace(node, service_id, entry->serial);
      dirty_aliases.insert(entry->serial);
      wake.Start(0);
      break;
    }
    default:
      entry->interval_ms = ToMs(check.interval);
      entry->due_ms = now_ms + std::uniform_int_distribution<int64_t>(
                                   0, entry->interval_ms - 1)(random);
      break;
  }
  schedule.Set(entry->DueKey(), entry->due_ms);
}

void CheckRunner::Impl::Remove(const std::string& check_id) {
  const auto found = entries.find(check_id);
  if (found == entries.end()) return;
  const std::unique_ptr<CheckEntry> entry = std::move(found->second);
  entries.erase(found);
  by_serial.erase(entry->serial);
  schedule.Erase(entry->DueKey());
  if (entry->kind == CheckKind::kAlias) {
    const auto [node, service_id] = AliasKey(*entry->definition);
    aliases.erase({node, service_id, entry->serial});
    dirty_aliases.erase(entry->serial);
  }
  if (entry->is_waiting) --counts.waiting;
  if (entry->probe != nullptr) {
    EndRun(entry.get());
    wake.Start(0);  // there is room for another
  }
}

std::pair<std::string, std::string> CheckRunner::Impl::AliasKey(
    const CheckDefinition& check) const {
  return {AsciiLower(check.alias_node.empty() ? options.node_name
                                              : check.alias_node),
          check.alias_service};
}

absl::Status CheckRunner::Impl::SetTtl(const std::string& check_id,
                                       HealthStatus status,
                                       absl::string_view output) {
  const auto found = entries.find(check_id);
  if (found == entries.end() || found->second->kind != CheckKind::kTtl) {
    return absl::NotFoundError(absl::StrCat("CheckID ", GoQuoted(check_id),
                                            " does not have associated TTL"));
  }
  CheckEntry* const entry = found->second.get();
  const auto bytes_max =
      static_cast<size_t>(entry->definition->output_max_size);
  std::string text(output.substr(0, bytes_max));
  if (output.size() > bytes_max) {
    absl::StrAppend(&text, " ... (captured ", bytes_max, " of ", output.size(),
                    " bytes)");
  }
  entry->ttl_output = text;
  entry->due_ms = NowMs() + entry->interval_ms;
  schedule.Set(entry->DueKey(), entry->due_ms);
  Arm();
  Report(entry, status, std::move(text));
  return absl::OkStatus();
}

void CheckRunner::Impl::CatalogChanged(absl::string_view node,
                                       absl::string_view service_id) {
  const std::string key = AsciiLower(std::string(node));
  const std::string service(service_id);
  // The node's own checks count for all of its instances.
  auto alias = aliases.lower_bound({key, service, 0});
  bool any = false;
  for (; alias != aliases.end() && std::get<0>(*alias) == key &&
         (service.empty() || std::get<1>(*alias) == service);
       ++alias) {
    dirty_aliases.insert(std::get<2>(*alias));
    any = true;
  }
  if (any) wake.Start(0);
}

CheckEntry* CheckRunner::Impl::Find(uint64_t serial) const {
  const auto found = by_serial.find(serial);
  return found == by_serial.end() ? nullptr : found->second;
}

// --- time ---

void CheckRunner::Impl::OnTimer() {
  Deliver();
  const int64_t now_ms = NowMs();
  for (size_t i = 0; i < options.starts_of_turn_max; ++i) {
    const auto due = schedule.TakeDue(now_ms);
    if (!due.has_value()) break;
    OnDue(due->first, due->second);
  }
  if (now_ms >= next_reap_ms) Reap();
  Arm();
}

void CheckRunner::Impl::OnDue(uint64_t key, int64_t due_ms) {
  CheckEntry* const entry = Find(key / 2);
  if (entry == nullptr) return;
  if (key == entry->TimeoutKey()) {
    OnTimeout(entry);
    return;
  }
  switch (entry->kind) {
    case CheckKind::kTtl:
      LogWarn("agent", "Check missed TTL, is now critical",
              {{"check", entry->definition->id}});
      Report(entry, HealthStatus::kCritical,
             entry->ttl_output.empty()
                 ? "TTL expired"
                 : absl::StrCat("TTL expired (last output before timeout "
                                "follows): ",
                                entry->ttl_output));
      break;
    case CheckKind::kAlias:
      entry->due_ms = NowMs() + entry->interval_ms;
      schedule.Set(entry->DueKey(), entry->due_ms);
      LookAtAlias(entry);
      break;
    default:
      OnRunDue(entry, due_ms);
  }
}

void CheckRunner::Impl::OnRunDue(CheckEntry* entry, int64_t due_ms) {
  const NextRun next = PlanNext(due_ms, entry->interval_ms, NowMs());
  entry->due_ms = next.due_ms;
  schedule.Set(entry->DueKey(), entry->due_ms);
  counts.skipped += static_cast<uint64_t>(next.skipped);
  if (entry->probe != nullptr || entry->is_waiting) {
    ++counts.skipped;
    return;
  }
  entry->planned_ms = due_ms;
  if (HasRoom(entry->kind)) {
    Start(entry);
    return;
  }
  entry->is_waiting = true;
  ++counts.waiting;
  (RunsProgram(entry->kind) ? waiting_programs : waiting)
      .push_back(entry->serial);
}

void CheckRunner::Impl::OnTimeout(CheckEntry* entry) {
  if (entry->probe == nullptr) return;
  if (!entry->is_overdue) {
    // What held up the loop may have held up the answer, too: it is read
    // between this timer and the next.
    entry->is_overdue = true;
    schedule.Set(entry->TimeoutKey(), NowMs() + 1);
    return;
  }
  ++counts.timeouts;
  ProbeResult result = entry->probe->TimeOut();
  EndRun(entry);
  wake.Start(0);  // there is room for another
  TakeResult(entry, std::move(result));
}

void CheckRunner::Impl::Reap() {
  const int64_t now_ms = NowMs();
  next_reap_ms = now_ms + options.reap_interval.count();
  std::map<std::string, std::string> expired;  // instance -> check
  for (const auto& [id, entry] : entries) {
    const CheckDefinition& check = *entry->definition;
    const int64_t after_ms = ToMs(check.deregister_critical_service_after);
    if (after_ms > 0 && !check.service_id.empty() &&
        entry->critical_since_ms.has_value() &&
        now_ms - *entry->critical_since_ms > after_ms) {
      expired.emplace(check.service_id, id);
    }
  }
  for (const auto& [service_id, check_id] : expired) {
    hooks.reap(service_id, check_id);
  }
}

void CheckRunner::Impl::Arm() {
  const int64_t first_ms =
      std::min(next_reap_ms, schedule.FirstDue().value_or(next_reap_ms));
  // At least 1: libuv would run a timer of 0 again before it polls.
  timer.Start(static_cast<uint64_t>(std::max<int64_t>(first_ms - NowMs(), 1)));
}

// --- runs ---

bool CheckRunner::Impl::HasRoom(CheckKind kind) const {
  if (counts.running >= options.probes_max) return false;
  return !RunsProgram(kind) ||
         running_programs + tools.children.count() < options.processes_max;
}

void CheckRunner::Impl::Start(CheckEntry* entry) {
  const int64_t now_ms = NowMs();
  counts.late_ms = now_ms - entry->planned_ms;
  counts.late_ms_max = std::max(counts.late_ms_max, counts.late_ms);
  ++counts.runs;
  ++counts.running;
  if (RunsProgram(entry->kind)) ++running_programs;
  ++entry->run;
  entry->is_overdue = false;
  entry->probe_definition = entry->definition;
  schedule.Set(entry->TimeoutKey(),
               now_ms + ToMs(TimeoutOf(*entry->definition)));
  entry->probe = StartProbe(
      &tools, *entry->probe_definition,
      [this, serial = entry->serial, run = entry->run](ProbeResult result) {
        // Not here: it may be inside the probe's, libcurl's or libuv's code.
        finished.push_back({serial, run, std::move(result)});
        wake.Start(0);
      });
}

void CheckRunner::Impl::EndRun(CheckEntry* entry) {
  entry->probe.reset();
  entry->probe_definition.reset();
  schedule.Erase(entry->TimeoutKey());
  --counts.running;
  if (RunsProgram(entry->kind)) --running_programs;
}

void CheckRunner::Impl::StartWaiting(std::deque<uint64_t>* queue,
                                     bool are_programs) {
  const CheckKind kind = are_programs ? CheckKind::kScript : CheckKind::kHttp;
  while (!queue->empty() && HasRoom(kind)) {
    CheckEntry* const entry = Find(queue->front());
    queue->pop_front();
    if (entry == nullptr || !entry->is_waiting) continue;
    entry->is_waiting = false;
    --counts.waiting;
    Start(entry);
  }
}

void CheckRunner::Impl::Deliver() {
  std::vector<Finished> batch;
  batch.swap(finished);
  for (Finished& one : batch) {
    CheckEntry* const entry = Find(one.serial);
    if (entry == nullptr || entry->probe == nullptr || entry->run != one.run) {
      continue;
    }
    EndRun(entry);
    TakeResult(entry, std::move(one.result));
  }
  std::set<uint64_t> dirty;
  dirty.swap(dirty_aliases);
  for (const uint64_t serial : dirty) {
    CheckEntry* const entry = Find(serial);
    if (entry != nullptr) LookAtAlias(entry);
  }
  StartWaiting(&waiting_programs, true);
  StartWaiting(&waiting, false);
  // Programs that were killed make room when they have been reaped.
  if (!waiting_programs.empty() && tools.children.count() > 0) {
    wake.Start(1);
  }
  Arm();
}

void CheckRunner::Impl::TakeResult(CheckEntry* entry, ProbeResult result) {
  const auto status = entry->thresholds.Take(result.status);
  if (status.has_value()) Report(entry, *status, std::move(result.output));
}

// `entry` may be gone afterwards: hooks do what they like.
void CheckRunner::Impl::Report(CheckEntry* entry, HealthStatus status,
                               std::string output) {
  if (status != HealthStatus::kCritical) {
    entry->critical_since_ms.reset();
  } else if (!entry->critical_since_ms.has_value()) {
    entry->critical_since_ms = NowMs();
  }
  hooks.report({.check_id = entry->definition->id,
                .status = status,
                .output = std::move(output)});
}

void CheckRunner::Impl::LookAtAlias(CheckEntry* entry) {
  const CheckDefinition& check = *entry->definition;
  const uint64_t serial = entry->serial;
  ProbeResult result =
      AliasResult(hooks.alias(check.alias_node, check.alias_service),
                  check.alias_node, check.alias_service);
  if (Find(serial) == nullptr) return;
  // Two aliases of each other would make it longer for ever.
  const auto bytes_max =
      static_cast<size_t>(entry->definition->output_max_size);
  if (result.output.size() > bytes_max) result.output.resize(bytes_max);
  Report(entry, result.status, std::move(result.output));
}

CheckRunner::CheckRunner(EventLoop* loop, CheckRunnerOptions options,
                         Hooks hooks)
    : impl_(
          std::make_unique<Impl>(loop, std::move(options), std::move(hooks))) {}

CheckRunner::~CheckRunner() = default;

absl::Status CheckRunner::Add(const CheckDefinition& definition,
                              const CheckStart& start) {
  return impl_->Add(definition, start);
}

void CheckRunner::Remove(const std::string& check_id) {
  impl_->Remove(check_id);
}

absl::Status CheckRunner::SetTtl(const std::string& check_id,
                                 HealthStatus status,
                                 absl::string_view output) {
  return impl_->SetTtl(check_id, status, output);
}

std::optional<std::chrono::milliseconds> CheckRunner::TtlLeft(
    const std::string& check_id) const {
  const auto found = impl_->entries.find(check_id);
  if (found == impl_->entries.end() || found->second->kind != CheckKind::kTtl) {
    return std::nullopt;
  }
  return std::chrono::milliseconds(
      std::max<int64_t>(found->second->due_ms - NowMs(), 0));
}

void CheckRunner::CatalogChanged(absl::string_view node,
                                 absl::string_view service_id) {
  impl_->CatalogChanged(node, service_id);
}

CheckRunnerStats CheckRunner::stats() const {
  CheckRunnerStats stats = impl_->counts;
  stats.checks = impl_->entries.size();
  stats.processes = impl_->running_programs + impl_->tools.children.count();
  return stats;
}

}  // namespace dnsd
