// RrOrder walks n records from a random start in a random stride. HOT PATH
//
// Rotation by a number instead of a shuffle: no copy, no state. The stride
// spreads the load of an instance that left over the others; with plain
// rotation its neighbour would take it all.
//
// Threads: a value on one stack.
#ifndef DNSD_ZONES_RR_ORDER_H_
#define DNSD_ZONES_RR_ORDER_H_

#include <cstdint>
#include <numeric>

#include "zones/random.h"

namespace dnsd {

// Bit s of of[n]: s and n have no common divisor.
struct CoprimeTable {
  static constexpr uint32_t kSize = 64;

  constexpr CoprimeTable() {
    for (uint32_t n = 1; n < kSize; ++n) {
      for (uint32_t s = 1; s < n; ++s) {
        if (std::gcd(s, n) == 1) of[n] |= uint64_t{1} << s;
      }
    }
  }
  uint64_t of[kSize] = {};
};
inline constexpr CoprimeTable kCoprimes{};

class RrOrder {
 public:
  // As the list is.
  explicit RrOrder(uint32_t count) : count_(count), stride_(1) {}

  RrOrder(uint32_t count, Random* random) : count_(count), stride_(1) {
    if (count < 2) return;
    uint64_t number = random->Next();
    uint64_t high = number >> 32;
    start_ = static_cast<uint32_t>((high * count) >> 32);
    if (count < 3) return;
    // A stride visits every record once if it shares no divisor with the
    // count; 1 and count - 1 always do.
    uint64_t low = number & UINT32_MAX;
    if (count < CoprimeTable::kSize) {
      auto stride = static_cast<uint32_t>(1 + ((low * (count - 1)) >> 32));
      bool coprime = (kCoprimes.of[count] >> stride & 1) != 0;
      stride_ = coprime ? stride : (low & 1) != 0 ? 1 : count - 1;
    } else {
      static constexpr uint32_t kPrimes[8] = {1, 31, 37, 41, 43, 47, 53, 59};
      uint32_t stride = kPrimes[low & 7];
      stride_ = stride == 1 || count % stride != 0 ? stride : 1;
    }
  }

  [[nodiscard]] uint32_t First() const { return start_; }
  [[nodiscard]] uint32_t Next(uint32_t index) const {
    index += stride_;
    return index >= count_ ? index - count_ : index;
  }

 private:
  uint32_t count_;
  uint32_t stride_;
  uint32_t start_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_ZONES_RR_ORDER_H_
