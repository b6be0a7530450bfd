#include "zones/view_builder.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/testing/catalog_maker.h"
#include "tests/zones/view_dump.h"
#include "zones/record.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::Dump;
using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using testing::ViewLine;

// A state, a line of views over it, and questions to the newest one.
class Catalog {
 public:
  const View& Apply(const BatchMaker& batch) {
    return line_.Publish(state_, batch.ApplyTo(&state_));
  }
  const Entry* Find(EntryKind kind, const std::string& labels,
                    const std::string& datacenter = "dc1") const {
    const std::vector<uint8_t> dc(datacenter.begin(), datacenter.end());
    const int index = line_.view().FindDatacenter(dc);
    std::string key;
    if (index == View::kNoDatacenter || !LabelsToWire(labels, &key)) {
      return nullptr;
    }
    return line_.view().Find(
        kind, static_cast<uint8_t>(index),
        {reinterpret_cast<const uint8_t*>(key.data()), key.size()});
  }
  // The name an address leads to, "" for none.
  std::string Reverse(const std::string& text) const {
    const std::string bytes = ParseAddress(text).bytes;
    const Entry* entry = line_.view().Find(
        EntryKind::kReverse, 0,
        {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()});
    if (entry == nullptr) return "";
    const RrList list = entry->List(kListTxt);
    const auto* record = entry->At<RrRecord>(*entry->Index(list));
    return NameToText(
        {record->bytes() + kRdataOffset, record->size - kRdataOffset});
  }
  // The first A record of a node name.
  std::string NodeAddress(const std::string& labels) const {
    const Entry* entry = Find(EntryKind::kNode, labels);
    if (entry == nullptr) return "";
    const RrList list = entry->List(kListA);
    if (list.count == 0) return "no A";
    const auto* record = entry->At<RrRecord>(*entry->Index(list));
    std::string text;
    for (size_t i = 12; i < 16; ++i) {
      text += (i > 12 ? "." : "") + std::to_string(record->bytes()[i]);
    }
    return text;
  }
  // As many names and the same bytes as a view made from nothing.
  void ExpectLikeAFullBuild(const ZonePolicy& policy = {}) const {
    const std::unique_ptr<const View> full = BuildView(state_, policy, {}, 1);
    const auto wanted = Dump(*full);
    const auto got = Dump(line_.view());
    for (const auto& [name, bytes] : wanted) {
      EXPECT_TRUE(got.contains(name)) << name << " is missing";
    }
    for (const auto& [name, bytes] : got) {
      EXPECT_TRUE(wanted.contains(name)) << name << " should be gone";
    }
    // The bytes themselves tell a reader nothing.
    EXPECT_TRUE(got == wanted);
  }

  ViewLine& line() { return line_; }
  State& state() { return state_; }

 private:
  State state_;
  ViewLine line_;
};

const NodeKey kNode = {"dc1", "n1"};

Node WithId(Node node, const std::string& id) {
  node.id = id;
  return node;
}

TEST(ViewBuilder, AnEmptyCatalogMakesAView) {
  Catalog catalog;
  const View& view = catalog.Apply(BatchMaker());
  EXPECT_EQ(view.table.size(), 0u);
  EXPECT_EQ(view.datacenters, std::vector<std::string>{"dc1"});
  EXPECT_EQ(view.serial, 1u);
}

TEST(ViewBuilder, TheNegativeTtlFollowsModeAndPolicy) {
  State state;
  ZonePolicy policy;
  EXPECT_EQ(BuildView(state, policy, {}, 1)->negative_ttl, 5u);
  policy.compat = Compat::kConsul;
  EXPECT_EQ(BuildView(state, policy, {}, 1)->negative_ttl, 0u);
  policy.soa.min_ttl = 30;
  EXPECT_EQ(BuildView(state, policy, {}, 1)->negative_ttl, 30u);
  policy.compat = Compat::kRfc;
  EXPECT_EQ(BuildView(state, policy, {}, 1)->negative_ttl, 30u);
}

TEST(ViewBuilder, DomainsAreLowerCaseAndLongestFirst) {
  State state;
  ZonePolicy policy;
  policy.domain = "CONSUL.";
  policy.alt_domain = "Test.consul.";
  std::unique_ptr<const View> view = BuildView(state, policy, {}, 1);
  ASSERT_EQ(view->domains.size(), 2u);
  EXPECT_EQ(view->domains[0].label_count, 2u);
  EXPECT_EQ(view->primary_domain, 1u);
  EXPECT_EQ(view->domains[1].wire, std::string("\x06"
                                               "consul\0",
                                               8));
  policy.alt_domain = "corp.";
  view = BuildView(state, policy, {}, 1);
  EXPECT_EQ(view->primary_domain, 0u);
}

