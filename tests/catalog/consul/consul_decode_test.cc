// Decodes what a Consul 1.8.7 answered (tests/testdata/consul), what other
// releases are documented to answer, and what none should.

#include "catalog/consul/consul_decode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tests/catalog/consul/recorded.h"

namespace dnsd {
namespace {

using testing::InstanceWith;
using testing::Recorded;

// The value, which must be there.
template <typename T>
T Must(absl::StatusOr<T> value) {
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? *std::move(value) : T();
}

std::vector<NodeReport> NodeDump(std::string body) {
  return Must(DecodeNodeDump(&body, "dc1"));
}
std::vector<NodeReport> HealthService(std::string body) {
  return Must(DecodeHealthService(&body, "dc1"));
}

const NodeReport& NodeNamed(const std::vector<NodeReport>& nodes,
                            const std::string& name) {
  for (const NodeReport& node : nodes) {
    if (node.node.name == name) return node;
  }
  ADD_FAILURE() << "no node " << name;
  return nodes.front();
}

const ServiceInstance& InstanceNamed(const NodeReport& node,
                                     const std::string& id) {
  for (const InstanceReport& instance : node.instances) {
    if (instance.instance.id == id) return instance.instance;
  }
  ADD_FAILURE() << "no instance " << id;
  return node.instances.front().instance;
}

// The node and instance that were registered with every field set.
Node FullNode() {
  Node node;
  node.id = "B3F5C3A1-0000-4000-8000-0000000000AB";
  node.name = "Ext-3";
  node.datacenter = "dc1";
  node.address = "10.1.0.3";
  node.tagged_addresses = {{"lan", "10.1.0.3"}, {"wan", "198.51.100.3"}};
  node.meta = {{"k", "v<&>\"\xE2\x80\xA8\xC3\xA9"}, {"rfc1035-x", "y"}};
  node.has_tagged_addresses = node.has_meta = true;
  return node;
}

ServiceInstance FullInstance() {
  ServiceInstance instance;
  instance.id = "Web-1";
  instance.name = "Web";
  instance.tags = {"V1", "a.b", ""};
  instance.meta = {{"m", "1"}};
  instance.port = 8080;
  instance.tagged_addresses = {{"lan", {"10.9.0.1", 1}},
                               {"virtual", {"240.0.0.1", 80}},
                               {"wan", {"198.51.100.9", 0}}};
  instance.weights = {10, 3};
  instance.enable_tag_override = true;
  instance.connect_native = true;
  instance.has_meta = true;
  return instance;
}

// "ID STATUS SERVICE_ID" of each check, sorted.
std::string ChecksText(const std::vector<CheckReport>& checks) {
  std::vector<std::string> texts;
  for (const CheckReport& report : checks) {
    texts.push_back(absl::StrCat(report.check.id.view(), " ",
                                 HealthStatusName(report.check.status),
                                 report.check.service_id.empty() ? "" : " ",
                                 report.check.service_id.view()));
  }
  std::sort(texts.begin(), texts.end());
  return absl::StrJoin(texts, ", ");
}

// c4 was registered as "unknown", c5 as "maintenance", c6 as "" and c7 as
// "Passing".
constexpr char kFullChecks[] =
    "c1 passing Web-1, c2 warning, c3 critical Web-1, c4 critical, "
    "c5 critical, c6 critical, c7 critical";

TEST(ConsulDecode, ReadsNodesWithAllTheirServicesAndChecks) {
  const auto nodes = NodeDump(Recorded("ui_nodes"));
  ASSERT_EQ(nodes.size(), 6u);

  const NodeReport& full = NodeNamed(nodes, "Ext-3");
  EXPECT_EQ(full.node, FullNode());
  EXPECT_EQ(full.modify_index, 0u);  // not said in this answer
  ASSERT_EQ(full.instances.size(), 1u);
  EXPECT_EQ(full.instances[0].instance, FullInstance());
  EXPECT_EQ(full.instances[0].modify_index, 17u);
  EXPECT_EQ(ChecksText(full.checks), kFullChecks);
  const CheckReport& c1 = full.checks[0];
  EXPECT_EQ(c1.node, "Ext-3");
  EXPECT_EQ(c1.check.name, "C1");
  EXPECT_EQ(c1.check.output, "ok\n\t\x01");
  EXPECT_EQ(c1.service_name, "Web");
  EXPECT_EQ(c1.modify_index, 17u);

  // Registered without an agent: null where an agent has {}.
  const NodeReport& bare = NodeNamed(nodes, "ext-1");
  EXPECT_TRUE(bare.node.tagged_addresses.empty());
  EXPECT_TRUE(bare.node.meta.empty());
  EXPECT_EQ(bare.node.id, "");
  EXPECT_TRUE(bare.instances.empty());
  EXPECT_TRUE(bare.checks.empty());
  EXPECT_EQ(NodeNamed(nodes, "ext-2").node.address, "host.example.com");
  EXPECT_EQ(NodeNamed(nodes, "Dev-1").instances[0].instance.name, "consul");
}

TEST(ConsulDecode, ReadsGatewaysAndProxies) {
  const auto nodes = NodeDump(Recorded("ui_nodes"));
  const NodeReport& gw = NodeNamed(nodes, "gw");
  std::map<std::string, ServiceKind> kinds;
  for (const InstanceReport& instance : gw.instances) {
    kinds[instance.instance.id] = instance.instance.kind;
  }
  const std::map<std::string, ServiceKind> expected = {
      {"Ingress-GW", ServiceKind::kIngressGateway},
      {"api", ServiceKind::kTypical},
      {"legacy", ServiceKind::kTypical},
      {"mesh-gw", ServiceKind::kMeshGateway},
      {"term-gw", ServiceKind::kTerminatingGateway},
      {"web-proxy", ServiceKind::kConnectProxy}};
  EXPECT_EQ(kinds, expected);
  const ServiceInstance& proxy = InstanceNamed(gw, "web-proxy");
  EXPECT_EQ(proxy.mesh->proxy_destination, "Web");
  EXPECT_EQ(proxy.address, "10.1.0.44");
  EXPECT_EQ(InstanceNamed(gw, "api").mesh->proxy_destination, "");
  EXPECT_EQ(InstanceNamed(gw, "api").weights, (Weights{5, 0}));
  // A kind that only a later release knows.
  EXPECT_EQ(InstanceNamed(NodeNamed(nodes, "odd"), "weird").kind,
            ServiceKind::kTypical);

  const auto sidecar = HealthService(Recorded("health_sidecar"));
  ASSERT_EQ(sidecar.size(), 1u);
  EXPECT_EQ(sidecar[0].instances[0].instance, proxy);
  const auto ingress = HealthService(Recorded("health_ingress"));
  ASSERT_EQ(ingress.size(), 1u);
  EXPECT_EQ(ingress[0].instances[0].instance.kind,
            ServiceKind::kIngressGateway);
}

TEST(ConsulDecode, ReadsHealthOfAService) {
  const auto nodes = HealthService(Recorded("health_web"));
  ASSERT_EQ(nodes.size(), 1u);
  EXPECT_EQ(nodes[0].node, FullNode());
  EXPECT_EQ(nodes[0].modify_index, 17u);
  ASSERT_EQ(nodes[0].instances.size(), 1u);
  EXPECT_EQ(nodes[0].instances[0].instance, FullInstance());
  EXPECT_EQ(ChecksText(nodes[0].checks), kFullChecks);
  EXPECT_TRUE(HealthService(Recorded("health_none")).empty());
}

// Consul registers ports -1 and 70000, and its DNS answers 65535 and 4464.
TEST(ConsulDecode, TakesTheLowBitsOfAPortAsConsulsDnsDoes) {
  const auto nodes = HealthService(Recorded("health_ports"));
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[0].instances[0].instance.port, 4464);   // 70000
  EXPECT_EQ(nodes[1].instances[0].instance.port, 65535);  // -1
  EXPECT_EQ(nodes[1].instances[0].instance.tagged_addresses->at("wan").port,
            4465);  // 70001
}

TEST(ConsulDecode, ReadsTheSmallAnswers) {
  std::string body = Recorded("catalog_nodes");
  const auto nodes = Must(DecodeNodes(&body, "other"));
  ASSERT_EQ(nodes.size(), 6u);
  EXPECT_EQ(NodeNamed(nodes, "Ext-3").node, FullNode());
  EXPECT_EQ(NodeNamed(nodes, "Ext-3").modify_index, 17u);

  body = Recorded("catalog_services");
  const auto names = Must(DecodeServiceNames(&body));
  EXPECT_EQ(names.size(), 11u);
  EXPECT_EQ(names.at("Web"), (std::set<std::string>{"", "V1", "a.b"}));
  EXPECT_TRUE(names.at("api").empty());

  body = Recorded("node_checks");
  EXPECT_EQ(ChecksText(Must(DecodeChecks(&body))), kFullChecks);
  body = Recorded("state_any");
  EXPECT_EQ(ChecksText(Must(DecodeChecks(&body))),
            absl::StrCat(kFullChecks, ", serfHealth passing"));
  body = Recorded("state_critical");
  EXPECT_EQ(ChecksText(Must(DecodeChecks(&body))),
            "c3 critical Web-1, c6 critical");

  body = Recorded("datacenters");
  EXPECT_EQ(Must(DecodeDatacenters(&body)), std::vector<std::string>{"dc1"});
  body = R"(["DC2","dc1"])";
  EXPECT_EQ(Must(DecodeDatacenters(&body)),
            (std::vector<std::string>{"dc2", "dc1"}));

  body = Recorded("agent_self");
  const SelfReport self = Must(DecodeSelf(&body));
  EXPECT_EQ(self.datacenter, "dc1");
  EXPECT_EQ(self.node_name, "Dev-1");
  EXPECT_EQ(self.version, "1.8.7");

  body = Recorded("leader");
  EXPECT_TRUE(Must(DecodeHasLeader(&body)));
  body = "\"\"\n";
  EXPECT_FALSE(Must(DecodeHasLeader(&body)));
}

TEST(ConsulDecode, ReadsTheServicesOfGateways) {
  std::string body = Recorded("gateway_ingress");  // "api" on two listeners
  EXPECT_EQ(Must(DecodeGatewayServices(&body)),
            (std::vector<std::string>{"Web", "api"}));
  body = Recorded("gateway_terminating");
  EXPECT_FALSE(Must(DecodeGatewayServices(&body)).empty());
  body = Recorded("gateway_none");
  EXPECT_EQ(body, "null");
  EXPECT_TRUE(Must(DecodeGatewayServices(&body)).empty());
  body = R"([{"Gateway":"g","Service":"web","GatewayKind":"ingress-gateway"},)"
         R"({"Gateway":"g","Service":"x","GatewayKind":"api-gateway"}])";
  EXPECT_EQ(Must(DecodeGatewayServices(&body)),
            std::vector<std::string>{"web"});
}

TEST(ConsulDecode, ReadsPreparedQueries) {
  std::string body = Recorded("queries");
  const auto queries = Must(DecodeQueries(&body));
  std::map<std::string, PreparedQuery> by_name;
  for (const PreparedQuery& query : queries) {
    EXPECT_EQ(query.id.size(), 36u) << query.id;
    by_name[query.name] = query;
    by_name[query.name].id.clear();
  }
  ASSERT_EQ(by_name.size(), 3u);

  PreparedQuery simple;
  simple.name = "simple";
  simple.service = "Web";
  EXPECT_EQ(by_name["simple"], simple);

  PreparedQuery full = simple;
  full.name = "Full";
  full.failover_nearest = 3;
  full.failover_datacenters = {"DC2", "dc3"};
  full.only_passing = true;
  full.ignore_check_ids = {"c3", "c4"};
  full.near = "_agent";
  full.tags = {"V1", "!v2"};
  full.node_meta = {{"k", "v"}};
  full.service_meta = {{"m", "1"}};
  full.connect = true;
  full.ttl = "10s";
  EXPECT_EQ(by_name["Full"], full);

  PreparedQuery geo;
  geo.name = "geo-";
  geo.service = "${match(1)}";
  geo.tags = {"${match(2)}", "${agent.segment}"};
  geo.is_template = true;
  geo.regexp = R"(^geo-(.*?)-([^\-]+?)$)";
  geo.remove_empty_tags = true;
  EXPECT_EQ(by_name["geo-"], geo);
}

TEST(ConsulDecode, ReadsPreparedQueriesOfOtherReleases) {
  std::string body = R"([
    {"ID":"1","Service":{"Service":"a"}},
    {"ID":"2","Template":null,"DNS":null,"Service":null},
    {"ID":"3","Service":{"Failover":{"Datacenters":null,"NearestN":99999999999,
      "Targets":[{"Peer":"p"},{"Datacenter":"DC7"},{"Datacenter":"dc8",
      "Peer":"","Service":"x"},{"Peer":"p","Datacenter":"dc9"}]}}},
    {"ID":"4","Service":{"Failover":{"Datacenters":["dc5"],"NearestN":-1,
      "Targets":[{"Datacenter":"dc6"}]}}}])";
  const auto queries = Must(DecodeQueries(&body));
  ASSERT_EQ(queries.size(), 4u);
  EXPECT_EQ(queries[0].service, "a");
  EXPECT_FALSE(queries[1].is_template);
  EXPECT_EQ(queries[2].failover_datacenters,
            (std::vector<std::string>{"DC7", "dc8"}));
  EXPECT_EQ(queries[2].failover_nearest, 2147483647);
  EXPECT_EQ(queries[3].failover_datacenters, std::vector<std::string>{"dc5"});
  EXPECT_EQ(queries[3].failover_nearest, 0);
}

