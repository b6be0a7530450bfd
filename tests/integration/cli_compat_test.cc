// The real `consul` 1.8.7 asks dnsd, and says what it says of a real Consul
// with the same registrations: every command that its captures have. What dnsd
// has no part for fails with words that say so; those are listed, and one of
// them that works is a failure of this test.
//
// Masked is what must differ: indexes, versions, addresses of the cluster's own
// protocols, and the tags of raft and of ACL modes.
//
// Skipped without a Consul binary (consul_process.h).
#include <gtest/gtest.h>
#include <re2/re2.h>
#include <signal.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "tests/integration/cli_pair.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using Words = std::vector<std::string>;

constexpr char kNodeId[] = "11111111-2222-3333-4444-555555555555";

// An agent tells its catalog at once what it is told over HTTP; what stands in
// its configuration, Consul may tell half a minute later.
constexpr const char* kServices[] = {
    R"({"ID":"web1","Name":"web","Port":80,"Tags":["v1","primary"],
        "Check":{"TTL":"1h","Status":"passing","Name":"t"}})",
    R"({"ID":"db","Name":"db","Port":5432,"Address":"10.0.0.5"})",
    R"({"Name":"api","Port":9,"Connect":{"SidecarService":{}}})",
};

constexpr char kServiceFile[] = R"(
  service { name = "filed" port = 4 tags = ["a"] meta { k = "v" }
            check { ttl = "1h" } }
)";

struct Refused {
  Words words;
  std::string says;  // what the command prints of our answer
};

constexpr char kNoKey[] = "Unexpected response code: 501";  // KV shows no body
constexpr char kNoMesh[] = "501 (dnsd has no Connect";
constexpr char kNoConfig[] = "501 (dnsd has no configuration entries)";
constexpr char kNoSession[] = "501 (dnsd has no sessions)";
constexpr char kNoOperator[] = "501 (dnsd is no cluster";
constexpr char kNoCluster[] = "this agent is in no cluster";

class CliCompatTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string> binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    binary_ = *binary;
    const std::string node =
        absl::StrCat("node_id = \"", kNodeId,
                     "\" node_meta { rack = \"r1\" zone = \"z\" }\n");
    ConsulProcessOptions options;
    options.node_name = "alpha";
    options.config = node;
    options.args = {"-hcl", "performance { leave_drain_time = \"1ms\" }"};
    consul_.emplace(binary_, options);
    dnsd_.emplace(Words{"-dev", "-node", "alpha", "-config-file",
                        dir_.Write("dnsd.hcl", node)});
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    ASSERT_TRUE(consul_->WaitUntilNodeSynced()) << consul_->process().output();
    for (ConsulApi* api : {&consul_->api(), &dnsd_api()}) {
      for (const char* service : kServices) {
        ASSERT_EQ(api->Put("/v1/agent/service/register", service), 200);
      }
      ASSERT_TRUE(WaitUntil([api] {
        return api->Count("/v1/catalog/services") == 5u &&
               api->Count("/v1/health/state/any") == 4u &&
               // A sidecar's alias begins as critical.
               absl::StrContains(api->Get("/v1/health/state/passing"),
                                 "No checks found.");
      })) << api->Get("/v1/health/state/any?pretty");
    }
    by_consul_.emplace(binary_, binary_, consul_->HttpAddress());
    by_dnsd_.emplace(binary_, binary_, dnsd_->HttpAddress());
  }

  ConsulApi& dnsd_api() {
    if (!api_) api_.emplace("http://" + dnsd_->HttpAddress());
    return *api_;
  }

  static void Mask(std::string* text) {
    static const struct {
      const char* from;
      const char* to;
    } kMasks[] = {
        {R"re("(Create|Modify)Index": ?\d+)re", R"("\1Index":#)"},
        {"consul-network-segment=, ", ""},
        {R"re((acls|ft_fs|raft_vsn)=\d+,)re", ""},
        {R"re(\d+\.\d+\.\d+\.\d+:\d+)re", "ADDRESS"},
        {R"re((build=|  )\d+\.\d+\.\d+(:|  ))re", R"(\1VERSION\2)"},
        {R"re(port=\d+)re", "port=#"},
        {R"re( +)re", " "},
    };
    for (const auto& mask : kMasks) {
      RE2::GlobalReplace(text, mask.from, mask.to);
    }
  }

  static std::string Shown(CliResult result) {
    Mask(&result.out);
    Mask(&result.err);
    return absl::StrCat("exit code ", result.exit_code, "\n--- stdout\n",
                        result.out, "\n--- stderr\n", result.err);
  }

  // The CLI lists what is in maintenance in the order of a Go map.
  static std::string InOrder(const std::string& text) {
    std::vector<std::string> lines = absl::StrSplit(text, '\n');
    std::sort(lines.begin(), lines.end());
    return absl::StrJoin(lines, "\n");
  }

  void ExpectSame(const std::vector<Words>& commands) {
    for (const Words& words : commands) {
      std::string ours = Shown(by_dnsd_->Consul({words}));
      std::string theirs = Shown(by_consul_->Consul({words}));
      if (words == Words{"maint"}) {
        ours = InOrder(ours);
        theirs = InOrder(theirs);
      }
      EXPECT_EQ(ours, theirs) << "consul " << absl::StrJoin(words, " ");
    }
  }

  std::string binary_;
  TempDir dir_;
  std::optional<ConsulProcess> consul_;
  std::optional<AgentProcess> dnsd_;
  std::optional<ConsulApi> api_;
  std::optional<CliPair> by_consul_;
  std::optional<CliPair> by_dnsd_;
};

