// Heartbeat shows other threads that an event loop turns: a timer of the loop
// writes down the time, once a second, whatever else the loop does.
//
//   Heartbeat beat(&loop);
//   beat.Start();                  the loop's thread, or before it runs
//   beat.AgeMs() > 10'000          any thread: it hangs, or has ended
//
// Threads:   made, started and destroyed like every handle of the loop;
//            AgeMs(): any.
// Ownership: borrows the loop.
// Cost:      a wake-up and a store each second, of its own thread.
#ifndef DNSD_CATALOG_BASE_HEARTBEAT_H_
#define DNSD_CATALOG_BASE_HEARTBEAT_H_

#include <atomic>
#include <cstdint>

#include "catalog/base/event_loop.h"
#include "catalog/base/monotonic_time.h"

namespace dnsd {

class Heartbeat {
 public:
  static constexpr uint64_t kBeatMs = 1'000;

  explicit Heartbeat(EventLoop* loop) : timer_(loop, [this] { Beat(); }) {}

  void Start() {
    Beat();
    timer_.Start(kBeatMs, kBeatMs);
  }

  // Since the last beat, by the monotonic clock.
  [[nodiscard]] uint64_t AgeMs() const {
    // relaxed: it orders nothing. A beat may come between the two readings.
    const uint64_t last_ms = last_ms_.load(std::memory_order_relaxed);
    const uint64_t now_ms = NowMs();
    return now_ms > last_ms ? now_ms - last_ms : 0;
  }

 private:
  static uint64_t NowMs() { return MonotonicNs() / 1'000'000; }
  void Beat() { last_ms_.store(NowMs(), std::memory_order_relaxed); }

  std::atomic<uint64_t> last_ms_{NowMs()};
  Timer timer_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_HEARTBEAT_H_
