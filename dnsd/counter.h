// Counter is one number of a worker's statistics. HOT PATH
//
// Threads: written by one thread, read by any; see dnsd/serve/worker_stats.h.
#ifndef DNSD_DNSD_COUNTER_H_
#define DNSD_DNSD_COUNTER_H_

#include <atomic>
#include <cstdint>

namespace dnsd {

// One number with a single writer.
class Counter {
 public:
  void Add(uint64_t count = 1) { Store(value() + count); }
  void Subtract(uint64_t count = 1) { Store(value() - count); }
  [[nodiscard]] uint64_t value() const {
    // relaxed: a counter orders nothing.
    return value_.load(std::memory_order_relaxed);
  }

 private:
  void Store(uint64_t value) { value_.store(value, std::memory_order_relaxed); }

  std::atomic<uint64_t> value_{0};
};

}  // namespace dnsd

#endif  // DNSD_DNSD_COUNTER_H_
