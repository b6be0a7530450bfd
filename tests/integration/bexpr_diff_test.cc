// Filter expressions against the real Consul 1.8.7: a catalog of varied
// services is registered, each list is read once without a filter, and then
// Filter must choose the same objects from it as ?filter= does, or refuse the
// expression with the same text.
//
// Skipped without a Consul binary: DNSD_CONSUL names one, and otherwise it is
// build/consul/usr/bin/consul.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "tests/testing/bexpr_rows.h"
#include "tests/testing/bexpr_texts.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/seeds.h"

namespace dnsd::testing {
namespace {

using Texts = std::vector<std::string>;

constexpr int kFailuresMax = 12;  // enough to see a pattern

constexpr char kAgent[] = R"(
services { id = "web-1" name = "web" port = 80 tags = ["a", "b"]
  meta { x = "1" "9x" = "q" } enable_tag_override = true
  check { id = "web-ttl" name = "web alive" ttl = "1h" status = "passing" } }
services { id = "web-2" name = "web" port = 81 address = "10.0.0.9"
  tags = ["B", ""] meta { x = "2" }
  weights { passing = 7 warning = 2 }
  tagged_addresses { lan { address = "10.0.0.9" port = 81 } } }
services { id = "db" name = "db" }
checks { id = "c1" name = "node check" ttl = "1h" notes = "hello" }
)";

// Nodes, services and checks beside the agent's own.
constexpr const char* kRegistrations[] = {
    R"({"Node":"n-1","ID":"11111111-2222-3333-4444-555555555555",
     "Address":"10.1.0.1","NodeMeta":{"zone":"a"},
     "TaggedAddresses":{"lan":"10.1.0.1","wan":"10.2.0.1"},
     "Service":{"ID":"w1","Service":"web","Port":80,"Tags":["a"],
       "Meta":{"x":"1","a_b":"3"},"Connect":{"Native":true},
       "Weights":{"Passing":3,"Warning":2}},
     "Checks":[{"CheckID":"k1","Name":"web check","ServiceID":"w1",
        "Status":"passing","Type":"http","Output":"200 OK"},
       {"CheckID":"k2","Name":"disk","Status":"warning","Notes":"hello"}]})",
    R"({"Node":"n-2","Address":"10.1.0.2","NodeMeta":{"zone":"b","x":"1"},
     "Service":{"ID":"w1","Service":"web","Port":81,"Address":"10.0.0.9",
       "Tags":["b","a"],"EnableTagOverride":true,
       "TaggedAddresses":{"lan":{"Address":"10.0.0.9","Port":81}}},
     "Checks":[{"CheckID":"k1","Name":"web","ServiceID":"w1",
        "Status":"critical","Type":"ttl"}]})",
    R"({"Node":"n-3","Address":"node3.example.com",
     "Service":{"ID":"w9","Service":"web"}})",
    R"({"Node":"n-2","Address":"10.1.0.2","SkipNodeUpdate":true,
     "Service":{"ID":"p1","Service":"web-proxy","Kind":"connect-proxy",
       "Port":21000,"Proxy":{"DestinationServiceName":"web",
       "DestinationServiceID":"web-1","LocalServicePort":80,
       "LocalServiceAddress":"127.0.0.1","MeshGateway":{"Mode":"local"},
       "Expose":{"Checks":true,"Paths":[{"Path":"/x","ListenerPort":1,
         "LocalPathPort":2,"Protocol":"http"}]},
       "Upstreams":[{"DestinationName":"db","LocalBindPort":9191},
         {"DestinationName":"cache","LocalBindPort":9192,
          "Datacenter":"dc2"}]}}})",
    R"({"Node":"n-3","Address":"node3.example.com","SkipNodeUpdate":true,
     "Service":{"ID":"p1","Service":"web-proxy","Kind":"connect-proxy",
       "Port":21000,"Proxy":{"DestinationServiceName":"db"}}})",
};

struct Endpoint {
  const char* path;
  BexprKind kind;
  Texts selectors;
};

Texts WithPrefix(const std::string& prefix, const Texts& texts) {
  Texts all;
  for (const std::string& text : texts) all.push_back(prefix + text);
  return all;
}

Texts Joined(std::vector<Texts> lists) {
  Texts all;
  for (Texts& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

std::vector<Endpoint> Endpoints() {
  const Texts service = {"ID",
                         "Kind",
                         "Tags",
                         "Tags",
                         "Port",
                         "Address",
                         "Meta",
                         "Meta.x",
                         "Meta[\"a_b\"]",
                         "TaggedAddresses",
                         "TaggedAddresses.lan.Port",
                         "TaggedAddresses.lan.Address",
                         "Weights.Passing",
                         "Weights.Warning",
                         "EnableTagOverride",
                         "Weights"};
  const Texts mesh = {"Connect.Native",
                      "Proxy.DestinationServiceName",
                      "Proxy.Upstreams",
                      "Proxy.Upstreams.DestinationName",
                      "Proxy.Upstreams.LocalBindPort",
                      "Proxy.Expose.Checks",
                      "Proxy.Expose.Paths.Path",
                      "Proxy.MeshGateway.Mode"};
  const Texts node = {
      "ID",   "Node",      "Address",         "Datacenter",
      "Meta", "Meta.zone", "TaggedAddresses", "TaggedAddresses.lan"};
  const Texts check = {"Node",        "CheckID",    "Name",      "Status",
                       "Notes",       "Output",     "ServiceID", "Type",
                       "ServiceName", "ServiceTags"};
  const Texts health =
      Joined({WithPrefix("Service.", service),
              WithPrefix("Service.", mesh),
              WithPrefix("Node.", node),
              WithPrefix("Checks.", check),
              {"Service.Service", "Checks", "Service", "Bogus"}});
  const Texts row = Joined({WithPrefix("Service", service),
                            WithPrefix("Service", mesh),
                            node,
                            {"ServiceName", "NodeMeta.zone", "NodeMeta"}});
  const Texts agent = Joined({service, {"Service", "Service", "Bogus.x"}});
  return {
      {"/v1/health/service/web", BexprKind::kHealthService, health},
      {"/v1/health/service/web-proxy", BexprKind::kHealthService, health},
      {"/v1/catalog/service/web", BexprKind::kCatalogService, row},
      {"/v1/catalog/service/web-proxy", BexprKind::kCatalogService, row},
      {"/v1/catalog/nodes", BexprKind::kNodes, Joined({node, {"Bogus"}})},
      {"/v1/health/state/any", BexprKind::kChecks, check},
      {"/v1/agent/services", BexprKind::kServices, agent},
      {"/v1/agent/checks", BexprKind::kChecks, check},
  };
}

std::string Escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    absl::StrAppendFormat(&out, "%%%02X", static_cast<uint8_t>(c));
  }
  return out;
}

