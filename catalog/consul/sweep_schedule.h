// SweepSchedule says when a mirror asks for everything, which finds what no
// watch tells: not when the last answer has it already, and not so often that
// Consul does nothing else.
//
// Threads: one owner. Time in milliseconds of any clock that does not go back.
#ifndef DNSD_CATALOG_CONSUL_SWEEP_SCHEDULE_H_
#define DNSD_CATALOG_CONSUL_SWEEP_SCHEDULE_H_

#include <algorithm>
#include <cstdint>

namespace dnsd {

class SweepSchedule {
 public:
  // From one request to the next: Consul is busy with them half of the time at
  // most, unless a change would then not show within five seconds. What
  // changes right after Consul has read its catalog waits for the next request
  // and its answer.
  static constexpr int64_t kPauseMsMin = 1'500;
  static constexpr int64_t kPauses = 2;  // times what a request takes
  static constexpr int64_t kShownMs = 4'500;
  static constexpr int64_t kRestMs = 500;
  // Answers of a server that lags, in a row.
  static constexpr int kLateMax = 3;

  // Something changed at `index`; 0: nobody knows when.
  void Want(uint64_t index) {
    is_forced_ = is_forced_ || index == 0;
    if (index <= wanted_) return;
    wanted_ = index;
    late_count_ = 0;
  }
  // Nothing is wanted any more.
  void Forget() {
    is_forced_ = false;
    wanted_ = 0;
  }

  [[nodiscard]] bool is_wanted() const {
    return is_forced_ || (wanted_ > known_ && late_count_ < kLateMax);
  }
  [[nodiscard]] uint64_t wanted() const { return wanted_; }
  // When the next request may begin.
  [[nodiscard]] int64_t due_ms() const { return began_ms_ + PauseMs(); }

  void Begin(int64_t now_ms) {
    is_forced_ = false;
    began_ms_ = now_ms;
  }
  // What was asked for came; all of it is as of `index` or later.
  void End(uint64_t index, int64_t now_ms) {
    took_ms_ = now_ms - began_ms_;
    known_ = std::max(known_, index);
    if (wanted_ > known_) ++late_count_;
  }
  // Everything was loaded otherwise: earlier indexes mean nothing.
  void Reset(uint64_t index, int64_t took_ms) {
    known_ = index;
    took_ms_ = took_ms;
    Forget();
  }

  // How long the last took.
  [[nodiscard]] int64_t took_ms() const { return took_ms_; }

 private:
  [[nodiscard]] int64_t PauseMs() const {
    const int64_t in_time_ms =
        std::max(kShownMs - took_ms_, took_ms_ + kRestMs);
    return std::max(kPauseMsMin, std::min(kPauses * took_ms_, in_time_ms));
  }

  bool is_forced_ = false;
  uint64_t wanted_ = 0;
  uint64_t known_ = 0;
  int late_count_ = 0;
  int64_t began_ms_ = -kPauseMsMin;
  int64_t took_ms_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_SWEEP_SCHEDULE_H_
