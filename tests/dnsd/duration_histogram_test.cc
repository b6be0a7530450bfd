#include "dnsd/duration_histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace dnsd {
namespace {

// As Prometheus reads it: a bucket has what is at most its bound.
TEST(DurationHistogram, ABoundIsTheLastOfItsBucket) {
  for (size_t i = 0; i < kDurationBoundCount; ++i) {
    // The finest bounds are no whole numbers of nanoseconds.
    const auto bound = static_cast<uint64_t>(DurationBound(i) * 1e9);
    EXPECT_EQ(DurationTotals::BucketOf(bound), i) << bound;
    EXPECT_EQ(DurationTotals::BucketOf(bound + 1), i + 1) << bound;
  }
  EXPECT_EQ(DurationTotals::BucketOf(0), 0u);
  EXPECT_EQ(DurationTotals::BucketOf(3'600'000'000'000), kDurationBoundCount);
}

TEST(DurationHistogram, BoundsAreCoreDnssFromAQuarterMillisecondOn) {
  EXPECT_DOUBLE_EQ(DurationBound(kFineDurationBounds), 0.00025);
  EXPECT_DOUBLE_EQ(DurationBound(kDurationBoundCount - 1), 8.192);
}

TEST(DurationHistogram, CountsManyAtOnceAndAddsUp) {
  DurationStats worker;
  worker.Add(1'000, 64);
  worker.Add(300'000);
  worker.Add(300'000, 0);
  DurationTotals sum;
  AddTo(worker, &sum);
  AddTo(sum, &sum);
  EXPECT_EQ(sum.counts[0], 128u);
  EXPECT_EQ(sum.counts[kFineDurationBounds + 1], 2u);
  EXPECT_EQ(sum.sum_ns, 2 * (64'000u + 300'000u));
  EXPECT_EQ(std::accumulate(sum.counts.begin(), sum.counts.end(), 0u), 130u);
}

}  // namespace
}  // namespace dnsd
