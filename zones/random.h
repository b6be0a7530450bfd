// Random is the small generator behind answer rotation. HOT PATH
//
// Threads: one owner (a worker). Not for secrets: ids and ports of forwarded
//          queries come from elsewhere.
// Cost:    a multiplication and two shifts (SplitMix64).
#ifndef DNSD_ZONES_RANDOM_H_
#define DNSD_ZONES_RANDOM_H_

#include <cstdint>

namespace dnsd {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  [[nodiscard]] uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  // Uniform in [0, bound), bound > 0; biased by less than 2^-32.
  [[nodiscard]] uint32_t Below(uint32_t bound) {
    return static_cast<uint32_t>(((Next() >> 32) * bound) >> 32);
  }

 private:
  uint64_t state_;
};

}  // namespace dnsd

#endif  // DNSD_ZONES_RANDOM_H_