TEST(ViewBuilder, ACriticalInstanceTakesItsNameAlong) {
  Catalog catalog;
  catalog.Apply(BatchMaker()
                    .Put(MakeNode("n1", "10.0.0.1"))
                    .Put(kNode, MakeInstance("w", "Web", "10.1.0.1")));
  EXPECT_NE(catalog.Find(EntryKind::kService, "web"), nullptr);
  catalog.Apply(
      BatchMaker().Put(kNode, MakeCheck("c", "w", HealthStatus::kCritical)));
  EXPECT_EQ(catalog.Find(EntryKind::kService, "web"), nullptr);
  catalog.Apply(
      BatchMaker().Put(kNode, MakeCheck("c", "w", HealthStatus::kWarning)));
  EXPECT_NE(catalog.Find(EntryKind::kService, "web"), nullptr);
  catalog.ExpectLikeAFullBuild();
}

TEST(ViewBuilder, ANodeAnswersToItsId) {
  Catalog catalog;
  catalog.Apply(BatchMaker().Put(WithId(MakeNode("n1", "10.0.0.1"), "ID-1")));
  EXPECT_EQ(catalog.NodeAddress("n1"), "10.0.0.1");
  EXPECT_EQ(catalog.NodeAddress("id-1"), "10.0.0.1");
  catalog.Apply(BatchMaker().Put(WithId(MakeNode("n1", "10.0.0.9"), "ID-2")));
  EXPECT_EQ(catalog.NodeAddress("id-1"), "");
  EXPECT_EQ(catalog.NodeAddress("id-2"), "10.0.0.9");
  catalog.Apply(BatchMaker().DropNode(kNode));
  EXPECT_EQ(catalog.line().view().table.size(), 0u);
}

// A node that is renamed keeps its id, whichever name sorts first.
TEST(ViewBuilder, ARenamedNodeStillAnswersToItsId) {
  for (const char* name : {"a", "z"}) {
    Catalog catalog;
    catalog.Apply(BatchMaker().Put(WithId(MakeNode("n1", "10.0.0.1"), "id")));
    catalog.Apply(BatchMaker()
                      .Put(WithId(MakeNode(name, "10.0.0.1"), "id"))
                      .DropNode(kNode));
    EXPECT_EQ(catalog.NodeAddress("id"), "10.0.0.1") << "renamed to " << name;
    catalog.ExpectLikeAFullBuild();
  }
}

TEST(ViewBuilder, AnIdThatTwoNodesClaimSurvivesOneOfThem) {
  for (const char* gone : {"n1", "n2"}) {
    Catalog catalog;
    catalog.Apply(BatchMaker()
                      .Put(WithId(MakeNode("n1", "10.0.0.1"), "id"))
                      .Put(WithId(MakeNode("n2", "10.0.0.2"), "id")));
    catalog.ExpectLikeAFullBuild();
    catalog.Apply(BatchMaker().DropNode({"dc1", gone}));
    EXPECT_NE(catalog.NodeAddress("id"), "") << gone << " is gone";
    catalog.ExpectLikeAFullBuild();
  }
}

TEST(ViewBuilder, ANameIsStrongerThanAnId) {
  Catalog catalog;
  catalog.Apply(BatchMaker()
                    .Put(MakeNode("n1", "10.0.0.1"))
                    .Put(WithId(MakeNode("z", "10.0.0.2"), "N1")));
  EXPECT_EQ(catalog.NodeAddress("n1"), "10.0.0.1");
  catalog.Apply(BatchMaker().DropNode({"dc1", "z"}));
  EXPECT_EQ(catalog.NodeAddress("n1"), "10.0.0.1");
  catalog.ExpectLikeAFullBuild();
}

TEST(ViewBuilder, NamesAboveDottedNodesComeAndGo) {
  Catalog catalog;
  const auto has = [&](const char* labels) {
    return catalog.Find(EntryKind::kNodeSuffix, labels) != nullptr;
  };
  catalog.Apply(BatchMaker()
                    .Put(MakeNode("a.rack1.hall", "10.0.0.1"))
                    .Put(MakeNode("b.rack1.hall", "10.0.0.2")));
  EXPECT_TRUE(has("rack1.hall"));
  EXPECT_TRUE(has("hall"));
  EXPECT_FALSE(has("a.rack1.hall"));
  catalog.Apply(BatchMaker().DropNode({"dc1", "a.rack1.hall"}));
  EXPECT_TRUE(has("rack1.hall")) << "b stands below it";
  catalog.ExpectLikeAFullBuild();
  // The same node again with another address: nothing may be counted twice.
  catalog.Apply(BatchMaker().Put(MakeNode("b.rack1.hall", "10.0.0.3")));
  catalog.Apply(BatchMaker().DropNode({"dc1", "b.rack1.hall"}));
  EXPECT_FALSE(has("rack1.hall"));
  EXPECT_FALSE(has("hall"));
  EXPECT_EQ(catalog.line().view().table.size(), 0u);
}