TEST(ConsulDecode, BoundsPortsAndWeights) {
  const std::vector<std::pair<std::string, uint16_t>> ports = {
      {"0", 0},          {"65535", 65535},
      {"65536", 0},      {"-70000", 61072},
      {"null", 0},       {"9223372036854775807", 65535},
      {"2147483648", 0}, {"-9223372036854775808", 0}};
  for (const auto& [port, expected] : ports) {
    const auto nodes = NodeDump(InstanceWith("\"Port\":" + port));
    ASSERT_EQ(nodes.size(), 1u) << port;
    EXPECT_EQ(nodes[0].instances[0].instance.port, expected) << port;
    EXPECT_EQ(nodes[0].node.datacenter, "dc1");
  }
  const std::vector<std::pair<std::string, Weights>> weights = {
      {R"({"Passing":1,"Warning":0})", {1, 0}},
      {R"({"Passing":65535,"Warning":65535})", {65535, 65535}},
      {R"({"Passing":0,"Warning":5})", {1, 1}},
      {R"({"Passing":65536,"Warning":5})", {1, 1}},
      {R"({"Passing":7,"Warning":-1})", {1, 1}},
      {R"({"Passing":7,"Warning":70000})", {1, 1}},
      {R"({})", {1, 1}},
      {"null", {1, 1}}};
  for (const auto& [text, expected] : weights) {
    const auto nodes = NodeDump(InstanceWith("\"Weights\":" + text));
    ASSERT_EQ(nodes.size(), 1u) << text;
    EXPECT_EQ(nodes[0].instances[0].instance.weights, expected) << text;
  }
}