constexpr char kFailed[] = "Failed to create boolean expression evaluator: ";

class BexprDiffTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    ConsulProcessOptions options;
    options.config = kAgent;
    consul_ = std::make_unique<ConsulProcess>(*binary, options);
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    ASSERT_TRUE(consul_->WaitUntilSynced("c1"));
    for (const char* body : kRegistrations) {
      ASSERT_EQ(consul_->api().Put("/v1/catalog/register", body), 200) << body;
    }
    for (Endpoint& endpoint : Endpoints()) {
      BexprRows rows(endpoint.kind);
      ASSERT_TRUE(rows.Read(consul_->api().Get(endpoint.path)));
      ASSERT_GE(rows.size(), 2u) << endpoint.path;
      rows_.push_back(std::move(rows));
      endpoints_.push_back(std::move(endpoint));
    }
  }

  // Nothing is compared where Consul answers nothing: it cuts the connection
  // when an agent's service has no Connect or Proxy (bexpr.h).
  void Compare(size_t i, const std::string& text) {
    if (failures_ >= kFailuresMax) return;
    const Endpoint& endpoint = endpoints_[i];
    const ConsulReply reply = consul_->api().Call(
        "GET", absl::StrCat(endpoint.path, "?filter=", Escaped(text)));
    const auto ours = rows_[i].Select(text);
    const std::string path = endpoint.path;
    if (reply.status == 0 && path == "/v1/agent/services" &&
        (absl::StrContains(text, "Connect") ||
         absl::StrContains(text, "Proxy"))) {
      return;
    }
    std::string theirs = std::string(absl::StripSuffix(reply.body, "\n"));
    if (reply.status == 200) {
      BexprRows selected(endpoint.kind);
      ASSERT_TRUE(selected.Read(reply.body)) << reply.body;
      theirs = absl::StrCat("OK ", absl::StrJoin(selected.SortedKeys(), " "));
      ++selected_;
      if (selected.size() != 0 && selected.size() != rows_[i].size()) ++some_;
    } else {
      ++refused_;
    }
    const std::string mine =
        ours.ok() ? absl::StrCat("OK ", absl::StrJoin(*ours, " "))
                  : std::string(ours.status().message());
    // One list of Consul's says the reason alone.
    if (mine == theirs || mine == absl::StrCat(kFailed, theirs)) return;
    ++failures_;
    ADD_FAILURE() << path << " '" << text << "'\n Consul (" << reply.status
                  << "): " << theirs << "\n ours: " << mine;
  }

  std::unique_ptr<ConsulProcess> consul_;
  std::vector<Endpoint> endpoints_;
  std::deque<BexprRows> rows_;  // they stay where they are
  int failures_ = 0;
  int selected_ = 0;  // answered with a list
  int some_ = 0;      // with a part of the objects
  int refused_ = 0;
};

TEST_F(BexprDiffTest, TableSelectsAndFailsAsConsulDoes) {
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    for (const std::string& text : BexprTable()) Compare(i, text);
  }
  EXPECT_GT(some_, 60);
  EXPECT_GT(refused_, 400);
}

TEST_F(BexprDiffTest, RandomExpressionsSelectAndFailAsConsulDoes) {
  Random random(TestSeed());
  const Texts values = {"web",
                        "db",
                        "a",
                        "b",
                        "x",
                        "\"\"",
                        "80",
                        "81",
                        "true",
                        "false",
                        "1",
                        "passing",
                        "\"n-1\"",
                        "`w1`",
                        "lan",
                        "zone",
                        "dc1",
                        "`^1`",
                        "\"10.0.0.9\"",
                        "`e`",
                        "hello",
                        "ttl",
                        "critical",
                        "\"connect-proxy\"",
                        "local",
                        "-1",
                        "\"0x50\"",
                        "`[`",
                        "w.b",
                        "2"};
  const int count = Scaled(2000);
  for (int n = 0; n < count && failures_ < kFailuresMax; ++n) {
    const size_t i = n % endpoints_.size();
    Compare(i, RandomBexpr(endpoints_[i].selectors, values, &random));
  }
  EXPECT_GT(some_, count / 40);
  EXPECT_GT(refused_, count / 20);
}

}  // namespace
}  // namespace dnsd::testing
