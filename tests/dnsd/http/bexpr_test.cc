#include "dnsd/http/bexpr.h"

#include <string>

#include "dnsd/http/bexpr_schemas.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

class FilterTest : public ::testing::Test {
 protected:
  FilterTest() {
    node_.name = "n1";
    node_.meta = {{"zone", "a"}};
    web_.id = "w1";
    web_.name = "web";
    web_.tags = {"a"};
    web_.port = 80;
    web_.mesh.Edit().proxy_json = R"({"Upstreams":[{"DestinationName":"db"}]})";
    check_.status = HealthStatus::kWarning;
  }

  bool Matches(const std::string& text) {
    const auto filter =
        Filter<InstanceRow>::Compile(text, kHealthServiceFilter);
    EXPECT_TRUE(filter.ok()) << filter.status();
    return filter.ok() && filter->Matches({&node_, &web_, rows_});
  }

  Node node_;
  ServiceInstance web_;
  Check check_;
  CheckRow rows_[1] = {{&node_, nullptr, &check_}};
};

TEST_F(FilterTest, SelectsByEveryKindOfField) {
  for (const char* yes :
       {"", "Service.Port == 80", "a in Service.Tags", "Node.Meta.zone == a",
        "Checks.Status == warning", "Checks.ServiceTags is empty",
        "Service.Proxy.Upstreams.DestinationName == db",
        "Service.Service matches `^w`", "Service.TaggedAddresses is empty",
        "Service.Connect.Native == false", "Service.Weights.Passing == 1"}) {
    EXPECT_TRUE(Matches(yes)) << yes;
    if (*yes == '\0') continue;
    EXPECT_FALSE(Matches(std::string("not ") + yes)) << yes;
  }
}

TEST_F(FilterTest, MissingKeysAreUnequalAndMatchEverythingElse) {
  EXPECT_FALSE(Matches("Service.Meta.x == 1"));
  EXPECT_FALSE(Matches("1 in Service.Meta.x"));
  EXPECT_TRUE(Matches("Service.Meta.x != 1"));
  EXPECT_TRUE(Matches("Service.Meta.x matches 1"));
  EXPECT_TRUE(Matches("Service.Meta.x not matches 1"));
}

TEST(Filter, ErrorsAreConsuls) {
  const auto filter = Filter<Node>::Compile("Bogus.x == 1", kNodeFilter);
  EXPECT_EQ(filter.status().message(),
            "Failed to create boolean expression evaluator: "
            "Selector \"Bogus\" is not valid");
  const auto type = Filter<Node>::Compile("Meta == 1", kNodeFilter);
  EXPECT_EQ(type.status().message(),
            "Failed to create boolean expression evaluator: "
            "Invalid match operator \"Equal\" for selector \"Meta\"");
}

}  // namespace
}  // namespace dnsd
