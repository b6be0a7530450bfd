// What each answer of a Consul changes, and what an answer that is too old
// does not. mirror_table_model_test.cc has all of it at random.
#include "catalog/consul/mirror_table.h"

#include <algorithm>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "tests/testing/catalog_maker.h"

namespace dnsd {
namespace {

using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using testing::MakePreparedQuery;

struct Texts {
  std::string operator()(const UpsertNode& c) const {
    return absl::StrCat("+node ", c.node.name, " ", c.node.address);
  }
  std::string operator()(const RemoveNode& c) const {
    return "-node " + c.key.node;
  }
  std::string operator()(const UpsertInstance& c) const {
    return absl::StrCat(
        "+", c.key.node, "/", c.instance.id.view(), ":", c.instance.port,
        c.instance.mesh->gateway_services.empty() ? "" : " for ",
        absl::StrJoin(c.instance.mesh->gateway_services, ","));
  }
  std::string operator()(const RemoveInstance& c) const {
    return absl::StrCat("-", c.key.node, "/", c.service_id);
  }
  std::string operator()(const UpsertCheck& c) const {
    return absl::StrCat("+check ", c.key.node, "/", c.check.id.view(), " ",
                        HealthStatusName(c.check.status));
  }
  std::string operator()(const RemoveCheck& c) const {
    return absl::StrCat("-check ", c.key.node, "/", c.check_id);
  }
  std::string operator()(const UpsertQuery& c) const {
    return "+query " + c.query.id;
  }
  std::string operator()(const RemoveQuery& c) const {
    return "-query " + c.id;
  }
};

// Takes the changes away, as lines.
std::vector<std::string> Taken(Changes* changes) {
  std::vector<std::string> texts;
  for (const Change& change : *changes) {
    texts.push_back(std::visit(Texts(), change));
  }
  changes->clear();
  return texts;
}

using Lines = std::vector<std::string>;

// A node of this age with an instance "web" of that, and its check.
NodeReport Web(const std::string& node, uint64_t node_index,
               uint64_t instance_index, uint16_t port = 80,
               HealthStatus status = HealthStatus::kPassing) {
  NodeReport report;
  report.node = MakeNode(node, "10.0.0.1");
  report.modify_index = node_index;
  report.instances.push_back(
      {MakeInstance("web", "web", "", port), instance_index});
  report.checks.push_back(
      {node, MakeCheck("alive", "web", status), "web", instance_index});
  return report;
}

NodeReport Bare(const std::string& node, uint64_t index,
                const std::string& address = "10.0.0.1") {
  NodeReport report;
  report.node = MakeNode(node, address);
  report.modify_index = index;
  return report;
}

class MirrorTableTest : public ::testing::Test {
 protected:
  MirrorTableTest() {
    table_.ApplyAll(10, {Web("a", 5, 6), Web("b", 7, 8)}, /*reset=*/true,
                    &changes_);
    first_ = Taken(&changes_);
  }

