// What is decoded is all that the HTTP API shows: written again, it is what was
// read, byte for byte.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "catalog/base/json_write.h"
#include "catalog/consul/consul_decode.h"
#include "tests/catalog/consul/image_maker.h"
#include "tests/catalog/consul/mirror_images.h"
#include "tests/catalog/consul/object_texts.h"
#include "tests/catalog/consul/recorded.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

using testing::Difference;
using testing::HealthOf;
using testing::ImageMaker;
using testing::InstanceOf;
using testing::NodeDumpOf;
using testing::NormalObjects;
using testing::Recorded;
using testing::Same;

TEST(ConsulObjects, RecordedNodeDumpIsWrittenAsItWasRead) {
  const std::string recorded = Recorded("ui_nodes");
  std::string body = recorded;
  const auto nodes = DecodeNodeDump(&body, "dc1");
  ASSERT_TRUE(nodes.ok()) << nodes.status();
  EXPECT_EQ(
      Difference(NormalObjects(recorded), NormalObjects(NodeDumpOf(*nodes))),
      "");
}

TEST(ConsulObjects, RecordedHealthIsWrittenAsItWasRead) {
  for (const char* name :
       {"health_web", "health_sidecar", "health_ingress", "health_ports"}) {
    const std::string recorded = Recorded(name);
    std::string body = recorded;
    const auto entries = DecodeHealthService(&body, "dc1");
    ASSERT_TRUE(entries.ok()) << entries.status();
    EXPECT_EQ(
        Difference(NormalObjects(recorded), NormalObjects(HealthOf(*entries))),
        "")
        << name;
  }
}

// As an agent with -dev lays them out.
TEST(ConsulObjects, LayoutIsNotKept) {
  const std::string recorded = Recorded("health_sidecar");
  std::string body = IndentJson(recorded);
  const auto entries = DecodeHealthService(&body, "dc1");
  ASSERT_TRUE(entries.ok()) << entries.status();
  EXPECT_EQ(
      Difference(NormalObjects(recorded), NormalObjects(HealthOf(*entries))),
      "");
}

TEST(ConsulObjects, NullIsNotAnEmptyObject) {
  for (const bool given : {false, true}) {
    NodeReport node;
    node.node.name = "n";
    node.node.datacenter = "dc1";
    node.node.has_meta = given;
    node.node.has_tagged_addresses = !given;
    InstanceReport& report = node.instances.emplace_back();
    report.instance.id = report.instance.name = "i";
    report.instance.has_meta = given;
    std::string body = NodeDumpOf({node});
    const auto back = DecodeNodeDump(&body, "dc1");
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_TRUE(Same(*back, {node}));
  }
}

// What the answer does not say of a random node: whatever it says of all, and
// whatever it writes in the order of the state.
NodeReport AsShown(NodeReport node, const std::string& datacenter) {
  node.node.datacenter = datacenter;
  node.modify_index = 0;
  for (InstanceReport& report : node.instances) {
    report.instance.mesh.Edit().gateway_services.clear();
  }
  for (CheckReport& report : node.checks) {
    report.node = node.node.name;
    const auto* instance = InstanceOf(node, report.check.service_id);
    report.service_name = instance == nullptr ? "" : instance->instance.name;
  }
  return node;
}

TEST(ConsulObjects, RandomNodesComeBack) {
  ImageMaker maker(testing::TestSeed());
  for (int i = 0; i < testing::Scaled(5'000); ++i) {
    const NodeReport node = AsShown(maker.MakeNode("dc1"), "dc1");
    const std::string text = NodeDumpOf({node});
    std::string body = text;
    const auto back = DecodeNodeDump(&body, "dc1");
    ASSERT_TRUE(back.ok()) << back.status() << "\n" << text;
    ASSERT_TRUE(Same(*back, {node})) << text << "\n" << NodeDumpOf(*back);
    ASSERT_EQ(NodeDumpOf(*back), text);
  }
}

TEST(ConsulObjects, RandomHealthEntriesComeBack) {
  ImageMaker maker(testing::TestSeed());
  for (int i = 0; i < testing::Scaled(5'000); ++i) {
    NodeReport node = AsShown(maker.MakeNode("dc1"), "dc1");
    if (node.instances.empty()) continue;
    node.instances.resize(1);
    node.modify_index = 7;
    node = AsShown(std::move(node), "dc1");
    node.modify_index = 7;
    std::string body = HealthOf({node});
    const auto back = DecodeHealthService(&body, "dc1");
    ASSERT_TRUE(back.ok()) << back.status();
    ASSERT_TRUE(Same(*back, {node})) << HealthOf(*back);
  }
}

}  // namespace
}  // namespace dnsd
