// IsServed() is the health filter of DNS: which instances of a service answer.
//
// Threads: a pure function.
#ifndef DNSD_ZONES_SERVED_H_
#define DNSD_ZONES_SERVED_H_

#include "catalog/types.h"
#include "zones/policy.h"

namespace dnsd {

[[nodiscard]] inline bool IsServed(const ZonePolicy& policy,
                                   HealthStatus health) {
  return policy.only_passing ? health == HealthStatus::kPassing
                             : health != HealthStatus::kCritical;
}

}  // namespace dnsd

#endif  // DNSD_ZONES_SERVED_H_
