// Upstream is what is known of one upstream resolver: how fast it is, whether
// it answers, what it does not understand.
//
// Threads: one worker's.
// Units:   milliseconds of a clock that does not go back, from the caller.
#ifndef DNSD_DNSD_FORWARD_UPSTREAM_H_
#define DNSD_DNSD_FORWARD_UPSTREAM_H_

#include <algorithm>
#include <cstdint>
#include <utility>

#include "dnsd/duration_histogram.h"
#include "dnsd/forward/upstream_address.h"
#include "dnsd/limits.h"

namespace dnsd {

// Of questions of clients and of our own data; what looks whether it is back
// is none.
struct UpstreamCounts {
  uint64_t sent = 0;      // each try
  uint64_t timeouts = 0;  // of those, without a reply in time
  uint64_t failures = 0;  // unreachable, or with a reply that is none
  DurationTotals delay;   // of replies, whatever they say
};

class Upstream {
 public:
  Upstream(UpstreamAddress address, uint64_t probe_ms_min,
           uint64_t probe_ms_max)
      : address_(std::move(address)),
        probe_ms_min_(probe_ms_min),
        probe_ms_max_(probe_ms_max) {}

  [[nodiscard]] const UpstreamAddress& address() const { return address_; }

  // It has answered, whatever it said, after this time.
  void Answered(uint64_t rtt_ms) {
    failures_ = 0;
    next_probe_ms_ = 0;
    // The mean of RFC 6298 2.3; kept in eighths of a millisecond, so that a
    // fast one does not round to nothing.
    rtt_eighths_ =
        known_ ? rtt_eighths_ - rtt_eighths_ / 8 + rtt_ms : rtt_ms * 8;
    known_ = true;
  }

  // It has not: no reply in time, or nobody there.
  void Failed(uint64_t now_ms) {
    was_silent_ = true;
    if (++failures_ < kForwardFailuresMax) return;
    answered_edns_ = false;  // there may be another when it is back
    if (failures_ == kForwardFailuresMax) probe_interval_ms_ = probe_ms_min_;
    if (next_probe_ms_ == 0) next_probe_ms_ = now_ms + probe_interval_ms_;
  }

  [[nodiscard]] bool is_down() const {
    return failures_ >= kForwardFailuresMax;
  }
  [[nodiscard]] uint64_t rtt_ms() const { return rtt_eighths_ / 8; }
  [[nodiscard]] bool was_answered() const { return known_; }
  // For the order; one that was never asked comes first.
  [[nodiscard]] uint64_t rtt_eighths() const { return rtt_eighths_; }

  // When to probe it; 0: it is up.
  [[nodiscard]] uint64_t next_probe_ms() const { return next_probe_ms_; }
  void Probed(uint64_t now_ms) {
    probe_interval_ms_ = std::min(probe_interval_ms_ * 2, probe_ms_max_);
    next_probe_ms_ = now_ms + probe_interval_ms_;
  }

  // `is_repeat`: it has not answered the same question so far. Something may
  // drop what has EDNS, as long as nothing with it was answered; inside TLS
  // nothing can.
  [[nodiscard]] bool wants_edns(uint64_t now_ms, bool is_repeat) const {
    return now_ms >= edns_again_ms_ &&
           (address_.tls || answered_edns_ || (failures_ == 0 && !is_repeat));
  }
  void KnowsNoEdns(uint64_t now_ms) {
    edns_again_ms_ = now_ms + kForwardFallbackMs;
  }
  void AnsweredEdns() {
    answered_edns_ = true;
    edns_lost_ = 0;
    edns_again_ms_ = 0;
  }
  // It has answered over UDP without EDNS. True: because of that, and so often
  // that it is asked without for a while. Each time counts only with a silence
  // of its own: `is_beside`, the same question with EDNS still waits there, or
  // one failed since the last time.
  [[nodiscard]] bool LostEdns(uint64_t now_ms, bool is_beside) {
    const bool was_silent = std::exchange(was_silent_, false);
    if ((!is_beside && !was_silent) || answered_edns_ ||
        now_ms < edns_again_ms_ || ++edns_lost_ < kLostEdnsMax) {
      return false;
    }
    edns_lost_ = 0;
    KnowsNoEdns(now_ms);
    return true;
  }

  [[nodiscard]] bool keeps_case(uint64_t now_ms) const {
    return now_ms >= case_again_ms_;
  }
  // A reply lost the letter case, and TCP confirmed that it was no forgery.
  void LostCase(uint64_t now_ms) {
    if (++case_lost_ < kForwardWrongCaseMax) return;
    case_lost_ = 0;
    case_again_ms_ = now_ms + kForwardFallbackMs;
  }
  void KeptCase() { case_lost_ = 0; }

  [[nodiscard]] const UpstreamCounts& counts() const { return counts_; }
  [[nodiscard]] UpstreamCounts& counts() { return counts_; }

 private:
  // Once may be a lost packet.
  static constexpr int kLostEdnsMax = 3;

  UpstreamAddress address_;
  UpstreamCounts counts_;
  uint64_t probe_ms_min_;
  uint64_t probe_ms_max_;

  bool known_ = false;
  uint64_t rtt_eighths_ = 0;
  int failures_ = 0;  // in a row
  uint64_t probe_interval_ms_ = 0;
  uint64_t next_probe_ms_ = 0;
  bool was_silent_ = false;
  bool answered_edns_ = false;
  int edns_lost_ = 0;
  uint64_t edns_again_ms_ = 0;
  uint64_t case_again_ms_ = 0;
  int case_lost_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_UPSTREAM_H_
