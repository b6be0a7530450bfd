// RateLimiter judges whether a UDP response is one too many of its kind to the
// network it would go to: queries with forged sources must not make us flood
// somebody (response rate limiting, as in BIND, NSD and Knot). HOT PATH
//
// A bucket for each network, kind of response and name gains
// `responses_per_second` a second, up to that number, and each response takes
// one. Empty ones go on falling, so a network that goes on asking gets nothing
// until it has been quieter for up to `window_s`.
//
// Threads: one worker's.
// Limits:  constant memory. A new bucket takes the place of the quietest of
//          four; which four is a secret.
// Cost:    one SipHash of network and name, one cache line.
#ifndef DNSD_DNSD_SERVE_RATE_LIMITER_H_
#define DNSD_DNSD_SERVE_RATE_LIMITER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "dnsd/serve/client_limits.h"
#include "dnsd/socket_address.h"
#include "zones/siphash.h"

namespace dnsd {

enum class RateClass : uint8_t { kAnswer, kNxdomain, kError };

enum class RateVerdict : uint8_t {
  kSend,
  kExceeded,  // send it, for this is log_only
  kSlip,      // send as little as possible
  kDrop,
};

class RateLimiter {
 public:
  // `options` with a rate above 0; allocates its table here only.
  RateLimiter(RateLimitOptions options, const SipKey& key);

  // About a response to `client` that says something about `name`, in wire
  // form of any letter case; empty where the name does not matter.
  [[nodiscard]] RateVerdict Judge(const SocketAddress& client, RateClass kind,
                                  std::span<const uint8_t> name,
                                  uint32_t now_s);

  [[nodiscard]] const RateLimitOptions& options() const { return options_; }

 private:
  struct Bucket {
    uint32_t tag = 0;
    uint32_t second = 0;  // when it was last asked; 0: unused
    int32_t tokens = 0;
    uint32_t refused = 0;  // in a row, for slip
  };
  static constexpr size_t kWays = 4;  // in a cache line

  [[nodiscard]] uint64_t HashOf(const SocketAddress& client, RateClass kind,
                                std::span<const uint8_t> name) const;
  [[nodiscard]] Bucket* Find(uint64_t hash, uint32_t now_s);

  RateLimitOptions options_;
  SipKey key_;
  int32_t debt_max_;
  size_t set_mask_;  // sets of kWays, a power of two
  std::unique_ptr<Bucket[]> buckets_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_RATE_LIMITER_H_
