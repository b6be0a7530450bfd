#include "catalog/state.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/testing/catalog_maker.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using Names = std::set<NameKey>;

const NodeKey kNode = {"dc1", "n1"};
const NameKey kWeb = {"dc1", "web"};

// "n1/web1:passing" of every instance of the service, in order.
std::vector<std::string> Instances(const State& state, const NameKey& key) {
  std::vector<std::string> texts;
  state.ForEachInstance(key, [&](const InstanceView& view) {
    texts.push_back(view.node->name + "/" + view.instance->id.str() + ":" +
                    HealthStatusName(view.health));
  });
  return texts;
}

std::vector<std::string> Mesh(const State& state, const NameKey& key) {
  std::vector<std::string> texts;
  state.ForEachMeshInstance(key, [&](const InstanceView& view) {
    texts.push_back(view.instance->id);
  });
  return texts;
}

std::vector<std::string> Checks(const State& state, const NameKey& node) {
  std::vector<std::string> texts;
  state.ForEachCheckOnNode(node, [&](const CheckView& view) {
    texts.push_back(view.check->id.str() + ":" +
                    HealthStatusName(view.check->status));
  });
  return texts;
}

using Texts = std::vector<std::string>;

TEST(State, AnyInstanceEndsAtTheFirstYes) {
  State state;
  BatchMaker()
      .Put(MakeNode("n1", "10.0.0.1"))
      .Put(kNode, MakeInstance("a", "web", "", 80))
      .Put(kNode, MakeInstance("b", "web", "", 80))
      .Put(kNode, MakeInstance("c", "web", "", 80))
      .ApplyTo(&state);
  std::string seen;
  EXPECT_TRUE(state.AnyInstance(kWeb, [&](const InstanceView& view) {
    seen += view.instance->id;
    return view.instance->id == "b";
  }));
  EXPECT_EQ(seen, "ab");
  EXPECT_FALSE(
      state.AnyInstance(kWeb, [](const InstanceView&) { return false; }));
  EXPECT_FALSE(state.AnyInstance({"dc1", "db"},
                                 [](const InstanceView&) { return true; }));
}

TEST(State, BeginsEmpty) {
  State state;
  EXPECT_TRUE(state.Everything().empty());
  EXPECT_EQ(state.FindNode({"dc1", "n1"}), nullptr);
  EXPECT_EQ(state.node_count(), 0u);
  EXPECT_EQ(state.instance_count(), 0u);
  EXPECT_EQ(state.Datacenters(), Texts());
}

TEST(State, FindsNamesWithoutCase) {
  State state;
  Dirty dirty = BatchMaker()
                    .Put(MakeNode("N1", "10.0.0.1"))
                    .Put(kNode, MakeInstance("w", "WEB"))
                    .ApplyTo(&state);
  EXPECT_EQ(dirty.nodes, Names({{"dc1", "n1"}}));
  EXPECT_EQ(dirty.services, Names({kWeb}));
  EXPECT_EQ(Instances(state, kWeb), Texts({"N1/w:passing"}));
  ASSERT_NE(state.FindNode({"dc1", "n1"}), nullptr);
  EXPECT_EQ(state.FindNode({"dc1", "n1"})->name, "N1");
  EXPECT_EQ(state.FindNode({"dc2", "n1"}), nullptr);
}

TEST(State, OrdersInstancesByNodeThenId) {
  State state;
  BatchMaker()
      .Put(MakeNode("b", "10.0.0.2"))
      .Put(MakeNode("A", "10.0.0.1"))
      .Put({"dc1", "b"}, MakeInstance("2", "web"))
      .Put({"dc1", "b"}, MakeInstance("1", "web"))
      .Put({"dc1", "a"}, MakeInstance("3", "web"))
      .ApplyTo(&state);
  EXPECT_EQ(Instances(state, kWeb),
            Texts({"A/3:passing", "b/1:passing", "b/2:passing"}));
  EXPECT_EQ(state.instance_count(), 3u);
}

