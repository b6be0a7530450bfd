// Cookies tell clients that have got an answer at their address before from
// forged ones (RFC 7873). Server cookies are those of RFC 9018, so that all
// servers behind one address can share a secret, whoever wrote them. HOT PATH
//
// Threads: pure functions.
// Units:   seconds of Unix time, modulo 2^32.
#ifndef DNSD_ZONES_COOKIE_H_
#define DNSD_ZONES_COOKIE_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "zones/policy.h"
#include "zones/siphash.h"

namespace dnsd {

struct Query;

inline constexpr size_t kClientCookieBytes = 8;
inline constexpr size_t kCookieBytes = 24;  // the client's and ours behind it

// What a query's cookie is worth.
enum class CookieState : uint8_t {
  kNone,
  kMalformed,   // a length that RFC 7873 section 4 does not have
  kClientOnly,  // a client that does not know ours yet
  kBad,         // made by somebody else, for somebody else, or too old
  kGood,
};

// Judges the data of a COOKIE option that came from the address `client`, 4 or
// 16 bytes in network order. Writes what to reply, but for kMalformed.
[[nodiscard]] CookieState JudgeCookie(std::span<const uint8_t> cookie,
                                      std::span<const uint8_t> client,
                                      const CookiePolicy& policy,
                                      uint32_t unix_time,
                                      uint8_t reply[kCookieBytes]);

// The same for a query that was parsed, whose response is then to have `reply`,
// unless it has no cookie or `policy` knows none.
[[nodiscard]] CookieState TakeCookie(const CookiePolicy& policy,
                                     std::span<const uint8_t> client,
                                     uint32_t unix_time,
                                     uint8_t reply[kCookieBytes], Query* query);

}  // namespace dnsd

#endif  // DNSD_ZONES_COOKIE_H_
