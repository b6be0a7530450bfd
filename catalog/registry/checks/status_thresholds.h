// StatusThresholds decides which results of a check count, by Consul's rules
// for success_before_passing, failures_before_warning and
// failures_before_critical.
//
// Both counters start at their thresholds, so the first result always counts.
// A warning counts as a success. Between the two failure thresholds a failure
// makes the check warn.
//
// Threads: one owner.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_STATUS_THRESHOLDS_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_STATUS_THRESHOLDS_H_

#include <cstdint>
#include <optional>

#include "catalog/types.h"

namespace dnsd {

struct ThresholdLimits {
  int success_before_passing = 0;
  int failures_before_warning = 0;
  int failures_before_critical = 0;
};

class StatusThresholds {
 public:
  explicit StatusThresholds(const ThresholdLimits& limits)
      : limits_(limits),
        successes_(limits.success_before_passing),
        failures_(limits.failures_before_critical) {}

  // The status that the check has now, or nothing when it stays what it was.
  [[nodiscard]] std::optional<HealthStatus> Take(HealthStatus result);

 private:
  ThresholdLimits limits_;
  int64_t successes_;
  int64_t failures_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_STATUS_THRESHOLDS_H_
