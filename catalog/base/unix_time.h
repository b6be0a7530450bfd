// The time of day, for what outlives the process. Everything else uses the
// clock of its loop.
//
// Threads: any.
#ifndef DNSD_CATALOG_BASE_UNIX_TIME_H_
#define DNSD_CATALOG_BASE_UNIX_TIME_H_

#include <chrono>
#include <cstdint>

namespace dnsd {

// Nanoseconds since 1970.
[[nodiscard]] inline int64_t UnixNs() {
  using std::chrono::duration_cast, std::chrono::nanoseconds;
  return duration_cast<nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Milliseconds since 1970.
[[nodiscard]] inline int64_t UnixMs() { return UnixNs() / 1'000'000; }

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_UNIX_TIME_H_
