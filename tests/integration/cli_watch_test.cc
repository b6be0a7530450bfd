// `watch` beside the real `consul` 1.8.7: one view, and a command for each
// change.
//
// Skipped without a Consul binary (consul_process.h).
#include <gtest/gtest.h>
#include <signal.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/integration/cli_pair.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/process.h"

namespace dnsd::testing {
namespace {

class CliWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string> binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    binary_ = *binary;
    ConsulProcessOptions options;
    options.node_name = "alpha";
    consul_.emplace(*binary, options);
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    ASSERT_TRUE(consul_->WaitUntilNodeSynced()) << consul_->process().output();
    ConsulInstance instance;
    instance.name = "web";
    instance.tags = {"v1", "<t>"};
    instance.status = "passing";
    instance.meta = {{"k", "<v>"}};
    ASSERT_TRUE(consul_->api().Register(instance));
    instance.node = "node-2";
    instance.status = "critical";
    ASSERT_TRUE(consul_->api().Register(instance));
    ASSERT_EQ(
        consul_->api().Put("/v1/catalog/register",
                           R"({"Node":"n3","Address":"10.0.0.3","Service":{
                "Service":"px","Kind":"connect-proxy","Port":21,
                "TaggedAddresses":{"wan":{"Address":"2.2.2.2","Port":6},
                                   "lan":{"Address":"1.1.1.1","Port":5}},
                "Weights":{"Passing":3,"Warning":2},
                "Proxy":{"DestinationServiceName":"web",
                  "Config":{"b":"x","a":1},
                  "Upstreams":[{"DestinationName":"db","LocalBindPort":12}],
                  "Expose":{"Paths":[{"Path":"/h","ListenerPort":9,
                                      "LocalPathPort":8,"Protocol":"http"}]}}},
              "Check":{"CheckID":"c","Name":"n","Status":"warning",
                "ServiceID":"px","Definition":{"HTTP":"http://h/",
                "Interval":"90s","Timeout":"2s","Header":{"b":["2"],"a":["1"]},
                "Method":"PUT","TLSSkipVerify":true,
                "DeregisterCriticalServiceAfter":"1h"}}})"),
        200);
    ASSERT_EQ(consul_->api().Put("/v1/kv/dir/a%20b", "v<"), 200);
    pair_.emplace(*binary, DnsdBinary(), consul_->HttpAddress());
  }

  // `binary watch ARGS...` that goes on.
  std::vector<std::string> Command(const std::string& binary,
                                   const std::vector<std::string>& args) {
    std::vector<std::string> words = pair_->Environment({});
    words.insert(words.end(), {binary, "watch"});
    words.insert(words.end(), args.begin(), args.end());
    return words;
  }

  std::string binary_;
  std::optional<ConsulProcess> consul_;
  std::optional<CliPair> pair_;
};

TEST_F(CliWatchTest, PrintsTheSameViews) {
  std::vector<CliCase> cases = {
      {{"watch", "-type=services"}, CliSame::kSortedLines},
      {{"watch", "-type=services", "-shell=false", "-stale"},
       CliSame::kSortedLines},
  };
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{
           {"-type=nodes"},
           {"-type", "nodes", "-datacenter=dc1"},
           {"-type=service"},
           {"-type=service", "-service=web"},
           {"-type=service", "-service=web", "-tag=v1"},
           {"-type=service", "-service=web", "-tag=v1", "-tag=no"},
           {"-type=service", "-service=web", "-passingonly=true"},
           {"-type=service", "-service=web", "-passingonly=foo"},
           {"-type=service", "-service=px"},
           {"-type=service", "-service=nope"},
           {"-type=checks"},
           {"-type=checks", "-state=passing"},
           {"-type=checks", "-state=warning"},
           {"-type=checks", "-service=px"},
           {"-type=checks", "-service=web", "-state=passing"},
           {"-type=checks", "-tag=a"},
           {"-type=key"},
           {"-type=key", "-key=dir/a b"},
           {"-type=key", "-key=nope"},
           {"-type=keyprefix"},
           {"-type=keyprefix", "-prefix=dir"},
           {"-type=keyprefix", "-prefix=nope"},
           {"-type=event"},
           {"-type=event", "-name=x"},
           {"-type=foo"},
           {"-type=foo", "-http-addr=127.0.0.1:1"},
           {"-type=connect_roots"},
           {"-type=connect_leaf", "-service=a"},
           {"-type=agent_service"},
           {"-type=services", "-key=x"},
           {"-type=services", "-service=web"},
           {"-type=services", "-passingonly=true"},
           {"-type=services", "-passingonly=x", "-key=a"},
           {"-type=nodes", "-name=x"},
           {"-type=nodes", "-tag=q"}}) {
    CliCase c{{"watch"}};
    c.args.insert(c.args.end(), args.begin(), args.end());
    cases.push_back(c);
  }
  cases.push_back({{"watch"}, CliSame::kErrorLine});
  cases.push_back({{"watch", "-bad"}, CliSame::kErrorLine});
  for (const CliCase& c : cases) EXPECT_EQ(pair_->Difference(c), "");
}