TEST(State, HealthIsTheWorstOfInstanceAndNodeChecks) {
  State state;
  BatchMaker()
      .Put(MakeNode("n1", "10.0.0.1"))
      .Put(kNode, MakeInstance("w1", "web"))
      .Put(kNode, MakeInstance("w2", "web"))
      .Put(kNode, MakeCheck("c1", "w1", HealthStatus::kWarning))
      .Put(kNode, MakeCheck("c2", "w1", HealthStatus::kPassing))
      .ApplyTo(&state);
  EXPECT_EQ(Instances(state, kWeb), Texts({"n1/w1:warning", "n1/w2:passing"}));

  Dirty dirty = BatchMaker()
                    .Put(kNode, MakeCheck("serf", "", HealthStatus::kCritical))
                    .ApplyTo(&state);
  EXPECT_EQ(Instances(state, kWeb),
            Texts({"n1/w1:critical", "n1/w2:critical"}));
  EXPECT_TRUE(dirty.services.contains(kWeb));

  dirty = BatchMaker().DropCheck(kNode, "serf").ApplyTo(&state);
  EXPECT_EQ(Instances(state, kWeb), Texts({"n1/w1:warning", "n1/w2:passing"}));
  EXPECT_TRUE(dirty.services.contains(kWeb));
}

TEST(State, ACheckMayComeBeforeItsInstance) {
  State state;
  BatchMaker()
      .Put(MakeNode("n1", "10.0.0.1"))
      .Put(kNode, MakeCheck("c", "w", HealthStatus::kCritical))
      .Put(kNode, MakeInstance("w", "web"))
      .ApplyTo(&state);
  EXPECT_EQ(Instances(state, kWeb), Texts({"n1/w:critical"}));
}

TEST(State, RemovingAnInstanceTakesItsChecksAlong) {
  State state;
  BatchMaker()
      .Put(MakeNode("n1", "10.0.0.1"))
      .Put(kNode, MakeInstance("w", "web"))
      .Put(kNode, MakeCheck("c", "w", HealthStatus::kCritical))
      .Put(kNode, MakeCheck("n", "", HealthStatus::kWarning))
      .ApplyTo(&state);
  BatchMaker().DropInstance(kNode, "w").ApplyTo(&state);
  EXPECT_EQ(Instances(state, kWeb), Texts());
  EXPECT_EQ(Checks(state, {"dc1", "n1"}), Texts({"n:warning"}));
  // Registered again, it is not critical by a check of its former life.
  BatchMaker().Put(kNode, MakeInstance("w", "web")).ApplyTo(&state);
  EXPECT_EQ(Instances(state, kWeb), Texts({"n1/w:warning"}));
}

TEST(State, RemovingANodeTakesEverythingOnItAlong) {
  State state;
  BatchMaker()
      .Put(MakeNode("n1", "10.0.0.1"))
      .Put(kNode, MakeInstance("w", "web"))
      .Put(kNode, MakeCheck("c", "w", HealthStatus::kCritical))
      .ApplyTo(&state);
  Dirty dirty = BatchMaker().DropNode(kNode).ApplyTo(&state);
  EXPECT_EQ(dirty.services, Names({kWeb}));
  EXPECT_EQ(dirty.nodes, Names({{"dc1", "n1"}}));
  EXPECT_TRUE(state.Everything().empty());
  EXPECT_EQ(state.Datacenters(), Texts());
  EXPECT_EQ(state.node_count(), 0u);
}

TEST(State, ARenamedServiceDirtiesBothNames) {
  State state;
  BatchMaker()
      .Put(MakeNode("n1", "10.0.0.1"))
      .Put(kNode, MakeInstance("w", "web"))
      .ApplyTo(&state);
  Dirty dirty =
      BatchMaker().Put(kNode, MakeInstance("w", "api")).ApplyTo(&state);
  EXPECT_EQ(dirty.services, Names({kWeb, {"dc1", "api"}}));
  EXPECT_EQ(Instances(state, kWeb), Texts());
  EXPECT_EQ(Instances(state, {"dc1", "api"}), Texts({"n1/w:passing"}));
}

TEST(State, SayingTheSameAgainDirtiesNothing) {
  State state;
  BatchMaker batch;
  batch.Put(MakeNode("n1", "10.0.0.1"))
      .Put(kNode, MakeInstance("w", "web"))
      .Put(kNode, MakeCheck("c", "w", HealthStatus::kWarning))
      .Complete();
  EXPECT_FALSE(batch.ApplyTo(&state).empty());
  EXPECT_TRUE(batch.ApplyTo(&state).empty());
}

