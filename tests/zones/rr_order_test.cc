#include "zones/rr_order.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

using testing::TestSeed;

std::vector<uint32_t> Walk(uint32_t count, Random* random) {
  const RrOrder order(count, random);
  std::vector<uint32_t> walk;
  uint32_t at = order.First();
  for (uint32_t i = 0; i < count; ++i, at = order.Next(at)) walk.push_back(at);
  return walk;
}

TEST(RrOrder, VisitsEachRecordOnce) {
  Random random(TestSeed());
  for (uint32_t count = 1; count <= 300; ++count) {
    for (int i = 0; i < 40; ++i) {
      const std::vector<uint32_t> walk = Walk(count, &random);
      ASSERT_EQ(std::set<uint32_t>(walk.begin(), walk.end()).size(), count);
      for (uint32_t index : walk) ASSERT_LT(index, count);
    }
  }
  for (uint32_t count : {1000u, 4096u, 65536u, 30030u}) {
    const std::vector<uint32_t> walk = Walk(count, &random);
    EXPECT_EQ(std::set<uint32_t>(walk.begin(), walk.end()).size(), count);
  }
}

TEST(RrOrder, OneRecordCostsNoRandomNumber) {
  Random random(1);
  Random same(1);
  EXPECT_EQ(Walk(1, &random), std::vector<uint32_t>{0});
  EXPECT_EQ(random.Next(), same.Next());
}

TEST(RrOrder, AllOrdersOfTwoAndThreeAreReached) {
  Random random(TestSeed());
  std::set<std::vector<uint32_t>> two;
  std::set<std::vector<uint32_t>> three;
  for (int i = 0; i < 2000; ++i) {
    two.insert(Walk(2, &random));
    three.insert(Walk(3, &random));
  }
  EXPECT_EQ(two.size(), 2u);
  EXPECT_EQ(three.size(), 6u);
}

TEST(RrOrder, EveryRecordComesFirstEquallyOften) {
  Random random(TestSeed());
  for (uint32_t count : {2u, 3u, 5u, 8u, 13u}) {
    constexpr int kRounds = 40000;
    std::vector<int> first(count);
    for (int i = 0; i < kRounds; ++i) {
      const RrOrder order(count, &random);
      ++first[order.First()];
    }
    const double expected = static_cast<double>(kRounds) / count;
    for (int times : first) {
      // Five standard deviations of a binomial, rounded up.
      EXPECT_NEAR(times, expected, 5 * 100) << count;
    }
  }
}

// When record 0 is dead, its clients go to the one after it. With plain
// rotation that would be one neighbour, every time.
TEST(RrOrder, TheLoadOfADeadRecordSpreadsOverOthers) {
  Random random(TestSeed());
  for (uint32_t count : {3u, 4u, 5u, 6u, 7u, 8u, 10u, 16u, 30u}) {
    std::map<uint32_t, int> heirs;
    int total = 0;
    for (int i = 0; i < 100000; ++i) {
      const RrOrder order(count, &random);
      if (order.First() != 0) continue;
      ++heirs[order.Next(0)];
      ++total;
    }
    for (const auto& [heir, times] : heirs) {
      EXPECT_LT(times, total * 7 / 10)
          << "record " << heir << " of " << count << " inherits "
          << 100 * times / total << " %";
    }
    EXPECT_GE(heirs.size(), 2u);
  }
}

TEST(Random, BelowStaysBelowAndReachesAll) {
  Random random(TestSeed());
  for (uint32_t bound : {1u, 2u, 3u, 10u}) {
    std::set<uint32_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(random.Below(bound));
    EXPECT_EQ(seen.size(), bound);
    EXPECT_LT(*seen.rbegin(), bound);
  }
  EXPECT_LT(random.Below(UINT32_MAX), UINT32_MAX);
}

TEST(Random, TheSeedDecidesTheSequence) {
  Random a(7);
  Random b(7);
  Random c(8);
  const uint64_t first = a.Next();
  EXPECT_EQ(first, b.Next());
  EXPECT_NE(first, c.Next());
  EXPECT_NE(first, a.Next());
}

}  // namespace
}  // namespace dnsd
