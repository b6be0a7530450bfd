#include "dnsd/serve/rate_limiter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {

RateLimiter::RateLimiter(RateLimitOptions options, const SipKey& key)
    : options_(std::move(options)),
      key_(key),
      debt_max_(static_cast<int32_t>(std::min<uint64_t>(
          uint64_t{options_.responses_per_second} * options_.window_s,
          INT32_MAX))),
      set_mask_(
          std::bit_ceil(std::max<size_t>(options_.table_size, kWays) / kWays) -
          1),
      buckets_(std::make_unique<Bucket[]>((set_mask_ + 1) * kWays)) {}

uint64_t RateLimiter::HashOf(const SocketAddress& client, RateClass kind,
                             std::span<const uint8_t> name) const {
  // Kind and family, the network's bytes, the name in one letter case.
  uint8_t hashed[1 + 16 + kNameBytesMax] = {};
  const bool is_v6 = client.is_v6();
  hashed[0] = static_cast<uint8_t>(static_cast<unsigned>(kind) << 1 |
                                   static_cast<unsigned>(is_v6));
  const std::span<const uint8_t> address = client.ip_bytes();
  const size_t bits = is_v6 ? options_.ipv6_prefix : options_.ipv4_prefix;
  const size_t whole = bits / 8;
  std::memcpy(hashed + 1, address.data(), whole);
  if (bits % 8 != 0) {
    hashed[1 + whole] =
        static_cast<uint8_t>(address[whole] & 0xff00u >> bits % 8);
  }
  uint8_t* to = hashed + 1 + 16;
  const size_t size = std::min<size_t>(name.size(), kNameBytesMax);
  for (size_t i = 0; i < size; ++i) to[i] = LowerByte(name[i]);
  return SipHash24(key_, {hashed, 1 + 16 + size});
}

RateLimiter::Bucket* RateLimiter::Find(uint64_t hash, uint32_t now_s) {
  Bucket* set = &buckets_[(hash & set_mask_) * kWays];
  const auto tag = static_cast<uint32_t>(hash >> 32);
  Bucket* quietest = set;
  for (Bucket* bucket = set; bucket < set + kWays; ++bucket) {
    if (bucket->tag == tag && bucket->second != 0) return bucket;
    // The one asked the longest ago; of several, the fullest.
    if (bucket->second < quietest->second ||
        (bucket->second == quietest->second &&
         bucket->tokens > quietest->tokens)) {
      quietest = bucket;
    }
  }
  *quietest = {tag, now_s, static_cast<int32_t>(options_.responses_per_second),
               0};
  return quietest;
}

RateVerdict RateLimiter::Judge(const SocketAddress& client, RateClass kind,
                               std::span<const uint8_t> name, uint32_t now_s) {
  if (AnyContains(options_.exempt, client)) return RateVerdict::kSend;
  Bucket* bucket = Find(HashOf(client, kind, name), now_s);
  // A clock that is set back gives nothing and takes nothing.
  const int64_t seconds = now_s > bucket->second ? now_s - bucket->second : 0;
  const int64_t rate = options_.responses_per_second;
  int64_t tokens = std::min(rate, bucket->tokens + seconds * rate) - 1;
  tokens = std::max<int64_t>(tokens, -int64_t{debt_max_});
  bucket->tokens = static_cast<int32_t>(tokens);
  bucket->second = now_s;
  if (tokens >= 0) {
    bucket->refused = 0;
    return RateVerdict::kSend;
  }
  if (options_.log_only) return RateVerdict::kExceeded;
  ++bucket->refused;
  return options_.slip != 0 && bucket->refused % options_.slip == 0
             ? RateVerdict::kSlip
             : RateVerdict::kDrop;
}

}  // namespace dnsd
