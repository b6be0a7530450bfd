// CheckEntry is one check of a CheckRunner: how it is run, when, and what it
// has. CheckRunner's part; nobody else needs it.
//
// Threads: the runner's.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_CHECK_ENTRY_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_CHECK_ENTRY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "catalog/registry/checks/check_runner.h"
#include "catalog/registry/checks/probe.h"
#include "catalog/registry/checks/probe_start.h"
#include "catalog/registry/checks/status_thresholds.h"
#include "catalog/registry/definition.h"

namespace dnsd {

struct CheckEntry {
  // Of the schedule: one for the next run, one for the timeout of this one.
  [[nodiscard]] uint64_t DueKey() const { return 2 * serial; }
  [[nodiscard]] uint64_t TimeoutKey() const { return 2 * serial + 1; }

  uint64_t serial = 0;  // never used twice
  // A run refers to the one it was started with.
  std::shared_ptr<const CheckDefinition> definition;
  CheckKind kind = CheckKind::kNone;
  int64_t interval_ms = 0;  // of a TTL check: the TTL
  StatusThresholds thresholds{ThresholdLimits{}};
  std::optional<int64_t> critical_since_ms;

  int64_t due_ms = 0;  // the next run as planned; the TTL's end
  std::string ttl_output;

  std::unique_ptr<Probe> probe;
  std::shared_ptr<const CheckDefinition> probe_definition;
  bool is_overdue = false;  // its time is over; see OnTimeout()
  uint64_t run = 0;         // of the probe; counts up
  bool is_waiting = false;  // it is due, above a limit
  int64_t planned_ms = 0;   // of the run that waits or is on its way
};

// Scripts and Docker's.
[[nodiscard]] bool RunsProgram(CheckKind kind);

// The definition within the options' limits, or why not to take it.
[[nodiscard]] absl::Status PrepareCheck(const CheckRunnerOptions& options,
                                        CheckOrigin origin,
                                        CheckDefinition* definition);

// Whether the same is run at the same times; names and notes may differ.
[[nodiscard]] bool IsSameRun(const CheckDefinition& a,
                             const CheckDefinition& b);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_CHECK_ENTRY_H_
