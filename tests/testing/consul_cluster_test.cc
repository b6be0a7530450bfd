// That what the tests of mirroring stand on stands: real Consul servers that
// are killed, paused, wiped, restored and joined.
#include "tests/testing/consul_cluster.h"

#include <optional>
#include <string>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/fault_proxy.h"

namespace dnsd::testing {
namespace {

class ConsulTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string> binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    binary_ = *binary;
  }

  std::string binary_;
};

ConsulInstance Web() {
  ConsulInstance web;
  web.name = "web";
  web.id = "web-\"1\"";
  web.port = 80;
  web.tags = {"blue"};
  web.meta = {{"k", "v"}};
  web.status = "passing";
  return web;
}

TEST_F(ConsulTest, DevelopmentServerTakesRegistrations) {
  ConsulProcess consul(binary_, ConsulProcessOptions());
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  ConsulApi& api = consul.api();

  ASSERT_TRUE(api.Register(Web()));
  const ConsulReply passing = api.Call("GET", "/v1/health/service/web?passing");
  EXPECT_EQ(passing.status, 200);
  EXPECT_GT(passing.index, 0u);
  EXPECT_EQ(passing.headers.at("x-consul-knownleader"), "true");
  EXPECT_TRUE(absl::StrContains(passing.body, R"("web-\"1\"")"))
      << passing.body;
  ASSERT_TRUE(api.SetStatus(Web(), "critical"));
  EXPECT_EQ(api.Count("/v1/health/service/web?passing"), 0u);
  EXPECT_GT(api.Call("GET", "/v1/health/service/web").index, passing.index);
  ASSERT_TRUE(api.DeregisterService("node-1", "web-\"1\""));
  EXPECT_EQ(api.Count("/v1/catalog/service/web"), 0u);
  ASSERT_TRUE(api.DeregisterNode("node-1"));
  EXPECT_EQ(api.Count("/v1/catalog/nodes"), 1u);  // its own
  const DnsReply reply = AskUdp(consul.dns(), {"consul.service.consul."});
  EXPECT_EQ(reply.rcode, "NOERROR") << reply.error;
}

TEST_F(ConsulTest, ServerKeepsItsDataUntilItIsWiped) {
  ConsulProcessOptions options;
  options.keeps_data = true;
  ConsulProcess consul(binary_, options);
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  const std::string url = consul.HttpUrl();
  ASSERT_TRUE(consul.api().Register(Web()));
  const std::string snapshot = consul.api().Get("/v1/snapshot");
  ASSERT_FALSE(snapshot.empty());

  consul.Kill();
  EXPECT_FALSE(consul.running());
  EXPECT_EQ(consul.api().Call("GET", "/v1/status/leader").status, 0);
  consul.Restart();
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  EXPECT_EQ(consul.HttpUrl(), url);
  EXPECT_EQ(consul.api().Count("/v1/catalog/service/web"), 1u);

  consul.Restart(ConsulProcess::Data::kWiped);
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  EXPECT_EQ(consul.api().Count("/v1/catalog/service/web"), 0u);

  ASSERT_EQ(consul.api().Put("/v1/snapshot", snapshot), 200);
  EXPECT_EQ(consul.api().Count("/v1/catalog/service/web"), 1u);
}

TEST_F(ConsulTest, PausedServerDoesNotAnswerUntilItContinues) {
  ConsulProcess consul(binary_, ConsulProcessOptions());
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  consul.Pause();
  consul.api().set_timeout(std::chrono::milliseconds(300));
  const ConsulReply none = consul.api().Call("GET", "/v1/status/leader");
  EXPECT_EQ(none.status, 0);
  EXPECT_FALSE(none.body.empty());
  consul.api().set_timeout(kPatience);
  consul.Continue();
  EXPECT_TRUE(consul.WaitForLeader());
}

// What a mirror does, through what tests do to it.
TEST_F(ConsulTest, LongPollsGoThroughAProxy) {
  ConsulProcess consul(binary_, ConsulProcessOptions());
  ASSERT_TRUE(consul.WaitForLeader()) << consul.process().output();
  ASSERT_TRUE(consul.api().Register(Web()));
  FaultProxy proxy(consul.options().ip, consul.ports().http);
  ConsulApi api(proxy.Url());
  const std::string path = "/v1/health/service/web";
  const ConsulReply first = api.Call("GET", path);
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(first.body, consul.api().Get(path));

  ConsulReply second;
  std::thread poll([&] {
    second = api.Call("GET", absl::StrCat(path, "?index=", first.index));
  });
  EXPECT_TRUE(WaitUntil([&] { return proxy.RequestsWaiting(path) == 1; }));
  proxy.SetHeader(path, "X-Consul-Index", "1");  // also for what waits
  EXPECT_TRUE(consul.api().SetStatus(Web(), "critical"));
  poll.join();
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.index, 1u);
  EXPECT_TRUE(absl::StrContains(second.body, "critical"));
  EXPECT_EQ(proxy.Counts(path).answers, 2u);
  EXPECT_EQ(proxy.connections_max(), 1u);
  proxy.SetMode(FaultProxy::Mode::kRefuse);
  EXPECT_EQ(api.Call("GET", path).status, 0);
}

