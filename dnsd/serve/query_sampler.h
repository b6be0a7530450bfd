// QuerySampler decides which of a worker's answered queries are told of, and
// puts those into its SampleRing. HOT PATH
//
// Three take samples: the query log, dnstap, and the count of top names. Each
// has its rule. Which query is next is drawn in advance, so that all a query
// pays is IsDue(): a subtraction and a branch.
//
// Threads: one worker's; what it pushes is read by another (SampleRing).
// Errors:  what the ring has no room for is dropped and counted there.
// Cost:    of a query that is due: a pass over its name where a rule has names,
//          a clock, and a copy. Allocates nothing but in SetRules().
#ifndef DNSD_DNSD_SERVE_QUERY_SAMPLER_H_
#define DNSD_DNSD_SERVE_QUERY_SAMPLER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "dnsd/serve/sample_ring.h"
#include "dnsd/serve/sample_rules.h"
#include "dnsd/socket_address.h"
#include "zones/random.h"
#include "zones/responder.h"

namespace dnsd {

// A record begins with this; then `query_size` and `response_size` bytes.
struct QuerySample {
  int64_t unix_ns = 0;
  SocketAddress client;
  uint32_t answer_size = 0;    // of the response that was sent
  uint16_t query_size = 0;     // 0: it was answered later, by when it is gone
  uint16_t response_size = 0;  // all of it where kTap wants it, else as much as
                               // has the rcode
  uint8_t uses = 0;            // a bit for each SampleUse
  Transport transport = Transport::kUdp;

  [[nodiscard]] bool wants(SampleUse use) const {
    return (uses & 1u << static_cast<unsigned>(use)) != 0;
  }
};

// A query and its response, as they lie before the worker.
struct AnsweredQuery {
  std::span<const uint8_t> query;  // may be empty
  std::span<const uint8_t> response;
  const SocketAddress& client;
  Transport transport;
};

class QuerySampler {
 public:
  // nullptr: nobody takes samples. `seed` as for answer rotation.
  void SetRing(SampleRing* ring, uint64_t seed) {
    ring_ = ring;
    random_ = Random(seed);
  }
  void SetRules(SampleRules rules);

  // To be called once for each response; whether it is to be taken.
  [[nodiscard]] bool IsDue() { return --countdown_ == 0; }
  // After IsDue().
  void Take(const AnsweredQuery& answered);

 private:
  [[nodiscard]] uint32_t Draw(uint32_t every);
  void SetCountdown();
  void Push(uint8_t uses, const AnsweredQuery& answered);

  // Responses until the next that is due; it wraps around where none is, which
  // Take() sees to.
  uint32_t countdown_ = 0;
  uint32_t gap_ = 0;  // what it was set to
  std::array<uint32_t, kSampleUses> left_{};
  SampleRing* ring_ = nullptr;
  Random random_{0};
  SampleRules rules_;
};

// What follows the header of a message: the question's end, or 0 if there is
// no whole uncompressed name and what follows it.
[[nodiscard]] size_t QuestionEnd(std::span<const uint8_t> message);

// The rcode of a response, with its extension where that stands right behind
// the question (RFC 6891), as it does in an answer that has nothing else.
[[nodiscard]] uint16_t RcodeOf(std::span<const uint8_t> response);

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_QUERY_SAMPLER_H_
