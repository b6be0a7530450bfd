// ForwardCache keeps upstream answers of one worker, positive and negative,
// until their time is over, and a while longer for when no upstream answers
// (RFC 8767). HOT PATH: Find()
//
// Bounded in bytes, all of them: answers, keys, tables and what malloc adds.
// Names asked once cannot push out those that are asked again: a small queue
// for newcomers, a main queue for what was asked twice, and a memory of what
// left the small one (S3-FIFO).
//
// Threads:   one worker's.
// Ownership: owns the answers; what Find() returns lives until the next call
//            that is not const.
// Units:     seconds of a clock that does not go back, from the caller.
// Cost:      Find() allocates nothing.
#ifndef DNSD_DNSD_FORWARD_FORWARD_CACHE_H_
#define DNSD_DNSD_FORWARD_FORWARD_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "absl/functional/function_ref.h"
#include "dnsd/forward/forward_settings.h"
#include "dnsd/forward/upstream_answer.h"

namespace dnsd {

struct ForwardCacheStats {
  size_t entries = 0;
  size_t bytes = 0;
  uint64_t evictions = 0;  // for lack of room, stale ones included
};

class ForwardCache {
 public:
  // `seed`: a secret, so that nobody can choose names that meet in the table.
  ForwardCache(const ForwardCacheLimits& limits, uint64_t seed);
  ~ForwardCache();
  ForwardCache(const ForwardCache&) = delete;
  ForwardCache& operator=(const ForwardCache&) = delete;

  struct Hit {
    const UpstreamAnswer* answer = nullptr;  // nullptr: nothing known
    uint32_t age_s = 0;
    bool is_stale = false;  // ask an upstream first
    // Hit twice, and less than a tenth of at least 10 s is left: ask again
    // meanwhile. Said once per answer.
    bool is_due = false;
  };
  [[nodiscard]] Hit Find(const ForwardKey& key, uint32_t now_s);

  // Keeps it if it may be kept, in place of an older one: not with a TTL of 0,
  // which only ends the older one, and none above a tenth of bytes_max.
  void Store(const ForwardQuestion& question, UpstreamAnswer answer,
             uint32_t now_s);

  // Those of bytes count at once, the others for what is stored from now on.
  void SetLimits(const ForwardCacheLimits& limits, uint32_t now_s);

  void Flush();
  // Forgets what `is_wrong` is true of, and says how many those were.
  size_t EraseIf(absl::FunctionRef<bool(const ForwardQuestion&)> is_wrong);

  struct Row {
    const ForwardQuestion& question;
    const UpstreamAnswer& answer;
    uint32_t left_s;  // 0: stale
    size_t bytes;
  };
  // In no order, until `visit` says false.
  void ForEach(absl::FunctionRef<bool(const Row&)> visit, uint32_t now_s) const;
  [[nodiscard]] ForwardCacheStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_FORWARD_CACHE_H_