// One after another, because a cluster takes seconds to form.
TEST_F(ConsulTest, ClusterElectsAnotherLeaderAndTakesTheOldOneBack) {
  ConsulCluster cluster(binary_, {});
  ASSERT_EQ(cluster.size(), 3u);
  const std::optional<size_t> first = cluster.WaitForLeader();
  ASSERT_TRUE(first) << cluster.Outputs();
  const size_t other = (*first + 1) % 3;
  ConsulApi& api = cluster.server(other).api();
  // On a busy machine a leader may lose its office at any time.
  ASSERT_TRUE(WaitUntil([&] { return api.Register(Web()); }))
      << cluster.Outputs();

  cluster.KillServer(*first);
  EXPECT_FALSE(cluster.server(*first).running());
  const std::optional<size_t> second = cluster.WaitForLeader();
  ASSERT_TRUE(second) << cluster.Outputs();
  EXPECT_NE(*second, *first);
  const std::string path = "/v1/catalog/service/web";
  EXPECT_TRUE(WaitUntil([&] { return api.Count(path) == 1u; }));

  cluster.StartServer(*first);
  ASSERT_TRUE(cluster.WaitForLeader()) << cluster.Outputs();
  // It replays what it missed one after another.
  ConsulApi& old = cluster.server(*first).api();
  EXPECT_TRUE(WaitUntil([&] { return old.Count(path + "?stale") == 1u; }))
      << cluster.Outputs();
}

TEST_F(ConsulTest, TwoDatacentersAskEachOther) {
  ConsulClusterOptions options;
  options.server_count = 1;
  ConsulCluster here(binary_, options);
  options.datacenter = "dc2";
  options.first_ip = 5;
  options.join_wan = here.WanAddresses();
  ConsulCluster there(binary_, options);
  ASSERT_TRUE(here.WaitForLeader()) << here.Outputs();
  ASSERT_TRUE(there.WaitForLeader()) << there.Outputs();
  ASSERT_TRUE(here.WaitForDatacenter("dc2")) << here.Outputs();
  ASSERT_TRUE(there.WaitForDatacenter("dc1")) << there.Outputs();
  ConsulInstance web = Web();
  web.datacenter = "dc2";  // written through dc1's server
  ASSERT_TRUE(here.server(0).api().Register(web));
  EXPECT_EQ(here.server(0).api().Count("/v1/catalog/service/web"), 0u);
  EXPECT_EQ(here.server(0).api().Count("/v1/catalog/service/web?dc=dc2"), 1u);
  EXPECT_EQ(there.server(0).api().Count("/v1/catalog/service/web"), 1u);
}

}  // namespace
}  // namespace dnsd::testing
