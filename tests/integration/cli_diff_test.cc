// Every verb that asks an agent, beside the real `consul` 1.8.7 with the same
// words: both ask one Consul, and print and end alike.
//
// Skipped without a Consul binary (consul_process.h).
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/json_read.h"
#include "tests/integration/cli_pair.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"

namespace dnsd::testing {
namespace {

constexpr char kDefinitions[] = R"(
  node_meta { rack = "r1" zone = "z" }
  services { id = "web1" name = "web" port = 80 tags = ["v1", "primary"]
             checks = [{ ttl = "1h" status = "passing" name = "t" }] }
  services { id = "db" name = "db" port = 5432 address = "10.0.0.5" }
  services { id = "px" name = "px" kind = "connect-proxy" port = 21
             proxy { destination_service_name = "web"
                     config { k = "v" }
                     upstreams { destination_name = "db"
                                 local_bind_port = 1234 } } }
)";

// What only the catalog's API can make.
constexpr const char* kRegistrations[] = {
    R"({"Node":"beta-long-name-node","Address":"10.0.0.2",
        "ID":"11111111-2222-3333-4444-555555555555",
        "TaggedAddresses":{"lan":"10.0.0.2","wan":"1.2.3.4"},
        "NodeMeta":{"b":"2","a":"1"},
        "Service":{"Service":"web","ID":"web2","Port":81,"Tags":["z","a"],
                   "TaggedAddresses":{"lan":{"Address":"1.1.1.1","Port":4}},
                   "Weights":{"Passing":3,"Warning":0},"Meta":{"x":"<&>"}},
        "Check":{"CheckID":"c","Name":"n","Status":"critical",
                 "ServiceID":"web2","Output":"<o>",
                 "Definition":{"HTTP":"http://h/","Interval":"10s",
                               "Header":{"a":["b"]}}}})",
    R"({"Node":"gam","Address":"10.0.0.3",
        "NodeMeta":{"p":"a|b","u":"äö","sp":"  x "},
        "Service":{"Service":"web","ID":"web3"}})",
    R"({"Node":"gam","Address":"10.0.0.3","SkipNodeUpdate":true,
        "Service":{"Service":"web","ID":"web4","Tags":["t1"]}})",
    R"({"Node":"nönö","Address":"10.0.0.4|x",
        "Service":{"Service":"wäb s","ID":"1","Tags":["a","ü","a,b"]}})",
    R"({"Node":"empty","Address":"10.0.0.9"})",
};

class CliDiffTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string> binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    ConsulProcessOptions options;
    options.node_name = "alpha";
    options.wan = true;
    options.config = kDefinitions;
    consul_.emplace(*binary, options);
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    ASSERT_TRUE(consul_->WaitUntilNodeSynced()) << consul_->process().output();
    ASSERT_TRUE(WaitUntil([this] {
      return consul_->api().Count("/v1/catalog/services") == 4u &&
             consul_->api().Count("/v1/health/state/any") == 2u;
    })) << consul_->process().output();
    for (const char* registration : kRegistrations) {
      ASSERT_EQ(consul_->api().Put("/v1/catalog/register", registration), 200);
    }
    pair_.emplace(*binary, DnsdBinary(), consul_->HttpAddress());
  }

  void Compare(const std::vector<CliCase>& cases) {
    for (const CliCase& c : cases) EXPECT_EQ(pair_->Difference(c), "");
  }

  std::optional<ConsulProcess> consul_;
  std::optional<CliPair> pair_;
};

TEST_F(CliDiffTest, Members) {
  Compare({
      {{"members"}},
      {{"members", "-detailed"}},
      {{"members", "-wan"}},
      {{"members", "-wan", "-detailed=true"}},
      {{"members", "-status=alive"}},
      {{"members", "-status=^al"}},
      {{"members", "-status", "failed"}},
      {{"members", "-status=["}},
      {{"members", "-status=("}},
      {{"members", "-status=*"}},
      {{"members", "-segment=x"}},
      {{"members", "extra"}},
      {{"members", "--", "-x"}},
      {{"members", "-bad"}, CliSame::kErrorLine},
      {{"members", "-stale"}, CliSame::kErrorLine},
      {{"members", "-wan=maybe"}, CliSame::kErrorLine},
      {{"members", "-wan="}, CliSame::kErrorLine},
      {{"members", "-status"}, CliSame::kErrorLine},
      {{"members", "---x"}, CliSame::kErrorLine},
      {{"members", "-=x"}, CliSame::kErrorLine},
      {{"members", "-h"}, CliSame::kExit},
  });
}

