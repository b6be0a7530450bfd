#include "catalog/consul/shrink_guard.h"

#include "gtest/gtest.h"

namespace dnsd {
namespace {

using Verdict = ShrinkGuard::Verdict;

TEST(ShrinkGuard, TakesWhatHasHalfOrMore) {
  ShrinkGuard guard(1000);
  EXPECT_EQ(guard.Judge(0, 0, 0), Verdict::kTake);
  EXPECT_EQ(guard.Judge(0, 10, 0), Verdict::kTake);
  EXPECT_EQ(guard.Judge(10, 10, 0), Verdict::kTake);
  EXPECT_EQ(guard.Judge(10, 5, 0), Verdict::kTake);
  EXPECT_EQ(guard.Judge(11, 5, 0), Verdict::kHold);
}

TEST(ShrinkGuard, HoldsBackUntilTheLimitAndNotAnewThen) {
  ShrinkGuard guard(1000);
  EXPECT_EQ(guard.Judge(10, 1, 5000), Verdict::kHold);
  EXPECT_EQ(guard.left_ms(), 1000);
  EXPECT_EQ(guard.Judge(10, 2, 5400), Verdict::kHold);
  EXPECT_EQ(guard.left_ms(), 600);
  EXPECT_EQ(guard.Judge(10, 0, 5999), Verdict::kHold);
  EXPECT_EQ(guard.left_ms(), 1);
  EXPECT_EQ(guard.Judge(10, 1, 6000), Verdict::kConfirmed);
  // The next time is another.
  EXPECT_EQ(guard.Judge(10, 1, 7000), Verdict::kHold);
  EXPECT_EQ(guard.left_ms(), 1000);
}

TEST(ShrinkGuard, FullCatalogEndsTheHold) {
  ShrinkGuard guard(1000);
  EXPECT_EQ(guard.Judge(10, 1, 0), Verdict::kHold);
  EXPECT_EQ(guard.Judge(10, 9, 500), Verdict::kTake);
  EXPECT_EQ(guard.Judge(10, 1, 1200), Verdict::kHold);
  EXPECT_EQ(guard.left_ms(), 1000);
}

TEST(ShrinkGuard, WithoutLimitNothingIsHeldBack) {
  ShrinkGuard guard(0);
  EXPECT_EQ(guard.Judge(1000, 0, 0), Verdict::kTake);
}

}  // namespace
}  // namespace dnsd