TEST(ConsulDecode, LeavesOutWhatPeersExported) {
  std::string body = R"([
    {"Node":"own","PeerName":"","Services":[
      {"ID":"a","Service":"a"},{"ID":"b","Service":"b","PeerName":"p"}],
     "Checks":[{"Node":"own","CheckID":"x","PeerName":"p"},
               {"Node":"own","CheckID":"y"}]},
    {"Node":"own","PeerName":"p","Services":[{"ID":"c","Service":"c"}]}])";
  const auto nodes = NodeDump(body);
  ASSERT_EQ(nodes.size(), 1u);
  ASSERT_EQ(nodes[0].instances.size(), 1u);
  EXPECT_EQ(nodes[0].instances[0].instance.id, "a");
  EXPECT_EQ(ChecksText(nodes[0].checks), "y critical");
  EXPECT_TRUE(HealthService(R"([{"Node":{"Node":"n"},"Checks":null,
      "Service":{"ID":"a","Service":"a","PeerName":"p"}}])")
                  .empty());
}

TEST(ConsulDecode, TakesTheDatacenterOfTheAnswerInLowerCase) {
  const auto nodes = HealthService(R"([
    {"Node":{"Node":"n","Datacenter":"DC-Two"},
     "Service":{"ID":"a","Service":"a"}},
    {"Service":{"Service":"a","ID":"a"},"Node":{"Node":"m"}}])");
  ASSERT_EQ(nodes.size(), 2u);
  EXPECT_EQ(nodes[0].node.datacenter, "dc-two");
  EXPECT_EQ(nodes[1].node.datacenter, "dc1");
}

}  // namespace
}  // namespace dnsd
