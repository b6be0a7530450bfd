// What an explanation says of each reason for which an instance is left out,
// and of names that do not exist.
#include "dnsd/explain/explain.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dnsd/acl/acl.h"
#include "tests/testing/catalog_maker.h"
#include "tests/zones/view_dump.h"
#include "zones/name.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using testing::MakePreparedQuery;
using testing::MakeQueryTemplate;
using testing::ViewLine;

class ExplainTest : public ::testing::Test {
 protected:
  ExplainTest() {
    policy_.node_name = "n1";
    Put(BatchMaker()
            .Put(MakeNode("n1", "10.0.0.1"))
            .Put(MakeNode("n2", "10.0.0.2"))
            .Put(MakeNode("far", "10.9.0.1", "dc2"))
            .Put({"dc1", "n1"}, MakeInstance("w1", "web", "", 80, {"v1"}))
            .Put({"dc1", "n2"}, MakeInstance("w2", "web", "", 81, {"v2"}))
            .Put({"dc2", "far"}, MakeInstance("c1", "cart", "", 90)));
  }

  void Put(const BatchMaker& batch) { dirty_.Merge(batch.ApplyTo(&state_)); }

  Explanation Ask(const std::string& name, uint16_t type = kTypeA,
                  Transport transport = Transport::kUdp,
                  uint16_t edns_bytes = 1232) {
    ExplainQuestion question;
    EXPECT_TRUE(NameToWire(name, &question.name));
    question.type = type;
    question.transport = transport;
    question.edns_bytes = edns_bytes;
    return Ask(question);
  }
  Explanation Ask(const ExplainQuestion& question) {
    line_.builder().SetPolicy(policy_);
    line_.builder().SetRights(rights_);
    line_.builder().SetZones(zones_);
    ExplainContext context{state_, line_.Publish(state_, dirty_), rights_};
    dirty_ = {};
    context.reader = reader_.get();
    context.may_read_query = may_read_query_;
    context.forward = forward_;
    found_ = Explain(context, question);
    return found_;
  }

  // The reason of an instance; "+": it is included.
  std::string Reason(const std::string& id) const {
    for (const ExplainedInstance& instance : found_.instances) {
      if (instance.service_id != id) continue;
      return instance.included ? "+" : instance.reason;
    }
    return "not listed";
  }
  [[nodiscard]] std::string Steps() const {
    return absl::StrJoin(found_.steps, "\n");
  }

  static std::shared_ptr<const Authorizer> Rights(const std::string& rules) {
    Problems problems;
    return std::make_shared<const Authorizer>(
        "t", ParseAclRules(rules, {}, &problems), true);
  }

  State state_;
  Dirty dirty_;
  ZonePolicy policy_;
  AskerRights rights_;
  std::shared_ptr<const CatalogRights> reader_;
  std::function<bool(const PreparedQuery&)> may_read_query_;
  std::vector<ExplainForward> forward_;
  ViewBuilder::Zones zones_;
  ViewLine line_;
  Explanation found_;
};

TEST_F(ExplainTest, WhatIsServedIsIncluded) {
  Ask("web.service.consul");
  EXPECT_EQ(found_.rcode, "NOERROR");
  EXPECT_EQ(found_.source, "catalog");
  EXPECT_EQ(found_.kind, "service");
  EXPECT_EQ(found_.service, "web");
  EXPECT_EQ(found_.datacenter, "dc1");
  EXPECT_EQ(found_.name, "web.service.consul.");
  EXPECT_EQ(Reason("w1"), "+");
  EXPECT_EQ(Reason("w2"), "+");
  ASSERT_EQ(found_.answer.size(), 2u);
  EXPECT_EQ(found_.answer[0].type, "A");
  EXPECT_TRUE(absl::StrContains(Steps(), "2 of 2 instances are in the answer"))
      << Steps();
}