TEST_F(CliDiffTest, CatalogServices) {
  Compare({
      {{"catalog", "services"}},
      {{"catalog", "services", "-tags"}},
      {{"catalog", "services", "-stale"}},
      {{"catalog", "services", "-node=alpha"}},
      {{"catalog", "services", "-node", "alpha", "-tags"}},
      {{"catalog", "services", "-node=gam", "-tags"}},
      {{"catalog", "services", "-node=nönö", "-tags"}},
      {{"catalog", "services", "-node=11111111-2222-3333-4444-555555555555"}},
      {{"catalog", "services", "-node=nope"}},
      {{"catalog", "services", "-node=empty"}},
      {{"catalog", "services", "-node-meta", "rack=r1"}},
      {{"catalog", "services", "-node-meta=a=1", "-node-meta=b=2"}},
      {{"catalog", "services", "-node-meta=none=1"}},
      {{"catalog", "services", "-node-meta=rack"}, CliSame::kErrorLine},
      {{"catalog", "services", "x"}},
      {{"catalog", "services", "-datacenter=nope"}},
      {{"catalog", "services", "-datacenter=nope", "-node=alpha"}},
      {{"catalog", "services", "-namespace=n"}},
      {{"catalog", "services", "-stale=maybe"}, CliSame::kErrorLine},
      {{"catalog", "services", "-h"}, CliSame::kExit},
  });
}

TEST_F(CliDiffTest, CatalogNodes) {
  Compare({
      {{"catalog", "nodes"}},
      {{"catalog", "nodes", "-detailed"}},
      {{"catalog", "nodes", "-service=web"}},
      {{"catalog", "nodes", "-service=web", "-detailed"}},
      {{"catalog", "nodes", "-service=wäb s"}},
      {{"catalog", "nodes", "-service=nope"}},
      {{"catalog", "nodes", "-near=_agent"}},
      {{"catalog", "nodes", "-near=nope"}},
      {{"catalog", "nodes", "-filter=Node == \"gam\""}},
      {{"catalog", "nodes", "-filter=Meta.a == 1"}},
      {{"catalog", "nodes", "-service=web", "-filter=Node==alpha"}},
      {{"catalog", "nodes", "-filter=foo ==="}},
      {{"catalog", "nodes", "-filter=zz"}},
      {{"catalog", "nodes", "-filter=Nodes == 1"}},
      {{"catalog", "nodes", "-service=web", "-filter=zz"}},
      {{"catalog", "nodes", "-node-meta=a=1"}},
      {{"catalog", "nodes", "-node-meta=a=2"}},
      {{"catalog", "nodes", "-service=web", "-near=alpha", "-node-meta=a=1"}},
      {{"catalog", "nodes", "x", "y"}},
      {{"catalog", "nodes", "-datacenter", "zz"}},
      {{"catalog", "nodes", "-datacenter=dc1", "-stale"}},
      {{"catalog", "nodes", "-bad"}, CliSame::kErrorLine},
  });
}

TEST_F(CliDiffTest, CatalogItselfAndDatacenters) {
  Compare({
      {{"catalog", "datacenters"}},
      {{"catalog", "datacenters", "-datacenter=x"}},
      {{"catalog", "datacenters", "x"}},
      {{"catalog"}, CliSame::kExit},
      {{"catalog", "foo"}, CliSame::kExit},
      {{"catalog", "-h"}, CliSame::kExit},
      {{"services"}, CliSame::kExit},
      {{"services", "foo"}, CliSame::kExit},
      {{"foo"}, CliSame::kExit},
      {{}, CliSame::kExit},
  });
}

TEST_F(CliDiffTest, Maint) {
  const char* const alpha_reason = "-reason=a 'b' & <c>/é";
  Compare({
      {{"maint"}},
      {{"maint", "x"}},
      {{"maint", "-enable", "-disable"}},
      {{"maint", "-enable", "-disable", "-service=q"}},
      {{"maint", "-service=web1"}},
      {{"maint", "-reason=x"}},
      {{"maint", "-disable", "-reason=x"}},
      {{"maint", "-enable", "-service=nope"}},
      {{"maint", "-disable", "-service=nope"}},
      {{"maint", "-enable", "-service=a/b c"}},
      {{"maint", "-datacenter=dc1"}, CliSame::kErrorLine},
      {{"maint", "-enable"}},
      {{"maint"}},
      {{"maint", "-disable"}},
      {{"maint", "-disable"}},
      {{"maint", "-enable", "-service=web1", alpha_reason}},
      {{"maint"}},
      {{"maint", "-disable", "-service=web1"}},
      {{"maint"}},
  });
}

TEST_F(CliDiffTest, MaintTakesEffect) {
  EXPECT_EQ(pair_->Dnsd({{"maint", "-enable", "-reason=why not"}}).exit_code,
            0);
  const std::string checks = consul_->api().Get("/v1/agent/checks");
  EXPECT_TRUE(absl::StrContains(checks, "_node_maintenance")) << checks;
  EXPECT_TRUE(absl::StrContains(checks, "\"why not\"")) << checks;
  const CliResult json = pair_->Dnsd({{"maint", "-format=json"}});
  EXPECT_TRUE(absl::StrContains(json.out, "\"Notes\": \"why not\""))
      << json.out;
  EXPECT_EQ(pair_->Dnsd({{"maint", "-disable"}}).exit_code, 0);
  EXPECT_FALSE(absl::StrContains(consul_->api().Get("/v1/agent/checks"),
                                 "_node_maintenance"));
}

