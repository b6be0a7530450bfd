// AskedFilter lets each name through now and then: a table of fixed size that
// remembers, by a name's hash, when it was reported last. HOT PATH
//
// Threads: one worker's.
// Limits:  kAskedSlots names. Names that share a slot take turns, so that
//          neither is kept out for ever; a slot is given away once a second
//          at most, which bounds what a worker reports.
// Units:   seconds of the batch's clock, which is coarse. A clock that was set
//          back lets names through too early.
#ifndef DNSD_DNSD_SERVE_ASKED_FILTER_H_
#define DNSD_DNSD_SERVE_ASKED_FILTER_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "dnsd/limits.h"

namespace dnsd {

class AskedFilter {
 public:
  // Whether the name with this hash is to be reported.
  [[nodiscard]] bool IsDue(uint64_t hash, uint32_t now_s) const {
    const Slot& slot = slots_[hash % kAskedSlots];
    const uint32_t age_s = now_s - slot.reported_s;
    return age_s >= (slot.tag == Tag(hash) ? kRepeatS : 1u);
  }
  // It was.
  void Mark(uint64_t hash, uint32_t now_s) {
    slots_[hash % kAskedSlots] = {Tag(hash), now_s};
  }

 private:
  static constexpr uint32_t kRepeatS = kAskedRepeatMs / 1000;

  struct Slot {
    uint32_t tag = 0;  // the half of the hash that does not choose the slot
    uint32_t reported_s = 0;
  };

  static uint32_t Tag(uint64_t hash) {
    return static_cast<uint32_t>(hash >> 32);
  }

  std::array<Slot, kAskedSlots> slots_{};
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_ASKED_FILTER_H_
