#include "zones/policy.h"

#include <gtest/gtest.h>

namespace dnsd {
namespace {

TEST(ServiceTtl, FollowsConsulsPrecedence) {
  ZonePolicy policy;
  policy.service_ttl = {{"d*", 42}, {"db", 10}, {"db*", 66}, {"*", 5}};
  EXPECT_EQ(ServiceTtl(policy, "db"), 10u) << "exact";
  EXPECT_EQ(ServiceTtl(policy, "dblb"), 66u) << "longest prefix";
  EXPECT_EQ(ServiceTtl(policy, "dk"), 42u) << "shorter prefix";
  EXPECT_EQ(ServiceTtl(policy, "d"), 42u) << "a prefix of the whole name";
  EXPECT_EQ(ServiceTtl(policy, "api"), 5u) << "the star";
}

TEST(ServiceTtl, IsZeroWhenNothingFits) {
  ZonePolicy policy;
  EXPECT_EQ(ServiceTtl(policy, "web"), 0u);
  policy.service_ttl = {{"api", 7}, {"web-*", 8}, {"", 9}};
  EXPECT_EQ(ServiceTtl(policy, "web"), 0u);
}

TEST(ServiceTtl, AZeroIsAnAnswerToo) {
  ZonePolicy policy;
  policy.service_ttl = {{"*", 30}, {"we*", 0}, {"web", 0}};
  EXPECT_EQ(ServiceTtl(policy, "web"), 0u);
  EXPECT_EQ(ServiceTtl(policy, "wen"), 0u);
  EXPECT_EQ(ServiceTtl(policy, "w"), 30u);
}

TEST(ServiceTtl, AStarInTheMiddleIsAnOrdinaryCharacter) {
  ZonePolicy policy;
  policy.service_ttl = {{"a*b", 1}, {"a*b*", 2}};
  EXPECT_EQ(ServiceTtl(policy, "axb"), 0u);
  EXPECT_EQ(ServiceTtl(policy, "a*b"), 1u);
  EXPECT_EQ(ServiceTtl(policy, "a*bc"), 2u);
}

TEST(ServiceTtl, APrefixLongerThanTheNameDoesNotFit) {
  ZonePolicy policy;
  policy.service_ttl = {{"webserver*", 3}, {"*", 1}};
  EXPECT_EQ(ServiceTtl(policy, "web"), 1u);
}

}  // namespace
}  // namespace dnsd
