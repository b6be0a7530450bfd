// What is asked for most, in fixed memory.
#include "dnsd/querylog/top_names.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "tests/testing/seeds.h"
#include "zones/random.h"

namespace dnsd {
namespace {

TEST(TopNames, CountsExactlyWhileAllHavePlaces) {
  TopNames top;
  for (int i = 0; i < 5; ++i) top.Add("a", 64);
  top.Add("b", 64);
  top.Add("c", 64);
  const std::vector<TopName> all = {{"a", 320}, {"b", 64}, {"c", 64}};
  EXPECT_EQ(top.Top(10), all);
  EXPECT_EQ(top.Top(1), std::vector<TopName>({{"a", 320}}));
  EXPECT_TRUE(TopNames().Top(10).empty());
}

// Twenty names among a flood of names that are never asked for twice.
TEST(TopNames, FindsWhatIsOftenInAFlood) {
  Random random(testing::TestSeed());
  TopNames top;
  std::map<std::string, uint64_t> truth;
  const uint32_t adds = 100'000;
  for (uint32_t i = 0; i < adds; ++i) {
    if (random.Below(100) < 30) {
      // The first is asked for twenty times as often as the last.
      const uint32_t drawn = random.Below(210);
      uint32_t name = 0;
      for (uint32_t sum = 20; drawn >= sum; sum += 20 - name) ++name;
      ++truth[absl::StrCat("often-", name)];
      top.Add(absl::StrCat("often-", name), 1);
    } else {
      top.Add(absl::StrCat("flood-", i), 1);
    }
  }
  ASSERT_EQ(truth.size(), 20u);
  std::map<std::string, uint64_t> found;
  for (const TopName& name : top.Top(kTopNamesPlaces)) {
    found[name.name] = name.count;
  }
  EXPECT_EQ(found.size(), kTopNamesPlaces);
  // Whatever is more than adds / kPlaces is among them, counted at most by
  // that much too low.
  const uint64_t error = adds / kTopNamesPlaces + 1;
  for (const auto& [name, count] : truth) {
    if (count <= error) continue;
    ASSERT_EQ(found.count(name), 1u) << name << " " << count;
    EXPECT_LE(found[name], count) << name;
    EXPECT_GE(found[name] + error, count) << name;
  }
  EXPECT_EQ(top.Top(1)[0].name, "often-0");
}

}  // namespace
}  // namespace dnsd
