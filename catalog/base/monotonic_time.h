// The clock that only goes forward, for durations.
//
// Threads: any.
// Cost:    by vDSO, not a system call.
#ifndef DNSD_CATALOG_BASE_MONOTONIC_TIME_H_
#define DNSD_CATALOG_BASE_MONOTONIC_TIME_H_

#include <time.h>

#include <cstdint>

namespace dnsd {

[[nodiscard]] inline uint64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 +
         static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_MONOTONIC_TIME_H_
