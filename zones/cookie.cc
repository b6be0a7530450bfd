#include "zones/cookie.h"

#include <cstring>

#include "zones/query.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

// Version, three reserved bytes, time, hash (RFC 9018 section 4).
constexpr size_t kHashAt = kClientCookieBytes + 8;
constexpr size_t kTimeAt = kClientCookieBytes + 4;
constexpr uint8_t kVersion = 1;
constexpr size_t kServerCookieBytesMin = 8;
constexpr size_t kServerCookieBytesMax = 32;

// RFC 9018 section 4.3.
constexpr int32_t kSecondsOldMax = 3600;
constexpr int32_t kSecondsAheadMax = 300;
constexpr int32_t kSecondsFresh = 1800;

uint64_t HashOf(const uint8_t* cookie, std::span<const uint8_t> client,
                const SipKey& secret) {
  uint8_t hashed[kHashAt + 16];
  std::memcpy(hashed, cookie, kHashAt);
  std::memcpy(hashed + kHashAt, client.data(), client.size());
  return SipHash24(secret, {hashed, kHashAt + client.size()});
}

}  // namespace

CookieState JudgeCookie(std::span<const uint8_t> cookie,
                        std::span<const uint8_t> client,
                        const CookiePolicy& policy, uint32_t unix_time,
                        uint8_t reply[kCookieBytes]) {
  const size_t size = cookie.size();
  if (size != kClientCookieBytes &&
      (size < kClientCookieBytes + kServerCookieBytesMin ||
       size > kClientCookieBytes + kServerCookieBytesMax)) {
    return CookieState::kMalformed;
  }
  CookieState state =
      size == kClientCookieBytes ? CookieState::kClientOnly : CookieState::kBad;
  if (size == kCookieBytes && cookie[kClientCookieBytes] == kVersion) {
    // Serial numbers (RFC 1982): the clock may run past 2^32.
    const auto age =
        static_cast<int32_t>(unix_time - Load32(cookie.data() + kTimeAt));
    if (age <= kSecondsOldMax && age >= -kSecondsAheadMax) {
      uint64_t shown;
      std::memcpy(&shown, cookie.data() + kHashAt, sizeof(shown));
      if (shown == HashOf(cookie.data(), client, policy.secret)) {
        state = CookieState::kGood;
        if (age <= kSecondsFresh) {
          std::memcpy(reply, cookie.data(), kCookieBytes);
          return state;
        }
      } else if (policy.previous &&
                 static_cast<int32_t>(policy.previous_until - unix_time) > 0 &&
                 shown == HashOf(cookie.data(), client, *policy.previous)) {
        state = CookieState::kGood;
      }
    }
  }
  std::memcpy(reply, cookie.data(), kClientCookieBytes);
  Store32(reply + kClientCookieBytes, uint32_t{kVersion} << 24);
  Store32(reply + kTimeAt, unix_time);
  const uint64_t hash = HashOf(reply, client, policy.secret);
  std::memcpy(reply + kHashAt, &hash, sizeof(hash));
  return state;
}

CookieState TakeCookie(const CookiePolicy& policy,
                       std::span<const uint8_t> client, uint32_t unix_time,
                       uint8_t reply[kCookieBytes], Query* query) {
  if (query->cookie_at == 0 || policy.use == Cookies::kOff || client.empty()) {
    return CookieState::kNone;
  }
  const CookieState state =
      JudgeCookie({query->packet + query->cookie_at, query->cookie_size},
                  client, policy, unix_time, reply);
  if (state != CookieState::kMalformed) query->cookie_reply = reply;
  return state;
}

}  // namespace dnsd
