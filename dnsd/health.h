// What makes an agent healthy (its event loops turn) and ready (it should be
// asked: it is healthy, knows its catalog, and does not stop). Judgements of
// plain values, without a clock.
//
// Threads: any; no I/O, no shared state.
#ifndef DNSD_DNSD_HEALTH_H_
#define DNSD_DNSD_HEALTH_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dnsd/health_limits.h"
#include "dnsd/http/metrics_text.h"

namespace dnsd {

struct LoopAge {
  std::string name;  // of its thread
  uint64_t age_ms = 0;
};

// The mirrored datacenter's catalog, or our own registrations.
struct CatalogHealth {
  bool is_loaded = true;
  // Since it was last known to be true; nothing: it is our own.
  std::optional<uint64_t> age_ms;
  bool is_stale = false;
  // Why the last registration could not be stored, or "". It is no reason not
  // to be asked: what is known is answered, and a full disk heals.
  std::string store_error;
};

struct HealthState {
  std::vector<LoopAge> loops;
  CatalogHealth catalog;
  bool is_stopping = false;
};

// Why it is not healthy, or not ready: a sentence each, none when it is. They
// say nothing that differs from one second to the next.
[[nodiscard]] std::vector<std::string> UnhealthyReasons(
    const HealthState& state, const HealthLimits& limits);
[[nodiscard]] std::vector<std::string> UnreadyReasons(
    const HealthState& state, const HealthLimits& limits);
// What is wrong without making it unready.
[[nodiscard]] std::vector<std::string> HealthWarnings(const HealthState& state);

// {"Healthy","Reasons","Loops":[{"Name","AgeMs"}]}
[[nodiscard]] std::string HealthJson(const HealthState& state,
                                     const HealthLimits& limits);
// {"Ready","Reasons","Warnings","CatalogAgeMs"}; the last is null for our own
// registrations, and while nothing is known.
[[nodiscard]] std::string ReadyJson(const HealthState& state,
                                    const HealthLimits& limits);

void AddHealthMetrics(const HealthState& state, const HealthLimits& limits,
                      MetricsText* text);

}  // namespace dnsd

#endif  // DNSD_DNSD_HEALTH_H_
