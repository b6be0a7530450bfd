// Names against rules, beside the slow way: look at every rule.
#include "dnsd/acl/rule_table.h"

#include <random>
#include <string>

#include "absl/strings/match.h"
#include "gtest/gtest.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

constexpr AclResource kService = AclResource::kService;

// The exact rules, else those of the longest prefix; of several the strongest.
AclAccess Slowly(const AclRules& rules, const std::string& name) {
  AclAccess found = AclAccess::kNone;
  int best = -1;
  for (const AclRule& rule : rules) {
    if (rule.resource != kService) continue;
    const bool fits =
        rule.is_prefix ? absl::StartsWith(name, rule.name) : name == rule.name;
    if (!fits) continue;
    const int rank = rule.is_prefix ? static_cast<int>(rule.name.size()) : 1000;
    if (rank > best) found = AclAccess::kNone;
    if (rank < best) continue;
    best = rank;
    if (found != AclAccess::kDeny &&
        (rule.access == AclAccess::kDeny || rule.access > found)) {
      found = rule.access;
    }
  }
  return found;
}

std::string RandomName(std::mt19937_64* random) {
  std::string name((*random)() % 6, '\0');
  for (char& c : name) c = "ab\xff"[(*random)() % 3];
  return name;
}

TEST(RuleTable, FindsWhatLookingAtEveryRuleFinds) {
  std::mt19937_64 random(testing::TestSeed());
  for (int round = 0; round < testing::Scaled(500); ++round) {
    AclRules rules;
    for (size_t i = random() % 20; i > 0; --i) {
      rules.push_back({random() % 8 == 0 ? AclResource::kNode : kService,
                       RandomName(&random), random() % 2 == 0,
                       static_cast<AclAccess>(1 + random() % 4)});
    }
    const RuleTable table(rules, kService);
    for (int i = 0; i < 100; ++i) {
      const std::string name = RandomName(&random);
      EXPECT_EQ(table.Find(name), Slowly(rules, name)) << name;
    }
  }
}

TEST(RuleTable, KnowsNothingWithoutRules) {
  EXPECT_EQ(RuleTable().Find(""), AclAccess::kNone);
  EXPECT_EQ(RuleTable().Find("web"), AclAccess::kNone);
}

}  // namespace
}  // namespace dnsd
