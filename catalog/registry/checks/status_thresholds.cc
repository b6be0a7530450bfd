#include "catalog/registry/checks/status_thresholds.h"

namespace dnsd {

std::optional<HealthStatus> StatusThresholds::Take(HealthStatus result) {
  if (result != HealthStatus::kCritical) {
    ++successes_;
    failures_ = 0;
    if (successes_ >= limits_.success_before_passing) return result;
    return std::nullopt;
  }
  ++failures_;
  successes_ = 0;
  if (failures_ >= limits_.failures_before_critical) return result;
  if (failures_ >= limits_.failures_before_warning) {
    return HealthStatus::kWarning;
  }
  return std::nullopt;
}

}  // namespace dnsd