TEST(ViewBuilder, ReverseNamesPreferNodes) {
  Catalog catalog;
  catalog.Apply(BatchMaker()
                    .Put(MakeNode("N1", "10.0.0.1"))
                    .Put(MakeNode("n2", "10.0.0.2"))
                    .Put(kNode, MakeInstance("w", "web", "10.0.0.2"))
                    .Put(kNode, MakeInstance("v", "web", "10.0.0.2"))
                    .Put(kNode, MakeInstance("x", "api", "2001:db8::1")));
  EXPECT_EQ(catalog.Reverse("10.0.0.1"), "N1.node.dc1.consul.");
  EXPECT_EQ(catalog.Reverse("10.0.0.2"), "n2.node.dc1.consul.");
  EXPECT_EQ(catalog.Reverse("2001:db8::1"), "api.service.dc1.consul.");
  catalog.Apply(BatchMaker().DropNode({"dc1", "n2"}));
  EXPECT_EQ(catalog.Reverse("10.0.0.2"), "web.service.dc1.consul.");
  catalog.Apply(BatchMaker().DropInstance(kNode, "w"));
  EXPECT_EQ(catalog.Reverse("10.0.0.2"), "web.service.dc1.consul.")
      << "another instance has the address too";
  catalog.ExpectLikeAFullBuild();
  catalog.Apply(BatchMaker().DropInstance(kNode, "v"));
  EXPECT_EQ(catalog.Reverse("10.0.0.2"), "");
}

TEST(ViewBuilder, OtherDatacentersHaveNoReverseNames) {
  Catalog catalog;
  catalog.Apply(BatchMaker()
                    .Put(MakeNode("n9", "10.9.0.1", "dc9"))
                    .Put({"dc9", "n9"}, MakeInstance("w", "web", "10.9.0.2")));
  EXPECT_NE(catalog.Find(EntryKind::kNode, "n9", "dc9"), nullptr);
  EXPECT_EQ(catalog.Reverse("10.9.0.1"), "");
  EXPECT_EQ(catalog.Reverse("10.9.0.2"), "");
}

TEST(ViewBuilder, DatacentersAppearAndVanish) {
  Catalog catalog;
  catalog.Apply(BatchMaker()
                    .Put(MakeNode("n1", "10.0.0.1"))
                    .Put(MakeNode("n9", "10.9.0.1", "dc9")));
  EXPECT_NE(catalog.Find(EntryKind::kNode, "n9", "dc9"), nullptr);
  catalog.Apply(BatchMaker()
                    .DropNode({"dc9", "n9"})
                    .Put(MakeNode("n8", "10.8.0.1", "dc8")));
  EXPECT_EQ(catalog.Find(EntryKind::kNode, "n9", "dc9"), nullptr);
  const std::string name = "dc9";
  const std::vector<uint8_t> label(name.begin(), name.end());
  EXPECT_EQ(catalog.line().view().FindDatacenter(label), View::kNoDatacenter);
  EXPECT_NE(catalog.Find(EntryKind::kNode, "n8", "dc8"), nullptr);
  catalog.Apply(BatchMaker().Put(MakeNode("n9", "10.9.0.1", "dc9")));
  EXPECT_NE(catalog.Find(EntryKind::kNode, "n9", "dc9"), nullptr);
  catalog.ExpectLikeAFullBuild();
}

TEST(ViewBuilder, TheServersAreConsulsOrTheLocalNode) {
  Catalog catalog;
  ZonePolicy policy;
  policy.node_name = "N1";
  catalog.line().builder().SetPolicy(policy);
  const auto count = [&]() -> uint32_t {
    const Entry* entry = catalog.line().view().Find(EntryKind::kServers, 0, {});
    return entry == nullptr ? 0 : entry->List(kListSrv).count;
  };
  catalog.Apply(BatchMaker().Put(MakeNode("n2", "10.0.0.2")));
  EXPECT_EQ(count(), 0u);
  catalog.Apply(BatchMaker().Put(MakeNode("n1", "10.0.0.1")));
  EXPECT_EQ(count(), 1u);
  catalog.ExpectLikeAFullBuild(policy);
  catalog.Apply(BatchMaker()
                    .Put({"dc1", "n2"}, MakeInstance("consul", "consul"))
                    .Put({"dc1", "n1"}, MakeInstance("consul", "consul")));
  EXPECT_EQ(count(), 2u);
  catalog.Apply(BatchMaker().DropNode({"dc1", "n1"}));
  EXPECT_EQ(count(), 1u);
  catalog.ExpectLikeAFullBuild(policy);
}