TEST(State, ACheckThatOnlyChangesItsOutputDirtiesNothing) {
  State state;
  Check check = MakeCheck("c", "w", HealthStatus::kWarning);
  BatchMaker()
      .Put(MakeNode("n1", "10.0.0.1"))
      .Put(kNode, MakeInstance("w", "web"))
      .Put(kNode, check)
      .ApplyTo(&state);
  check.output = "HTTP 429";
  EXPECT_TRUE(BatchMaker().Put(kNode, check).ApplyTo(&state).empty());
  std::string output;
  state.ForEachCheckOnNode(
      {"dc1", "n1"}, [&](const CheckView& c) { output = c.check->output; });
  EXPECT_EQ(output, "HTTP 429");
}

TEST(State, ACompleteBatchWithdrawsWhatItDoesNotMention) {
  State state;
  BatchMaker()
      .Put(MakeNode("n1", "10.0.0.1"))
      .Put(MakeNode("n2", "10.0.0.2"))
      .Put(kNode, MakeInstance("w1", "web"))
      .Put(kNode, MakeInstance("a", "api"))
      .Put(kNode, MakeCheck("c", "w1", HealthStatus::kCritical))
      .ApplyTo(&state);
  Dirty dirty = BatchMaker()
                    .Complete()
                    .Put(MakeNode("n1", "10.0.0.1"))
                    .Put(kNode, MakeInstance("w1", "web"))
                    .ApplyTo(&state);
  EXPECT_EQ(dirty.services, Names({kWeb, {"dc1", "api"}}));
  EXPECT_TRUE(dirty.nodes.contains({"dc1", "n2"}));
  EXPECT_EQ(Instances(state, kWeb), Texts({"n1/w1:passing"}));
  EXPECT_EQ(state.node_count(), 1u);
}

TEST(State, ACompleteBatchLeavesOtherSourcesAlone) {
  State state;
  BatchMaker(1)
      .Put(MakeNode("n1", "10.0.0.1"))
      .Put(kNode, MakeInstance("w1", "web"))
      .ApplyTo(&state);
  Dirty dirty = BatchMaker(2).Complete().ApplyTo(&state);
  EXPECT_TRUE(dirty.empty());
  EXPECT_EQ(Instances(state, kWeb), Texts({"n1/w1:passing"}));
}

TEST(State, TheSmallerSourceIdIsBelieved) {
  State state;
  BatchMaker(5)
      .Put(MakeNode("n1", "10.0.0.5"))
      .Put(kNode, MakeInstance("w", "web", "10.5.5.5"))
      .ApplyTo(&state);
  Dirty dirty = BatchMaker(2)
                    .Put(MakeNode("n1", "10.0.0.2"))
                    .Put(kNode, MakeInstance("w", "api", "10.2.2.2"))
                    .ApplyTo(&state);
  EXPECT_TRUE(dirty.services.contains(kWeb));
  EXPECT_EQ(state.FindNode({"dc1", "n1"})->address, "10.0.0.2");
  EXPECT_EQ(Instances(state, kWeb), Texts());
  EXPECT_EQ(Instances(state, {"dc1", "api"}), Texts({"n1/w:passing"}));
  EXPECT_EQ(state.node_count(), 1u);
  EXPECT_EQ(state.instance_count(), 1u);

  // What the other source said comes back when this one falls silent.
  dirty = BatchMaker(2).DropNode(kNode).ApplyTo(&state);
  EXPECT_EQ(dirty.services, Names({kWeb, {"dc1", "api"}}));
  EXPECT_EQ(state.FindNode({"dc1", "n1"})->address, "10.0.0.5");
  EXPECT_EQ(Instances(state, kWeb), Texts({"n1/w:passing"}));
}

TEST(State, ACheckOfAnEarlierSourceHidesALaterOneOfItsId) {
  State state;
  for (SourceId source : {SourceId{1}, SourceId{2}}) {
    BatchMaker(source)
        .Put(MakeNode("n1", "10.0.0.1"))
        .Put(kNode, MakeInstance("w", "web"))
        .Put(kNode, MakeCheck("c", "w",
                              source == 1 ? HealthStatus::kWarning
                                          : HealthStatus::kCritical))
        .ApplyTo(&state);
  }
  EXPECT_EQ(Instances(state, kWeb), Texts({"n1/w:warning"}));
  EXPECT_EQ(Checks(state, {"dc1", "n1"}), Texts({"c:warning"}));
  BatchMaker(1).DropCheck(kNode, "c").ApplyTo(&state);
  EXPECT_EQ(Instances(state, kWeb), Texts({"n1/w:critical"}));
}