TEST_F(CliWatchTest, CommandsThatFailEndIt) {
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{
           {"-type=nodes", "cat; exit 3"},
           {"-type=nodes", "cat", ";", "exit", "4"},
           {"-type=nodes", "-shell=false", "false"},
           {"-type=nodes", "-shell=false", "/nope"},
           {"-type=nodes", "-shell=false", "nosuchprogram"},
           {"-type=nodes", "kill -9 $$"},
           {"-type=nodes", "test $CONSUL_INDEX -gt 0 && echo yes; exit 1"},
           {"-type=service", "-service=px", "cat >&2; exit 1"}}) {
    CliCase c{{"watch"}};
    c.args.insert(c.args.end(), args.begin(), args.end());
    EXPECT_EQ(pair_->Difference(c), "");
    c.environment = {"SHELL=/nope"};
    EXPECT_EQ(pair_->Difference(c), "");
  }
}

TEST_F(CliWatchTest, RunsTheCommandForEachChange) {
  for (const std::string& binary : {binary_, pair_->dnsd()}) {
    const std::string service = binary == binary_ ? "by-consul" : "by-dnsd";
    Process watch(Command(
        binary, {"-type=service", "-service=" + service, "cat; echo end"}));
    ASSERT_TRUE(watch.WaitForOutput("[]\nend\n")) << watch.output();
    ConsulInstance instance;
    instance.name = service;
    for (const char* node : {"node-a", "node-b"}) {
      const size_t from = watch.OutputBytes();
      instance.node = node;
      ASSERT_TRUE(consul_->api().Register(instance));
      ASSERT_TRUE(watch.WaitForOutput("end\n", from)) << watch.output();
      EXPECT_TRUE(absl::StrContains(watch.output().substr(from),
                                    absl::StrCat("\"Node\":\"", node, "\"")))
          << watch.output();
    }
    const size_t from = watch.OutputBytes();
    ASSERT_TRUE(consul_->api().DeregisterService("node-a", service));
    ASSERT_TRUE(watch.WaitForOutput("end\n", from)) << watch.output();
    watch.Signal(SIGTERM);
    EXPECT_EQ(watch.Wait(), 0);
  }
}

TEST_F(CliWatchTest, SignalsEndItAndGoToTheCommand) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Process watch(Command(pair_->dnsd(),
                          {"-type=nodes", "-shell=false", "sh", "-c",
                           "trap 'echo caught; exit' INT TERM; echo started; "
                           "while :; do sleep 0.05; done"}));
    ASSERT_TRUE(watch.WaitForOutput("started\n")) << watch.output();
    watch.Signal(signal);
    EXPECT_EQ(watch.Wait(), 0);
    EXPECT_TRUE(watch.WaitForOutput("caught\n")) << watch.output();
  }
}

TEST_F(CliWatchTest, SaysWhyItWaits) {
  for (const std::string& binary : {binary_, pair_->dnsd()}) {
    Process watch(Command(binary, {"-type=services", "-datacenter=nope"}));
    EXPECT_TRUE(watch.WaitForOutput(
        " [ERROR] watch.watch: Watch errored: type=services error=\"Unexpected "
        "response code: 500 (No path to datacenter)\" retry=5s\n"))
        << watch.output();
    watch.Signal(SIGINT);
    EXPECT_EQ(watch.Wait(), 0);
  }
}

}  // namespace
}  // namespace dnsd::testing