TEST(ViewBuilder, ANewPolicyCompilesEverythingAnew) {
  Catalog catalog;
  catalog.Apply(BatchMaker()
                    .Put(MakeNode("n1", "10.0.0.1"))
                    .Put(kNode, MakeInstance("w", "web", "10.1.0.1")));
  ZonePolicy policy;
  policy.compat = Compat::kConsul;
  policy.node_ttl = 60;
  policy.service_ttl = {{"*", 7}};
  policy.domain = "corp.example.";
  catalog.line().builder().SetPolicy(policy);
  catalog.Apply(BatchMaker());
  catalog.ExpectLikeAFullBuild(policy);
  EXPECT_EQ(catalog.Reverse("10.1.0.1"), "web.service.dc1.corp.example.");
}

TEST(ViewBuilder, WhatDidNotChangeIsSharedWithTheViewBefore) {
  Catalog catalog;
  BatchMaker batch;
  batch.Put(MakeNode("n1", "10.0.0.1"));
  for (int i = 0; i < 200; ++i) {
    const std::string name = "s" + std::to_string(i);
    batch.Put(kNode, MakeInstance(name, name));
  }
  catalog.Apply(batch);
  const Entry* web = catalog.Find(EntryKind::kService, "s7");
  const Entry* other = catalog.Find(EntryKind::kService, "s8");
  ServiceInstance changed = MakeInstance("s7", "s7");
  changed.port = 81;
  catalog.Apply(BatchMaker().Put(kNode, changed));
  EXPECT_NE(catalog.Find(EntryKind::kService, "s7"), web);
  EXPECT_EQ(catalog.Find(EntryKind::kService, "s8"), other);
}

// One changed instance replaces its service's entry and copies that shard,
// however many other instances the service has.
TEST(ViewBuilder, AnUpdateTouchesOnlyItsShard) {
  Catalog catalog;
  BatchMaker batch;
  for (int i = 0; i < 100; ++i) {
    const std::string text = std::to_string(i);
    batch.Put(MakeNode("n" + text, "10.0.0." + text));
    for (int j = 0; j < 20; ++j) {
      const std::string name = "s" + std::to_string(j);
      batch.Put(
          {"dc1", "n" + text},
          MakeInstance(name, name, "10.1." + std::to_string(j) + "." + text));
    }
  }
  catalog.Apply(batch);
  Qsbr::Reader reader = catalog.line().qsbr().Register();
  reader.Online();
  ServiceInstance changed = MakeInstance("s5", "s5", "10.1.5.7");
  changed.port = 81;
  catalog.Apply(BatchMaker().Put({"dc1", "n7"}, changed));
  // The view before, one shard, one entry.
  EXPECT_EQ(catalog.line().qsbr().waiting(), 3u);
  reader.Offline();
  catalog.ExpectLikeAFullBuild();
}

TEST(ViewBuilder, ALineEndsWithoutALeak) {
  // The sanitizers check it: a line of views, one on its own, and none.
  Catalog catalog;
  catalog.Apply(BatchMaker().Put(MakeNode("n1", "10.0.0.1")));
  catalog.Apply(BatchMaker().Put(MakeNode("n2", "10.0.0.2")));
  EXPECT_GT(BuildView(catalog.state(), {}, {}, 1)->table.size(), 0u);
  Qsbr qsbr;
  ViewBuilder unused(1, &qsbr);
  unused.FinishLine();
}

// What stands for the records must not change with instances that add none.
TEST(ViewBuilder, ContentIsTheSameAsLongAsTheRecordsAre) {
  State state;
  ViewLine line;
  const auto content = [&](const BatchMaker& batch) {
    return line.Publish(state, batch.ApplyTo(&state)).content;
  };
  ServiceInstance web = MakeInstance("w1", "web", "", 80);
  web.weights = {3, 2};
  const NodeKey node{"dc1", "n1"};
  const uint64_t one =
      content(BatchMaker().Put(MakeNode("n1", "10.0.0.1")).Put(node, web));
  web.id = "w2";
  EXPECT_EQ(content(BatchMaker().Put(node, web)), one);
  // The same place with another weight: the first one's record stands.
  EXPECT_EQ(content(BatchMaker().Put(
                node, MakeCheck("c", "w2", HealthStatus::kWarning))),
            one);
  web.port = 81;
  EXPECT_NE(content(BatchMaker().Put(node, web)), one);
  EXPECT_EQ(content(BatchMaker().DropInstance(node, "w2")), one);
}

}  // namespace
}  // namespace dnsd