TEST_F(CliCompatTest, CatalogAndMembers) {
  ExpectSame({
      {"members"},
      {"members", "-detailed"},
      {"members", "-wan"},
      {"members", "-status=failed"},
      {"catalog", "services"},
      {"catalog", "services", "-tags"},
      {"catalog", "services", "-node=alpha", "-tags"},
      {"catalog", "services", "-node=nope"},
      {"catalog", "services", "-node-meta=rack=r1"},
      {"catalog", "nodes"},
      {"catalog", "nodes", "-service=web"},
      {"catalog", "nodes", "-service=web", "-detailed"},
      {"catalog", "nodes", "-near=_agent"},
      {"catalog", "nodes", "-filter=Meta.rack == r1"},
      {"catalog", "nodes", "-filter=zz"},
      {"catalog", "nodes", "-datacenter=zz"},
      {"catalog", "datacenters"},
      {"version"},
      {"validate", dir_.Write("s.hcl", kServiceFile)},
      {"intention", "list"},  // 1.8.7 has no such command
      {"kv", "put", "-cas", "-modify-index=0", "c/d", "2"},
      {"debug", "-duration=2s", "-interval=1s"},
      {"acl", "token", "list"},
      {"login", "-method=x", "-token-sink-file=" + dir_.Path("sink"),
       "-bearer-token-file=" + dir_.Write("bearer", "x")},
      {"connect", "envoy", "-sidecar-for", "api", "-bootstrap"},
      {"force-leave", "zz"},
      {"force-leave", "alpha"},
      {"reload"},
  });
}

TEST_F(CliCompatTest, ServicesAndMaintenance) {
  const std::string file = dir_.Write("s.hcl", kServiceFile);
  ExpectSame({
      {"services", "register", file},
      {"services", "register", "-name=zed", "-port=99"},
      {"services", "register", "-name=bad", "-kind=connect-proxy"},
      {"catalog", "services", "-tags"},
      {"services", "deregister", "-id=zed"},
      {"services", "deregister", "-id=nope"},
      {"services", "deregister", file},
      {"catalog", "services", "-tags"},
      {"maint"},
      {"maint", "-enable"},
      {"maint", "-enable", "-service=web1", "-reason=a b"},
      {"maint", "-enable", "-service=nope"},
      {"maint"},
      {"watch", "-type=checks", "-service=web", "cat; exit 1"},
      {"maint", "-disable"},
      {"maint", "-disable", "-service=web1"},
      {"maint"},
  });
}

// A view, or what a command gets of the first one; it ends the watch.
TEST_F(CliCompatTest, Watches) {
  for (ConsulApi* api : {&consul_->api(), &dnsd_api()}) {
    ASSERT_TRUE(api->Register({.node = "beta",
                               .name = "web",
                               .port = 81,
                               .tags = {"v1", "x"},
                               .meta = {{"k", "<v>"}},
                               .status = "warning"}));
  }
  ExpectSame({
      {"watch", "-type=service", "-service=nope"},
      {"watch", "-type=service", "-service=web", "-tag=x"},
      {"watch", "-type=service", "-service=web", "-tag=x", "cat; exit 3"},
      {"watch", "-type=service", "-service=web", "-passingonly=true", "-tag=x"},
      {"watch", "-type=checks"},
      {"watch", "-type=checks", "-service=web"},
      {"watch", "-type=checks", "-state=warning", "cat; exit 3"},
      {"watch", "-type=nodes", "wc -l; exit 3"},
      {"watch", "-type=services",
       "tr -d '][{}' | tr ':,' '\\n' | sort; exit 3"},
      {"watch", "-type=services", "true; exit 3"},
  });
}