TEST_F(CliDiffTest, InfoReloadLeave) {
  Compare({
      {{"info"}, CliSame::kNoDigits},
      {{"info", "x"}, CliSame::kNoDigits},
      {{"info", "-bad"}, CliSame::kErrorLine},
      {{"reload"}},
      {{"reload", "x"}},
      {{"reload", "-bad"}, CliSame::kErrorLine},
  });
  const CliResult words = pair_->Dnsd({{"leave", "x", "y"}});
  EXPECT_EQ(words.exit_code, 1);
  EXPECT_EQ(words.err, pair_->Consul({{"leave", "x", "y"}}).err);
  const CliResult left = pair_->Dnsd({{"leave"}});
  EXPECT_EQ(left.exit_code, 0);
  EXPECT_EQ(left.out, "Graceful leave complete\n");
  EXPECT_EQ(consul_->process().Wait(), 0);
}

// All that fails before an answer, the same for every verb.
TEST_F(CliDiffTest, Connections) {
  const std::string plain = consul_->HttpAddress();
  std::vector<CliCase> cases = {
      {{"members", "-http-addr=unix:///nope.sock"}},
      {{"members", "-http-addr=foo://x"}},
      {{"members", "-http-addr=[::1]:1"}},
      {{"members", "-http-addr="}},
      {{"members", "-http-addr=http://" + plain}},
      {{"members", "-http-addr=https://" + plain}},
      {{"members"}, CliSame::kAll, {"CONSUL_HTTP_SSL=1"}},
      {{"members"}, CliSame::kAll, {"CONSUL_HTTP_SSL=false"}},
      {{"members"}, CliSame::kAll, {"CONSUL_HTTP_TOKEN=x"}},
      {{"members"}, CliSame::kAll, {"CONSUL_HTTP_TOKEN_FILE=/nope"}},
      {{"members"}, CliSame::kAll, {"CONSUL_HTTP_AUTH=u:p"}},
      {{"members"}, CliSame::kAll, {"CONSUL_CACERT=/nope"}},
      {{"members", "-token=x"}},
      {{"members", "-token-file=/nope"}},
      {{"members", "-ca-file=/nope"}},
      {{"members", "-ca-path=/nope"}},
      {{"members", "-client-cert=/nope"}},
      {{"members", "-client-key=/nope"}},
      {{"watch", "-type=services", "-http-addr=foo://x"}},
      {{"watch", "-type=services", "-token-file=/nope"}},
  };
  for (const std::vector<std::string>& verb :
       std::vector<std::vector<std::string>>{
           {"members"},
           {"members", "-wan"},
           {"catalog", "services"},
           {"catalog", "services", "-node=a b"},
           {"catalog", "nodes"},
           {"catalog", "nodes", "-service=web", "-filter=a == \"b\""},
           {"catalog", "datacenters"},
           {"services", "register", "-name=x"},
           {"services", "deregister", "-id=x"},
           {"maint"},
           {"maint", "-enable", "-reason=a b"},
           {"maint", "-disable", "-service=x"},
           {"info"},
           {"reload"},
           {"leave"},
           {"watch", "-type=nodes"}}) {
    CliCase c{verb};
    c.args.push_back("-http-addr=127.0.0.1:1");
    cases.push_back(c);
  }
  Compare(cases);
}

// Consul's commands have no -format here; ours is the API's JSON.
TEST_F(CliDiffTest, FormatJsonIsTheApis) {
  const struct {
    std::vector<std::string> args;
    const char* path;
  } cases[] = {
      {{"members"}, "/v1/agent/members"},
      {{"catalog", "services"}, "/v1/catalog/services"},
      {{"catalog", "services", "-node=gam"}, "/v1/catalog/node/gam"},
      {{"catalog", "nodes"}, "/v1/catalog/nodes"},
      {{"catalog", "nodes", "-service=db"}, "/v1/catalog/service/db"},
      {{"catalog", "datacenters"}, "/v1/catalog/datacenters"},
  };
  for (const auto& c : cases) {
    CliCase json{c.args};
    json.args.push_back("-format=json");
    const CliResult result = pair_->Dnsd(json);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_TRUE(ParseJson(result.out).ok()) << result.out;
    if (absl::StrContains(c.path, "catalog/services")) continue;  // any order
    EXPECT_EQ(result.out, consul_->api().Get(absl::StrCat(c.path, "?pretty")));
  }
  const CliResult bad = pair_->Dnsd({{"members", "-format=xml"}});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_TRUE(absl::StartsWith(
      bad.err, "invalid value \"xml\" for flag -format: must be "))
      << bad.err;
}

}  // namespace
}  // namespace dnsd::testing
