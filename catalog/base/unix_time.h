// The time of day, for what outlives the process. Everything else uses the
// clock of its loop.
//
// Threads: any.
#ifndef DNSD_CATALOG_BASE_UNIX_TIME_H_
#define DNSD_CATALOG_BASE_UNIX_TIME_H_

#include <chrono>
#include <cstdint>

namespace dnsd {

// Milliseconds since 1970.
[[nodiscard]] inline int64_t UnixMs() {
  using std::chrono::duration_cast, std::chrono::milliseconds;
  return duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_UNIX_TIME_H_