TEST_F(ExplainTest, ACriticalCheckOfTheServiceOrTheNodeIsNamed) {
  Put(BatchMaker()
          .Put({"dc1", "n1"}, MakeCheck("alive", "w1", HealthStatus::kCritical))
          .Put({"dc1", "n2"}, MakeCheck("serf", "", HealthStatus::kCritical)));
  Ask("web.service.consul");
  EXPECT_EQ(Reason("w1"), "the check \"alive\" of the service is critical");
  EXPECT_EQ(Reason("w2"), "the check \"serf\" of its node is critical");
  EXPECT_EQ(found_.rcode, "NXDOMAIN");
  EXPECT_TRUE(absl::StrContains(Steps(), "All of them are critical"))
      << Steps();
  ASSERT_EQ(found_.instances[0].checks.size(), 1u);
  EXPECT_EQ(found_.instances[0].checks[0].status, "critical");
}

TEST_F(ExplainTest, AWarningIsLeftOutByOnlyPassingAlone) {
  Put(BatchMaker().Put({"dc1", "n1"},
                       MakeCheck("slow", "w1", HealthStatus::kWarning)));
  Ask("web.service.consul");
  EXPECT_EQ(Reason("w1"), "+");
  policy_.only_passing = true;
  Ask("web.service.consul");
  EXPECT_EQ(Reason("w1"),
            "the check \"slow\" of the service is warning, and "
            "dns_config.only_passing leaves only what is passing");
  EXPECT_EQ(Reason("w2"), "+");
}

TEST_F(ExplainTest, MaintenanceModeIsToldWithItsReason) {
  Check node = MakeCheck("_node_maintenance", "", HealthStatus::kCritical);
  node.notes = "new disk";
  Put(BatchMaker()
          .Put({"dc1", "n1"}, node)
          .Put({"dc1", "n2"}, MakeCheck("_service_maintenance:w2", "w2",
                                        HealthStatus::kCritical)));
  Ask("web.service.consul");
  EXPECT_EQ(Reason("w1"), "the node is in maintenance mode: new disk");
  EXPECT_EQ(Reason("w2"), "it is in maintenance mode");
}

TEST_F(ExplainTest, TagsThatDoNotMatchAreListed) {
  Ask("v1.web.service.consul");
  EXPECT_EQ(found_.tag, "v1");
  EXPECT_EQ(Reason("w1"), "+");
  EXPECT_EQ(Reason("w2"), "it does not have the tag \"v1\"; it has: v2");
  Ask("v3.web.service.consul");
  EXPECT_EQ(found_.rcode, "NXDOMAIN");
  EXPECT_TRUE(absl::StrContains(Steps(), "its tags are v1, v2")) << Steps();
  EXPECT_EQ(found_.suggestions,
            std::vector<std::string>{"web.service.consul."});
}

TEST_F(ExplainTest, TheOtherFamilyIsTold) {
  Put(BatchMaker().Put({"dc1", "n1"},
                       MakeInstance("w6", "web", "2001:db8::1", 80)));
  Ask("web.service.consul");
  EXPECT_EQ(Reason("w6"), "its address 2001:db8::1 is IPv6: ask for AAAA");
  Ask("web.service.consul", kTypeAaaa);
  EXPECT_EQ(Reason("w6"), "+");
  EXPECT_EQ(Reason("w1"), "its address 10.0.0.1 is IPv4: ask for A");
  Ask("web.service.consul", kTypeMx);
  EXPECT_EQ(Reason("w1"), "a service has no records of type MX");
}

TEST_F(ExplainTest, LimitsOfTheAnswerAreNamed) {
  policy_.a_record_limit = 1;
  Ask("web.service.consul");
  const std::string one = Reason("w1") == "+" ? Reason("w2") : Reason("w1");
  EXPECT_EQ(one, "dns_config.a_record_limit = 1: each answer has others");
  policy_.a_record_limit = 0;
  policy_.udp_answer_limit = 1;
  Ask("web.service.consul", kTypeA, Transport::kUdp, 0);
  EXPECT_TRUE(found_.is_truncated);
  const std::string udp = Reason("w1") == "+" ? Reason("w2") : Reason("w1");
  EXPECT_TRUE(absl::StrContains(udp, "udp_answer_limit")) << udp;
  Ask("web.service.consul", kTypeA, Transport::kTcp, 0);
  EXPECT_EQ(Reason("w1") + Reason("w2"), "++");
}

