// HealthLimits is what health { } of the configuration says.
//
// Threads: a plain value.
#ifndef DNSD_DNSD_HEALTH_LIMITS_H_
#define DNSD_DNSD_HEALTH_LIMITS_H_

#include <cstdint>

namespace dnsd {

struct HealthLimits {
  // A loop that has not turned for so long hangs.
  uint64_t hang_after_ms = 10'000;
  // A catalog that nobody vouched for in so long is none any more; 0: it never
  // gets too old. As long as answers of others are served stale.
  uint64_t max_age_ms = 86'400'000;
  // How long after a signal to stop everything is still answered.
  uint64_t lame_duck_ms = 0;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HEALTH_LIMITS_H_
