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

#include "zones/random.h"

namespace dnsd {

class RrOrder {
 public:
  RrOrder(uint32_t count, Random* random) : count_(count), stride_(1) {
    if (count < 2) return;
    uint64_t number = random->Next();
    start_ = static_cast<uint32_t>(((number >> 32) * count) >> 32);
    if (count < 3) return;
    // A prime that does not divide the count visits every record once.
    static constexpr uint32_t kStrides[8] = {1, 2, 3, 5, 7, 11, 13, 17};
    uint32_t stride = kStrides[number & 7];
    if (stride < count && count % stride != 0) stride_ = stride;
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