TEST_F(ExplainTest, WhatDoesNotFitUdpIsTold) {
  BatchMaker batch;
  for (int i = 0; i < 200; ++i) {
    batch.Put({"dc1", "n1"}, MakeInstance(absl::StrCat("b", i), "big",
                                          absl::StrCat("10.1.0.", i), 80));
  }
  Put(batch);
  Ask("big.service.consul");
  EXPECT_TRUE(found_.is_truncated);
  size_t full = 0;
  for (const ExplainedInstance& instance : found_.instances) {
    if (absl::StrContains(instance.reason, "the answer is full")) ++full;
  }
  EXPECT_EQ(full + found_.answer.size(), 200u);
  EXPECT_TRUE(absl::StrContains(Steps(), "TC")) << Steps();
}

TEST_F(ExplainTest, TheTokenOfDnsHidesAndTheReaderDoesNotSee) {
  rights_.asker = Rights("node \"n1\" { policy = \"deny\" }");
  Ask("web.service.consul");
  EXPECT_EQ(Reason("w1"),
            "the token of DNS (acl.tokens.dns) may not read the node \"n1\"");
  EXPECT_EQ(Reason("w2"), "+");
  reader_ = Rights("node \"n2\" { policy = \"deny\" }");
  Ask("web.service.consul");
  EXPECT_EQ(Reason("w2"), "not listed");
  EXPECT_EQ(found_.instance_count, 1u);
  EXPECT_TRUE(absl::StrContains(Steps(), "your token may not read them"));
  ASSERT_EQ(found_.answer.size(), 1u);
}

TEST_F(ExplainTest, NamesThatDoNotExistGetHints) {
  Ask("wbe.service.consul");
  EXPECT_EQ(found_.suggestions,
            std::vector<std::string>{"web.service.consul."});
  Ask("cart.service.consul");
  EXPECT_EQ(found_.suggestions,
            std::vector<std::string>{"cart.service.dc2.consul."});
  Ask("n1.service.consul");
  EXPECT_EQ(found_.suggestions, std::vector<std::string>{"n1.node.consul."});
  Ask("web.v1.service.consul");
  EXPECT_EQ(found_.suggestions,
            std::vector<std::string>{"v1.web.service.consul."});
  Ask("web.consul");
  EXPECT_EQ(found_.kind, "unknown");
  EXPECT_EQ(found_.suggestions,
            std::vector<std::string>{"web.service.consul."});
  Ask("web.services.consul");
  EXPECT_EQ(found_.suggestions,
            std::vector<std::string>{"web.service.consul."});
  Ask("web.service.dc9.consul");
  EXPECT_TRUE(absl::StrContains(Steps(), "Known datacenters: dc1, dc2"))
      << Steps();
  Ask("n3.node.consul");
  EXPECT_EQ(found_.suggestions.size(), 2u);
  reader_ = Rights("service \"web\" { policy = \"deny\" }");
  Ask("wbe.service.consul");
  EXPECT_TRUE(found_.suggestions.empty());
}

TEST_F(ExplainTest, AQueryTellsItsFiltersAndItsFailover) {
  PreparedQuery query = MakePreparedQuery("1d", "shop", "web");
  query.tags = {"v1"};
  PreparedQuery away = MakePreparedQuery("2d", "away", "cart");
  away.failover_datacenters = {"dc2"};
  Put(BatchMaker().Put(query).Put(away));
  Ask("shop.query.consul");
  EXPECT_EQ(found_.kind, "query");
  EXPECT_EQ(Reason("w1"), "+");
  EXPECT_EQ(Reason("w2"), "its tags (v2) are not what the query wants (v1)");
  Ask("away.query.consul");
  EXPECT_EQ(Reason("c1"), "+");
  EXPECT_TRUE(absl::StrContains(Steps(), "finds nothing in datacenter dc1"))
      << Steps();
  Ask("none.query.consul");
  EXPECT_TRUE(absl::StrContains(Steps(), "There is no prepared query"));
}