  MirrorTable table_{"dc1"};
  Changes changes_;
  Lines first_;
};

// By all checks, services that have an instance more or less.
TEST_F(MirrorTableTest, ChecksShowWhichServicesHaveChanged) {
  const auto changed = [this](uint64_t index, std::vector<CheckReport> checks) {
    return absl::StrJoin(table_.FindChanged(index, checks), " ");
  };
  const CheckReport a = Web("a", 5, 6).checks[0];
  const CheckReport b = Web("b", 7, 8).checks[0];
  const auto other = [](const std::string& node, const std::string& id,
                        const std::string& service) {
    return CheckReport{node, MakeCheck(id, service, HealthStatus::kPassing),
                       service == "" ? "" : "API", 9};
  };
  EXPECT_EQ(changed(10, {a, b}), "");
  EXPECT_EQ(changed(10, {a}), "web");  // gone
  EXPECT_EQ(changed(7, {a}), "");      // younger than the answer
  EXPECT_EQ(changed(10, {a, b, other("a", "x", "api")}), "api");
  EXPECT_EQ(changed(10, {a, b, other("new", "x", "api")}), "api");
  EXPECT_EQ(changed(10, {a, b, other("a", "disk", "")}), "");  // of the node
  // The same id, of another instance now.
  EXPECT_EQ(changed(10, {a, other("b", "alive", "api")}), "api web");
}

TEST_F(MirrorTableTest, LoadIsAllThereIsAndTheSameLoadIsNothing) {
  EXPECT_EQ(first_,
            (Lines{"+node a 10.0.0.1", "+a/web:80", "+check a/alive passing",
                   "+node b 10.0.0.1", "+b/web:80", "+check b/alive passing"}));
  table_.ApplyAll(11, {Web("a", 5, 6), Web("b", 7, 8)}, /*reset=*/false,
                  &changes_);
  table_.ApplyService("web", 11, {Web("a", 5, 6), Web("b", 7, 8)}, &changes_);
  table_.ApplyNodes(11, {Bare("a", 5), Bare("b", 7)}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines());
  EXPECT_EQ(table_.node_count(), 2u);
  EXPECT_EQ(table_.instance_count(), 2u);
  EXPECT_EQ(table_.check_count(), 2u);
  EXPECT_EQ(table_.service_count(), 1u);
}

TEST_F(MirrorTableTest, ServiceChangesAndLosesInstances) {
  table_.ApplyService("WEB", 12, {Web("a", 5, 12, 81, HealthStatus::kCritical)},
                      &changes_);
  EXPECT_EQ(Taken(&changes_),
            (Lines{"+a/web:81", "+check a/alive critical", "-b/web"}));
  table_.ApplyService("web", 13, {}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines{"-a/web"});
  EXPECT_EQ(table_.check_count(), 0u);
  EXPECT_FALSE(table_.HasService("web"));
}

TEST_F(MirrorTableTest, OlderAnswerChangesNothingThatIsYounger) {
  table_.ApplyService("web", 20, {Web("a", 20, 20, 82), Web("b", 20, 20)},
                      &changes_);
  EXPECT_EQ(Taken(&changes_), (Lines{"+a/web:82"}));
  // Overtaken: neither its values nor what it lacks count.
  table_.ApplyService("web", 12, {Web("a", 5, 12, 81)}, &changes_);
  table_.ApplyNodes(12, {Bare("a", 5, "10.9.9.9")}, &changes_);
  table_.ApplyAll(12, {}, /*reset=*/false, &changes_);
  table_.ApplyNodeChecks("a", 12, {}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines());
  // As old as itself is not older.
  table_.ApplyService("web", 20, {Web("a", 20, 20, 82)}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines{"-b/web"});
}

TEST_F(MirrorTableTest, NodeThatIsGoneIsNotMadeByAnOlderAnswer) {
  table_.ApplyNodes(15, {Bare("a", 5)}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines{"-node b"});
  table_.ApplyService("web", 14, {Web("a", 5, 6), Web("b", 7, 8)}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines());
  table_.ApplyService("web", 16, {Web("a", 5, 6), Web("b", 16, 16)}, &changes_);
  EXPECT_EQ(Taken(&changes_),
            (Lines{"+node b 10.0.0.1", "+b/web:80", "+check b/alive passing"}));
}

// /v1/internal/ui/nodes does not say how old a node is, and a header may lie.
TEST_F(MirrorTableTest, IndexThatNothingIsAsNewAsIsNotBelieved) {
  EXPECT_EQ(table_.ApplyAll(999, {Web("a", 0, 6), Web("b", 0, 9)},
                            /*reset=*/false, &changes_),
            9u);
  table_.ApplyService("web", 12, {Web("a", 5, 6), Web("c", 12, 12)}, &changes_);
  EXPECT_EQ(Taken(&changes_), (Lines{"+node c 10.0.0.1", "+c/web:80",
                                     "+check c/alive passing", "-b/web"}));
  table_.ApplyNodes(12, {Bare("a", 5), Bare("c", 12)}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines{"-node b"});
  // As of what another answer has shown, it may be.
  EXPECT_EQ(table_.ApplyAll(999, {Web("a", 0, 6)}, false, &changes_), 12u);
  EXPECT_EQ(Taken(&changes_), (Lines{"-check c/alive", "-c/web", "-node c"}));
  EXPECT_EQ(table_.ApplyAll(999, {Web("a", 0, 6)}, true, &changes_), 6u);
}

TEST_F(MirrorTableTest, ResetTakesLowerIndexes) {
  table_.ApplyAll(3, {Web("c", 1, 2), Web("a", 2, 3, 81)}, /*reset=*/true,
                  &changes_);
  EXPECT_EQ(Taken(&changes_),
            (Lines{"+node c 10.0.0.1", "+c/web:80", "+check c/alive passing",
                   "+a/web:81", "-check b/alive", "-b/web", "-node b"}));
  // And what comes after counts from there.
  table_.ApplyService("web", 4, {Web("a", 2, 4, 82), Web("d", 4, 4)},
                      &changes_);
  EXPECT_EQ(Taken(&changes_),
            (Lines{"+a/web:82", "+node d 10.0.0.1", "+d/web:80",
                   "+check d/alive passing", "-c/web"}));
}

TEST_F(MirrorTableTest, UnhealthyChecksChangeAndThoseThatLeftAreUnknown) {
  MirrorTable::Unknown unknown;
  const CheckReport sick{
      "a", MakeCheck("alive", "web", HealthStatus::kCritical), "web", 12};
  table_.ApplyState(HealthStatus::kCritical, 12, {sick}, &changes_, &unknown);
  EXPECT_EQ(Taken(&changes_), Lines{"+check a/alive critical"});
  EXPECT_TRUE(unknown.unsettled.empty());
  table_.ApplyState(HealthStatus::kCritical, 11, {}, &changes_, &unknown);
  EXPECT_TRUE(unknown.unsettled.empty()) << "an older answer";
  table_.ApplyState(HealthStatus::kCritical, 13, {}, &changes_, &unknown);
  EXPECT_EQ(unknown.unsettled, std::set<std::string>{"web"});
  EXPECT_TRUE(unknown.services.empty());
  EXPECT_EQ(Taken(&changes_), Lines());

  unknown = {};
  CheckReport stranger = sick;
  stranger.node = "z";
  stranger.service_name = "new";
  table_.ApplyState(HealthStatus::kCritical, 14, {sick, stranger}, &changes_,
                    &unknown);
  EXPECT_EQ(unknown.services, std::set<std::string>{"new"});
  EXPECT_EQ(Taken(&changes_), Lines());
}

// A list that was asked for before, and comes after the service's own answer.
TEST_F(MirrorTableTest, OvertakenAnswersBringNothingBack) {
  const CheckReport maintenance{
      "a", MakeCheck("maintenance", "web", HealthStatus::kCritical), "web", 20};
  MirrorTable::Unknown unknown;
  table_.ApplyState(HealthStatus::kCritical, 20, {maintenance}, &changes_,
                    &unknown);
  EXPECT_EQ(Taken(&changes_), Lines{"+check a/maintenance critical"});
  table_.ApplyService("web", 21, {Web("a", 5, 6)}, &changes_);
  EXPECT_EQ(Taken(&changes_), (Lines{"-check a/maintenance", "-b/web"}));
  table_.ApplyState(HealthStatus::kCritical, 20, {maintenance}, &changes_,
                    &unknown);
  table_.ApplyAll(20, {Web("a", 5, 6), Web("b", 7, 8)}, false, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines());

  // What is newer, and what a younger answer has, is there again.
  CheckReport again = maintenance;
  again.modify_index = 22;
  table_.ApplyState(HealthStatus::kCritical, 22, {again}, &changes_, &unknown);
  EXPECT_EQ(Taken(&changes_), Lines{"+check a/maintenance critical"});
  table_.ApplyService("web", 21, {Web("a", 5, 6), Web("b", 7, 8)}, &changes_);
  EXPECT_EQ(Taken(&changes_), (Lines{"+b/web:80", "+check b/alive passing"}));
}

TEST_F(MirrorTableTest, ChecksOfNodesComeAndGo) {
  const CheckReport disk{"a", MakeCheck("disk", "", HealthStatus::kWarning), "",
                         12};
  CheckReport alive{"a", MakeCheck("alive", "web", HealthStatus::kPassing),
                    "web", 6};
  table_.ApplyNodeChecks("A", 12, {disk, alive}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines{"+check a/disk warning"});
  table_.ApplyNodeChecks("a", 13, {alive}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines{"-check a/disk"});
  table_.ApplyNodeChecks("nobody", 13, {disk}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines());
}

TEST_F(MirrorTableTest, InstanceThatChangesItsNameLeavesTheOldOne) {
  NodeReport renamed = Web("a", 5, 12);
  renamed.instances[0].instance.name = "Shop";
  table_.ApplyService("shop", 12, {renamed}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines{"+a/web:80"});
  EXPECT_EQ(table_.service_names(), (Lines{"shop", "web"}));
  table_.ApplyService("web", 12, {Web("b", 7, 8)}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines()) << "it is another's now";
}

TEST_F(MirrorTableTest, TagsAreThoseOfAllInstances) {
  NodeReport tagged = Web("a", 5, 12);
  tagged.instances[0].instance.tags = {"blue", "v1"};
  table_.ApplyService("web", 12, {tagged, Web("b", 7, 8)}, &changes_);
  EXPECT_TRUE(table_.HasTags("Web", {"blue", "v1"}));
  EXPECT_FALSE(table_.HasTags("web", {"blue"}));
  EXPECT_FALSE(table_.HasTags("web", {}));
  EXPECT_TRUE(table_.HasTags("nothing", {}));
}

TEST_F(MirrorTableTest, QueriesAreTheWholeList) {
  PreparedQuery first = MakePreparedQuery("1", "one", "web");
  PreparedQuery second = MakePreparedQuery("2", "two", "web");
  table_.ApplyQueries({first, second}, &changes_);
  EXPECT_EQ(Taken(&changes_), (Lines{"+query 1", "+query 2"}));
  second.service = "shop";
  table_.ApplyQueries({second}, &changes_);
  EXPECT_EQ(Taken(&changes_), (Lines{"+query 2", "-query 1"}));
  table_.Clear(&changes_);
  Lines cleared = Taken(&changes_);
  std::sort(cleared.begin(), cleared.end());
  EXPECT_EQ(cleared,
            (Lines{"-a/web", "-b/web", "-check a/alive", "-check b/alive",
                   "-node a", "-node b", "-query 2"}));
}

TEST_F(MirrorTableTest, GatewaysCarryTheServicesTheyStandBefore) {
  NodeReport door = Bare("a", 5);
  door.instances.push_back({MakeInstance("door", "Door"), 12});
  door.instances[0].instance.kind = ServiceKind::kIngressGateway;
  table_.ApplyGateway("door", {"web"}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines());
  table_.ApplyService("door", 12, {door}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines{"+a/door:80 for web"});
  table_.ApplyGateway("Door", {"shop", "web"}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines{"+a/door:80 for shop,web"});
  table_.ApplyGateway("door", {"shop", "web"}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines());
  table_.ApplyGateway("door", {}, &changes_);
  EXPECT_EQ(Taken(&changes_), Lines{"+a/door:80"});
}

// What is kept on disk is all of it.
TEST_F(MirrorTableTest, ImageMakesTheSameTable) {
  table_.ApplyQueries({MakePreparedQuery("1", "one", "web")}, &changes_);
  table_.ApplyGateway("door", {"web"}, &changes_);
  const MirrorImage image = ToMirrorImage(table_.image());
  EXPECT_EQ(image.queries.size(), 1u);
  EXPECT_EQ(image.gateways.at("door"), Lines{"web"});
  MirrorTable again("dc1");
  again.ApplyAll(0, image.nodes, /*reset=*/true, &changes_);
  (void)Taken(&changes_);
  again.ApplyAll(10, {Web("a", 5, 6), Web("b", 7, 8)}, /*reset=*/false,
                 &changes_);
  EXPECT_EQ(Taken(&changes_), Lines());
}

}  // namespace
}  // namespace dnsd
