// What a configuration says about forwarding in numbers and words.
//
// Threads: values.
// Units:   where a name says so.
#ifndef DNSD_DNSD_FORWARD_FORWARD_SETTINGS_H_
#define DNSD_DNSD_FORWARD_FORWARD_SETTINGS_H_

#include <cstddef>
#include <cstdint>

namespace dnsd {

// Which upstream is asked first. Those that are down come last in any case.
enum class ForwardStrategy : uint8_t {
  kFastest,     // by mean round trip; now and then another
  kSequential,  // in the order given
  kRandom,
};

// Of one worker's cache.
struct ForwardCacheLimits {
  size_t bytes_max = 32u << 20;  // 0: nothing is kept
  uint32_t ttl_max_s = 86'400;
  uint32_t ttl_min_s = 0;
  uint32_t negative_ttl_max_s = 3'600;
  uint32_t stale_max_s = 86'400;  // 0: nothing stale is served

  bool operator==(const ForwardCacheLimits&) const = default;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_FORWARD_SETTINGS_H_