TEST_F(ExplainTest, AQueryThatMayNotBeReadIsNotTold) {
  PreparedQuery query = MakePreparedQuery("1d", "shop", "web");
  query.tags = {"v1"};
  query.failover_datacenters = {"dc2"};
  Put(BatchMaker().Put(query));
  may_read_query_ = [](const PreparedQuery& asked) {
    return asked.name != "shop";
  };
  Ask("shop.query.consul");
  EXPECT_EQ(found_.rcode, "NOERROR");
  EXPECT_EQ(found_.answer.size(), 1u);
  EXPECT_EQ(found_.service, "");
  EXPECT_TRUE(found_.instances.empty());
  EXPECT_EQ(Steps(),
            "It stands for a prepared query, and your token may not read the "
            "query.\n"
            "The answer has 1 record and 0 in ADDITIONAL.");
}

// Bytes that DNS writes with a backslash are the catalog's as they are.
TEST_F(ExplainTest, NamesWithBytesThatDnsEscapesAreFound) {
  Put(BatchMaker()
          .Put(MakeNode("n 3", "10.0.0.3"))
          .Put({"dc1", "n 3"}, MakeInstance("m1", "my web", "", 80, {"a b"}))
          .Put({"dc1", "n 3"}, MakeInstance("d1", "a.b", "", 80))
          .Put(MakeQueryTemplate("1d", "a", "web")));
  Ask("my web.service.consul");
  EXPECT_EQ(found_.name, "my\\032web.service.consul.");
  EXPECT_EQ(found_.service, "my web");
  EXPECT_EQ(Reason("m1"), "+");
  Ask("a b.my web.service.consul");
  EXPECT_EQ(found_.tag, "a b");
  EXPECT_EQ(Reason("m1"), "+");
  Ask("c.my web.service.consul");
  EXPECT_EQ(Reason("m1"), "it does not have the tag \"c\"; it has: a b");
  EXPECT_EQ(found_.suggestions,
            std::vector<std::string>{"my\\032web.service.consul."});
  Ask("my wbe.service.consul");
  EXPECT_EQ(found_.suggestions,
            std::vector<std::string>{"my\\032web.service.consul."});
  Ask("n 3.node.consul");
  EXPECT_TRUE(absl::StrContains(Steps(), "The node's address is 10.0.0.3"))
      << Steps();
  // Consul looks for queries by what its DNS library makes of the name.
  Ask("a b.query.consul");
  ASSERT_EQ(found_.source, "pending");
  ASSERT_TRUE(line_.builder().AskQuery(
      found_.asked.datacenter, {found_.asked.name, found_.asked.name_size}));
  Ask("a b.query.consul");
  EXPECT_EQ(Reason("w1"), "+");
  EXPECT_EQ(found_.query, "a\\ b");
  EXPECT_TRUE(absl::StrContains(Steps(), "stands for the prepared query"))
      << Steps();
  // But a dot separates in the catalog, whatever a question has of labels.
  ExplainQuestion dotted;
  ASSERT_TRUE(NameToWire("a-b.service.consul", &dotted.name));
  dotted.name[2] = '.';
  Ask(dotted);
  EXPECT_EQ(found_.rcode, "NXDOMAIN");
  EXPECT_EQ(Reason("d1"), "not listed");
  EXPECT_TRUE(absl::StrContains(Steps(), "There is no such service"))
      << Steps();
}

// Counts the looks at instances.
class CountingRights : public CatalogRights {
 public:
  [[nodiscard]] bool MayReadNode(absl::string_view) const override {
    ++count_;
    return true;
  }
  [[nodiscard]] bool MayReadService(absl::string_view) const override {
    return true;
  }
  [[nodiscard]] size_t TakeCount() const { return std::exchange(count_, 0); }

