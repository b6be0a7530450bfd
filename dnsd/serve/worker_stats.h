// WorkerStats counts what one worker received and answered. HOT PATH
//
// Threads: written by the worker's thread only, read by any. A relaxed load
//          and a relaxed store per increment: no locked instruction, and a
//          reader sees every counter at most a moment old. Counters are not a
//          consistent snapshot of each other.
// Units:   messages unless the name says bytes. TCP messages are frames.
#ifndef DNSD_DNSD_SERVE_WORKER_STATS_H_
#define DNSD_DNSD_SERVE_WORKER_STATS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dnsd/counter.h"
#include "dnsd/duration_histogram.h"
#include "dnsd/forward/forward_stats.h"
#include "dnsd/serve/answer_numbers.h"
#include "zones/responder.h"

namespace dnsd {

// Why a TCP connection ended.
enum class TcpClose : uint8_t {
  kClient,        // the client closed, everything was answered
  kReset,         // the connection broke
  kIdle,          // no query for the idle timeout
  kPartialFrame,  // a frame stayed incomplete for too long
  kBadFrame,      // a frame shorter than a DNS header
  kNotReading,    // the client did not take its answers
  kEvicted,       // the longest-idle one, closed to make room for another
  kClientCap,     // refused: too many connections from this client
  kMemory,        // the worker's buffers for all connections were used up
  kStopped,       // the worker stopped
  kHandedOver,    // it asked for a zone: others go on with it
  kCount,
};

inline constexpr size_t kOutcomeCount = static_cast<size_t>(Outcome::kCount);
inline constexpr size_t kCookieStateCount =
    static_cast<size_t>(CookieState::kGood) + 1;
inline constexpr size_t kTcpCloseCount = static_cast<size_t>(TcpClose::kCount);

// `Number` is Counter inside a worker and uint64_t in a sum.
template <typename Number>
struct TransportNumbers {
  Number received{};  // messages, including those dropped below
  Number received_bytes{};
  Number sent{};
  Number sent_bytes{};
  Number send_errors{};       // answers lost: unsendable, or no room to send
  Number receive_errors{};    // failed receive calls
  Number dropped_too_long{};  // UDP: longer than kUdpQueryBytesMax
  Number dropped_address{};   // UDP: source or destination not to be answered
  std::array<Number, kOutcomeCount> outcomes{};  // by Outcome
  // Of queries with one, by CookieState; kNone stays 0.
  std::array<Number, kCookieStateCount> cookies{};
  // What was answered, at once or later, to IPv4 clients and to IPv6 ones.
  // Zones that secondaries take are not among it.
  std::array<AnswerNumbers<Number>, 2> answers{};
  // From the receipt of a batch to the sending of its answers, or of what had
  // to wait.
  DurationHistogram<Number> delay{};

  [[nodiscard]] const Number& outcome(Outcome outcome) const {
    return outcomes[static_cast<size_t>(outcome)];
  }
};

template <typename Number>
struct WorkerNumbers {
  // Two lines apart, so that no counter shares a line with another worker's
  // data (the adjacent-line prefetcher pairs lines).
  alignas(128) TransportNumbers<Number> udp{};
  TransportNumbers<Number> tcp{};
  Number tcp_open{};  // connections now
  Number tcp_accepted{};
  Number tcp_accept_pauses{};  // out of descriptors or memory
  std::array<Number, kTcpCloseCount> tcp_closed{};  // by TcpClose

  // UDP responses beyond the rate limit. They count by their Outcome too.
  Number rate_dropped{};
  Number rate_slipped{};  // sent, but with TC, or an error
  Number rate_passed{};   // sent, for the limit only counts

  // Queries that had to wait for the catalog. They count as kPending, whatever
  // is said to them in the end.
  Number parked{};
  Number parked_answered{};
  Number parked_expired{};  // SERVFAIL: waited too long, or we stopped
  Number parked_refused{};  // SERVFAIL at once: too many wait
  Number parked_dropped{};  // the connection ended before

  // Other people's names. They count as kForward, whatever is said to them.
  ForwardNumbers<Number> forward{};

  [[nodiscard]] const Number& closed(TcpClose reason) const {
    return tcp_closed[static_cast<size_t>(reason)];
  }
};

using WorkerStats = WorkerNumbers<Counter>;
using WorkerTotals = WorkerNumbers<uint64_t>;

inline void AddTo(const TransportNumbers<Counter>& from,
                  TransportNumbers<uint64_t>* to) {
  to->received += from.received.value();
  to->received_bytes += from.received_bytes.value();
  to->sent += from.sent.value();
  to->sent_bytes += from.sent_bytes.value();
  to->send_errors += from.send_errors.value();
  to->receive_errors += from.receive_errors.value();
  to->dropped_too_long += from.dropped_too_long.value();
  to->dropped_address += from.dropped_address.value();
  for (size_t i = 0; i < kOutcomeCount; ++i) {
    to->outcomes[i] += from.outcomes[i].value();
  }
  for (size_t i = 0; i < kCookieStateCount; ++i) {
    to->cookies[i] += from.cookies[i].value();
  }
  for (size_t i = 0; i < from.answers.size(); ++i) {
    AddTo(from.answers[i], &to->answers[i]);
  }
  AddTo(from.delay, &to->delay);
}

// The sum over several workers, for metrics.
[[nodiscard]] inline WorkerTotals SumStats(
    std::span<const WorkerStats* const> workers) {
  WorkerTotals totals;
  for (const WorkerStats* worker : workers) {
    AddTo(worker->udp, &totals.udp);
    AddTo(worker->tcp, &totals.tcp);
    totals.tcp_open += worker->tcp_open.value();
    totals.tcp_accepted += worker->tcp_accepted.value();
    totals.tcp_accept_pauses += worker->tcp_accept_pauses.value();
    totals.rate_dropped += worker->rate_dropped.value();
    totals.rate_slipped += worker->rate_slipped.value();
    totals.rate_passed += worker->rate_passed.value();
    totals.parked += worker->parked.value();
    totals.parked_answered += worker->parked_answered.value();
    totals.parked_expired += worker->parked_expired.value();
    totals.parked_refused += worker->parked_refused.value();
    totals.parked_dropped += worker->parked_dropped.value();
    AddTo(worker->forward, &totals.forward);
    for (size_t i = 0; i < kTcpCloseCount; ++i) {
      totals.tcp_closed[i] += worker->tcp_closed[i].value();
    }
  }
  return totals;
}

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_WORKER_STATS_H_