// Our sections are more than Consul's; those that they share say the same.
TEST_F(CliCompatTest, Info) {
  const CliResult theirs = by_consul_->Consul({{"info"}});
  const CliResult ours = by_dnsd_->Consul({{"info"}});
  ASSERT_EQ(theirs.exit_code, 0) << theirs.err;
  EXPECT_EQ(ours.exit_code, 0) << ours.err;
  EXPECT_EQ(ours.err, theirs.err);
  const auto lines = [](std::string text) {
    RE2::GlobalReplace(&text, R"re((leader_addr|version) = .*)re", "\\1 = #");
    return Words(absl::StrSplit(text, '\n'));
  };
  const Words their_lines = lines(theirs.out);
  const Words our_lines = lines(ours.out);
  const auto end = std::find(their_lines.begin(), their_lines.end(), "raft:");
  ASSERT_NE(end, their_lines.end()) << theirs.out;
  for (auto it = their_lines.begin(); it != end; ++it) {
    EXPECT_NE(std::find(our_lines.begin(), our_lines.end(), *it),
              our_lines.end())
        << *it << " is not in\n"
        << ours.out;
  }
}

TEST_F(CliCompatTest, WhatDnsdHasNotIsRefusedInWords) {
  const std::string snapshot = dir_.Path("x.snap");
  const Refused refused[] = {
      {{"kv", "put", "a/b", "1"}, "501 (dnsd has no key-value store)"},
      {{"kv", "get", "a/b"}, kNoKey},
      {{"kv", "get", "-recurse", "a/"}, kNoKey},
      {{"kv", "get", "-keys", "-separator=/", "a/"}, kNoKey},
      {{"kv", "delete", "c/d"}, "501 (dnsd has no key-value store)"},
      {{"kv", "export", "a/"}, kNoKey},
      {{"kv", "import", R"([{"key":"z","flags":0,"value":"Zm9v"}])"},
       "501 (dnsd has no key-value store)"},
      {{"lock", "lk", "true"}, kNoSession},
      {{"exec", "-node=alpha", "true"}, kNoSession},
      {{"event", "-name=foo", "bar"}, "501 (dnsd has no events)"},
      {{"operator", "raft", "list-peers"}, kNoOperator},
      {{"operator", "autopilot", "get-config"}, kNoOperator},
      {{"keyring", "-list"}, kNoOperator},
      {{"intention", "create", "a", "b"}, kNoMesh},
      {{"intention", "check", "a", "b"}, kNoMesh},
      {{"connect", "ca", "get-config"}, kNoMesh},
      {{"config", "list", "-kind=service-defaults"}, kNoConfig},
      {{"snapshot", "save", snapshot}, "501 (dnsd has no snapshots"},
      {{"rtt", "alpha"}, "401 (Coordinate support disabled)"},
      {{"join", "127.0.0.1"}, kNoCluster},
  };
  for (const Refused& row : refused) {
    SCOPED_TRACE(absl::StrCat("consul ", absl::StrJoin(row.words, " ")));
    const CliResult ours = by_dnsd_->Consul({row.words});
    EXPECT_NE(ours.exit_code, 0) << ours.out;
    EXPECT_TRUE(absl::StrContains(ours.err, row.says)) << ours.err;
  }
}

// Those that go on trying say it each time.
TEST_F(CliCompatTest, WhatGoesOnSaysWhatDnsdHasNot) {
  const Refused refused[] = {
      {{"watch", "-type=key", "-key=a/b", "true"}, kNoKey},
      {{"watch", "-type=keyprefix", "-prefix=a", "true"}, kNoKey},
      {{"watch", "-type=event", "true"}, "501 (dnsd has no events)"},
      {{"connect", "proxy", "-service", "x"}, kNoMesh},
      {{"connect", "proxy", "-sidecar-for", "api"}, kNoMesh},
  };
  for (const Refused& row : refused) {
    Words words = by_dnsd_->Environment({});
    words.push_back(binary_);
    words.insert(words.end(), row.words.begin(), row.words.end());
    Process command(words);
    EXPECT_TRUE(command.WaitForOutput(row.says))
        << absl::StrJoin(row.words, " ") << "\n"
        << command.output();
    command.Signal(SIGKILL);
  }
}

TEST_F(CliCompatTest, Leave) {
  ExpectSame({{"leave", "x"}, {"leave"}});
  EXPECT_EQ(consul_->process().Wait(), 0);
  EXPECT_EQ(dnsd_->process().Wait(), 0);
  EXPECT_EQ(by_dnsd_->Consul({{"leave"}}).exit_code, 1);
}

// The same by our own verb, of ours and of a real agent.
TEST_F(CliCompatTest, DnsdLeave) {
  CliPair ours(binary_, DnsdBinary(), dnsd_->HttpAddress());
  CliPair theirs(binary_, DnsdBinary(), consul_->HttpAddress());
  EXPECT_EQ(Shown(ours.Dnsd({{"leave"}})), Shown(theirs.Dnsd({{"leave"}})));
  EXPECT_EQ(consul_->process().Wait(), 0);
  EXPECT_EQ(dnsd_->process().Wait(), 0);
}

}  // namespace
}  // namespace dnsd::testing