 private:
  mutable size_t count_ = 0;
};

TEST_F(ExplainTest, ALargeServiceIsLookedAtOnce) {
  constexpr size_t kCount = kExplainInstancesMax + 500;
  BatchMaker batch;
  for (size_t i = 0; i < kCount; ++i) {
    batch.Put({"dc1", "n1"}, MakeInstance(absl::StrCat("b", i), "big", "", 80));
  }
  PreparedQuery query = MakePreparedQuery("1d", "shop", "big");
  query.token = "its";
  Put(batch.Put(query));
  const auto its = std::make_shared<const CountingRights>();
  rights_.of_token = [&its](const std::string&) { return its; };
  Ask("shop.query.consul");
  const ExplainContext context{state_, line_.view(), rights_};
  ExplainQuestion question;
  ASSERT_TRUE(NameToWire("shop.query.consul", &question.name));
  (void)its->TakeCount();
  found_ = Explain(context, question);
  EXPECT_LE(its->TakeCount(), kCount);
  EXPECT_EQ(found_.instance_count, kCount);
  EXPECT_EQ(found_.instances.size(), kExplainInstancesMax);
  EXPECT_TRUE(absl::StrContains(
      Steps(), absl::StrCat("It finds ", kCount, " in datacenter dc1.")))
      << Steps();

  const auto reader = std::make_shared<const CountingRights>();
  reader_ = reader;
  Put(BatchMaker().Put({"dc1", "n1"},
                       MakeCheck("serf", "", HealthStatus::kCritical)));
  Ask("big.service.consul");
  EXPECT_EQ(found_.rcode, "NXDOMAIN");
  EXPECT_LE(reader->TakeCount(), kCount + 1);
  EXPECT_EQ(found_.instance_count, kCount);
  EXPECT_EQ(found_.instances.size(), kExplainInstancesMax);
  EXPECT_TRUE(absl::StrContains(Steps(), "All of them are critical"))
      << Steps();
}

TEST_F(ExplainTest, NodesAndReverseNames) {
  Ask("n1.node.consul");
  EXPECT_EQ(found_.kind, "node");
  EXPECT_TRUE(absl::StrContains(Steps(), "The node's address is 10.0.0.1"));
  Ask("1.0.0.10.in-addr.arpa", kTypePtr);
  EXPECT_EQ(found_.kind, "ptr");
  EXPECT_EQ(found_.answer[0].data, "n1.node.dc1.consul.");
  Ask("9.0.0.10.in-addr.arpa", kTypePtr);
  EXPECT_EQ(found_.rcode, "NXDOMAIN");
  Ask("0a000001.addr.consul");
  EXPECT_EQ(found_.kind, "addr");
  Ask("consul", kTypeSoa);
  EXPECT_EQ(found_.kind, "apex");
}

TEST_F(ExplainTest, NamesOfOthers) {
  Ask("www.example.com");
  EXPECT_EQ(found_.source, "refused");
  EXPECT_EQ(found_.rcode, "REFUSED");
  EXPECT_TRUE(absl::StrContains(Steps(), "no `recursors`")) << Steps();
  policy_.recursion_available = true;
  std::string corp;
  ASSERT_TRUE(NameToWire("corp.example", &corp));
  forward_ = {{std::string(1, '\0'), {"192.0.2.53:53"}, "fastest"},
              {corp, {}, "", true}};
  Ask("www.example.com");
  EXPECT_EQ(found_.source, "forward");
  EXPECT_TRUE(absl::StrContains(Steps(), "192.0.2.53:53")) << Steps();
  Ask("a.corp.example");
  EXPECT_EQ(found_.source, "refused");
  EXPECT_TRUE(absl::StrContains(Steps(), "`refuse`")) << Steps();
}

}  // namespace
}  // namespace dnsd
