// Random changes, published one after another, against a view made from
// nothing after each of them: the same names with the same bytes. The small
// sets of names make ids, addresses and dotted names collide all the time.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/testing/catalog_maker.h"
#include "tests/testing/seeds.h"
#include "tests/zones/view_dump.h"
#include "zones/random.h"
#include "zones/view_builder.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::Dump;
using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using testing::Scaled;
using testing::TestSeed;
using testing::ViewLine;

class ChangeMaker {
 public:
  explicit ChangeMaker(Random* random) : random_(random) {}

  BatchMaker Batch() {
    BatchMaker batch(static_cast<SourceId>(random_->Below(2)));
    if (random_->Below(12) == 0) batch.Complete();
    for (uint32_t i = random_->Below(8); i < 8; ++i) Change(&batch);
    return batch;
  }

  ZonePolicy Policy() {
    ZonePolicy policy;
    policy.compat = Chance(2) ? Compat::kConsul : Compat::kRfc;
    policy.only_passing = Chance(3);
    policy.translate_wan_addrs = Chance(2);
    policy.node_ttl = random_->Below(2) * 30;
    if (Chance(2)) policy.service_ttl = {{"*", 5}, {"w*", 10}};
    if (Chance(3)) policy.alt_domain = "alt.consul.";
    if (Chance(3)) policy.domain = "example.org.";
    if (Chance(2)) policy.node_name = "n1";
    return policy;
  }

 private:
  bool Chance(uint32_t one_in) { return random_->Below(one_in) == 0; }
  std::string Pick(const std::vector<std::string>& texts) {
    return texts[random_->Below(static_cast<uint32_t>(texts.size()))];
  }
  NodeKey Key() {
    return {Pick({"dc1", "dc1", "dc1", "dc2", "dc3"}),
            Pick({"n1", "N2", "a.rack", "b.rack", "rack", "x.y.z", "id1"})};
  }
  std::string Address() {
    return Pick({"10.0.0.1", "10.0.0.2", "10.0.0.3", "2001:db8::1",
                 "www.example.com", "web.service.consul", ""});
  }
  std::string Id() { return Pick({"a", "b", "c", "d"}); }

  Node RandomNode(const NodeKey& key) {
    Node node = MakeNode(key.node, Address(), key.datacenter);
    if (Chance(2)) node.id = Pick({"ID1", "id1", "id2", "n1", "a.rack"});
    if (Chance(3)) node.meta["os"] = Pick({"linux", "bsd"});
    if (Chance(3)) node.tagged_addresses["wan"] = "192.0.2.1";
    if (Chance(3)) node.tagged_addresses["lan_ipv6"] = "2001:db8::9";
    return node;
  }

  ServiceInstance Instance() {
    ServiceInstance instance =
        MakeInstance(Id(), Pick({"web", "WEB", "api", "consul", "bad.name"}),
                     Address(), static_cast<uint16_t>(random_->Below(3)));
    if (Chance(2)) instance.tags = {Pick({"v1", "V1", "v1.x", "_t"})};
    if (Chance(4)) instance.connect_native = true;
    if (Chance(6)) {
      instance.kind = ServiceKind::kConnectProxy;
      instance.mesh.Edit().proxy_destination = Pick({"web", "api"});
    } else if (Chance(6)) {
      instance.kind = ServiceKind::kIngressGateway;
      instance.mesh.Edit().gateway_services = {Pick({"web", "api"}), "db"};
    }
    if (Chance(4)) {
      instance.tagged_addresses["consul-virtual"] = {"240.0.0.1", 0};
    }
    if (Chance(4)) instance.tagged_addresses["wan"] = {"192.0.2.7", 8080};
    return instance;
  }

  void Change(BatchMaker* batch) {
    const NodeKey key = Key();
    switch (random_->Below(10)) {
      case 0:
        batch->DropNode(key);
        break;
      case 1:
      case 2:
        batch->Put(RandomNode(key));
        break;
      case 3:
        batch->DropInstance(key, Id());
        break;
      case 4:
        batch->DropCheck(key, Id());
        break;
      case 5:
        batch->Put(key,
                   MakeCheck(Id(), Chance(3) ? "" : Id(),
                             static_cast<HealthStatus>(random_->Below(3))));
        break;
      default:
        // The node first, so that most instances are taken.
        if (Chance(2)) batch->Put(RandomNode(key));
        batch->Put(key, Instance());
        break;
    }
  }

  Random* random_;
};

// The names by which two dumps differ.
std::string Difference(const std::map<std::string, std::string>& wanted,
                       const std::map<std::string, std::string>& got) {
  std::string text;
  for (const auto& [name, bytes] : wanted) {
    auto it = got.find(name);
    if (it == got.end()) {
      text += name + " is missing\n";
    } else if (it->second != bytes) {
      text += name + " has other bytes\n";
    }
  }
  for (const auto& [name, bytes] : got) {
    if (!wanted.contains(name)) text += name + " should be gone\n";
  }
  return text;
}

std::set<std::string> Datacenters(const View& view) {
  std::set<std::string> names(view.datacenters.begin(), view.datacenters.end());
  names.erase("");  // the places of those that vanished
  return names;
}

TEST(ViewBuilderModel, ALineOfViewsEqualsViewsMadeFromNothing) {
  Random random(TestSeed());
  for (int round = 0; round < Scaled(80); ++round) {
    State state;
    ViewLine line;
    ChangeMaker maker(&random);
    ZonePolicy policy;
    for (int step = 0; step < 40; ++step) {
      SCOPED_TRACE(::testing::Message()
                   << "round " << round << " step " << step);
      if (random.Below(10) == 0) {
        policy = maker.Policy();
        line.builder().SetPolicy(policy);
      }
      // Several batches may gather before one publication.
      Dirty dirty;
      for (uint32_t i = random.Below(3); i < 3; ++i) {
        state.Apply(maker.Batch().batch(), &dirty).IgnoreError();
      }
      const View& view = line.Publish(state, dirty);
      const std::unique_ptr<const View> full = BuildView(state, policy, {}, 1);
      ASSERT_EQ(Difference(Dump(*full), Dump(view)), "");
      ASSERT_EQ(view.table.size(), full->table.size());
      ASSERT_EQ(Datacenters(view), Datacenters(*full));
      ASSERT_EQ(line.qsbr().waiting(), 0u);
    }
  }
}

}  // namespace
}  // namespace dnsd