TEST(State, AnUnknownNodeIsReportedAndTheRestApplied) {
  State state;
  BatchMaker batch;
  batch.Put({"dc1", "ghost"}, MakeInstance("x", "web"))
      .Put({"dc9", "other"}, MakeInstance("y", "web"))
      .Put(MakeNode("n1", "10.0.0.1"))
      .Put(kNode, MakeInstance("w", "web"));
  Dirty dirty;
  const absl::Status status = state.Apply(batch.batch(), &dirty);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "unknown node \"ghost\" in datacenter \"dc1\"");
  EXPECT_EQ(Instances(state, kWeb), Texts({"n1/w:passing"}));
}

TEST(State, ASourceMustKnowTheNodeItself) {
  State state;
  BatchMaker(1).Put(MakeNode("n1", "10.0.0.1")).ApplyTo(&state);
  Dirty dirty;
  BatchMaker batch(2);
  batch.Put(kNode, MakeInstance("w", "web"));
  EXPECT_EQ(state.Apply(batch.batch(), &dirty).code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(dirty.empty());
  EXPECT_EQ(Instances(state, kWeb), Texts());
}

TEST(State, MeshInstancesStandForOtherServices) {
  State state;
  ServiceInstance proxy = MakeInstance("p", "web-proxy");
  proxy.kind = ServiceKind::kConnectProxy;
  proxy.mesh.Edit().proxy_destination = "Web";
  ServiceInstance native = MakeInstance("native", "web");
  native.connect_native = true;
  ServiceInstance gateway = MakeInstance("gw", "gateway");
  gateway.kind = ServiceKind::kIngressGateway;
  gateway.mesh.Edit().gateway_services = {"web", "api", "web"};
  Dirty dirty = BatchMaker()
                    .Put(MakeNode("n1", "10.0.0.1"))
                    .Put(kNode, proxy)
                    .Put(kNode, native)
                    .Put(kNode, gateway)
                    .Put(kNode, MakeInstance("plain", "web"))
                    .ApplyTo(&state);
  EXPECT_EQ(Mesh(state, kWeb), Texts({"gw", "native", "p"}));
  EXPECT_EQ(Mesh(state, {"dc1", "api"}), Texts({"gw"}));
  EXPECT_EQ(Instances(state, kWeb),
            Texts({"n1/native:passing", "n1/plain:passing"}));
  EXPECT_TRUE(dirty.services.contains({"dc1", "api"}));

  gateway.mesh.Edit().gateway_services = {"api"};
  dirty = BatchMaker().Put(kNode, gateway).ApplyTo(&state);
  EXPECT_TRUE(dirty.services.contains(kWeb));
  EXPECT_EQ(Mesh(state, kWeb), Texts({"native", "p"}));
}

TEST(State, DatacentersComeAndGoWithTheirNodes) {
  State state;
  BatchMaker()
      .Put(MakeNode("n1", "10.0.0.1"))
      .Put(MakeNode("n1", "10.9.0.1", "dc9"))
      .Put(MakeNode("n2", "10.9.0.2", "dc9"))
      .ApplyTo(&state);
  EXPECT_EQ(state.Datacenters(), Texts({"dc1", "dc9"}));
  BatchMaker().DropNode({"dc9", "n1"}).ApplyTo(&state);
  EXPECT_EQ(state.Datacenters(), Texts({"dc1", "dc9"}));
  BatchMaker().DropNode({"dc9", "N2"}).ApplyTo(&state);
  EXPECT_EQ(state.Datacenters(), Texts({"dc1"}));
}

TEST(Dirty, MergesBothSets) {
  Dirty dirty;
  dirty.services = {kWeb};
  Dirty other;
  other.services = {kWeb, {"dc2", "api"}};
  other.nodes = {{"dc1", "n1"}};
  dirty.Merge(other);
  EXPECT_EQ(dirty.services, Names({kWeb, {"dc2", "api"}}));
  EXPECT_EQ(dirty.nodes, Names({{"dc1", "n1"}}));
}

}  // namespace
}  // namespace dnsd
