// AskedNames carries what clients asked for from a worker to the sync thread:
// a ring of fixed size without locks. HOT PATH
//
// Threads:   Push() by one worker, Pop() by the sync thread. Wait-free.
// Limits:    kAskedNamesMax at a time; what does not fit is dropped, for it
//            will be asked again.
#ifndef DNSD_DNSD_SERVE_ASKED_NAMES_H_
#define DNSD_DNSD_SERVE_ASKED_NAMES_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "zones/wire.h"

namespace dnsd {

inline constexpr size_t kAskedNamesMax = 256;

struct AskedName {
  enum Kind : uint8_t { kService, kDatacenter, kQuery };
  Kind kind = kService;
  uint8_t datacenter = 0;  // index in the view's datacenters
  uint8_t size = 0;
  uint8_t name[kNameBytesMax];  // labels in wire form; none for kDatacenter
};

class AskedNames {
 public:
  // False: the ring is full.
  bool Push(const AskedName& name) {
    const size_t head = head_.load(std::memory_order_relaxed);
    // Pairs with Pop()'s store: the slot has been read.
    if (head - tail_.load(std::memory_order_acquire) == kAskedNamesMax) {
      return false;
    }
    slots_[head % kAskedNamesMax] = name;
    // Publishes the slot to Pop().
    head_.store(head + 1, std::memory_order_release);
    return true;
  }

  // False: there is none.
  bool Pop(AskedName* name) {
    const size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) return false;
    *name = slots_[tail % kAskedNamesMax];
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

 private:
  static_assert(kAskedNamesMax != 0 &&
                (kAskedNamesMax & (kAskedNamesMax - 1)) == 0);

  std::array<AskedName, kAskedNamesMax> slots_{};
  alignas(64) std::atomic<size_t> head_{0};  // written by the worker
  alignas(64) std::atomic<size_t> tail_{0};  // written by the sync thread
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_ASKED_NAMES_H_
