// DurationHistogram counts durations in buckets that double. HOT PATH
//
// Threads: with Number = Counter (dnsd/counter.h) written by one thread and
//          read by any; with uint64_t a plain value.
// Cost:    Add() is two increments, however many durations it counts.
// Units:   nanoseconds in, seconds out. The bounds are a quarter of a
//          millisecond times powers of two, so that those of CoreDNS's
//          histograms are among them: from 3.9 us to 8.192 s.
#ifndef DNSD_DNSD_DURATION_HISTOGRAM_H_
#define DNSD_DNSD_DURATION_HISTOGRAM_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "catalog/base/monotonic_time.h"
#include "dnsd/counter.h"

namespace dnsd {

inline constexpr size_t kDurationBoundCount = 22;
// Of them, those below a quarter of a millisecond.
inline constexpr int kFineDurationBounds = 6;

// A duration in the bucket is at most so long.
[[nodiscard]] inline double DurationBound(size_t bucket) {
  return std::ldexp(0.00025, static_cast<int>(bucket) - kFineDurationBounds);
}

template <typename Number>
struct DurationHistogram {
  // The last bucket has no bound.
  std::array<Number, kDurationBoundCount + 1> counts{};
  Number sum_ns{};

  // `times` durations of that length.
  void Add(uint64_t ns, uint64_t times = 1) {
    Increase(&counts[BucketOf(ns)], times);
    Increase(&sum_ns, ns * times);
  }

  [[nodiscard]] static size_t BucketOf(uint64_t ns) {
    // The first bound is 0.00025 s / 2^6, or 15,625 quarters of a nanosecond.
    const uint64_t quarters = ns * 4;
    const uint64_t multiple = quarters == 0 ? 0 : (quarters - 1) / 15'625;
    return std::min<size_t>(std::bit_width(multiple), kDurationBoundCount);
  }

 private:
  static void Increase(Counter* number, uint64_t by) { number->Add(by); }
  static void Increase(uint64_t* number, uint64_t by) { *number += by; }
};

using DurationStats = DurationHistogram<Counter>;
using DurationTotals = DurationHistogram<uint64_t>;

inline void AddTo(const DurationStats& from, DurationTotals* to) {
  for (size_t i = 0; i < from.counts.size(); ++i) {
    to->counts[i] += from.counts[i].value();
  }
  to->sum_ns += from.sum_ns.value();
}

inline void AddTo(const DurationTotals& from, DurationTotals* to) {
  for (size_t i = 0; i < from.counts.size(); ++i) {
    to->counts[i] += from.counts[i];
  }
  to->sum_ns += from.sum_ns;
}

}  // namespace dnsd

#endif  // DNSD_DNSD_DURATION_HISTOGRAM_H_
