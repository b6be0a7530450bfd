// `services register` and `services deregister` beside the real `consul`
// 1.8.7: the same words are said, and the same is registered.
//
// Skipped without a Consul binary (consul_process.h).
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/integration/cli_pair.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

constexpr char kHcl[] = R"(
  service { name = "fromhcl" id = "h1" port = 99 tags = ["a", "b"]
    meta { x = "1" my_key = "2" } address = "1.2.3.4"
    enable_tag_override = true
    check { ttl = "10s" name = "n" status = "warning" notes = "nn" }
    weights { passing = 3 warning = 2 }
    tagged_addresses { lan { address = "1.1.1.1" port = 5 } } }
)";

constexpr char kJson[] = R"({"services": [
  {"name": "j1", "port": 1, "checks": [
    {"http": "http://127.0.0.1:1/", "interval": "1h", "timeout": "2s",
     "header": {"A": ["b"]}, "method": "POST", "body": "x", "id": "cc",
     "tls_skip_verify": true, "deregister_critical_service_after": "2h",
     "success_before_passing": 2, "failures_before_critical": 3},
    {"tcp": "127.0.0.1:1", "interval": "90m"},
    {"grpc": "127.0.0.1:1/x", "grpc_use_tls": true, "interval": "1h"},
    {"alias_service": "h1"}]},
  {"name": "j2"},
  {"name": "mesh", "port": 3, "connect": {"sidecar_service": {}}},
  {"name": "px", "kind": "connect-proxy", "port": 4, "proxy": {
    "destination_service_name": "j2", "config": {"k": "v", "n": {"a": [1]}},
    "upstreams": [{"destination_name": "db", "local_bind_port": 1234,
                   "config": {"a": 1}, "mesh_gateway": {"mode": "local"}}],
    "expose": {"paths": [{"path": "/h", "local_path_port": 8,
                          "listener_port": 9, "protocol": "http"}]}}}]})";

class CliServicesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string> binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    consul_.emplace(*binary, std::vector<std::string>{});
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    ASSERT_TRUE(consul_->WaitUntilNodeSynced()) << consul_->process().output();
    pair_.emplace(*binary, DnsdBinary(), consul_->HttpAddress());
  }

  // All that the agent has been given, and nothing that it found out since:
  // the result of a check stands here only where nobody runs it.
  std::string Registered() {
    ConsulApi& api = consul_->api();
    std::string text = api.Get("/v1/agent/services?pretty");
    for (const absl::string_view line :
         absl::StrSplit(api.Get("/v1/agent/checks?pretty"), '\n')) {
      const absl::string_view field = absl::StripLeadingAsciiWhitespace(line);
      if (absl::StartsWith(field, "\"Status\":")) continue;
      if (absl::StartsWith(field, "\"Output\":")) continue;
      absl::StrAppend(&text, line, "\n");
    }
    return text + api.Get("/v1/agent/checks?pretty&filter=Type==ttl");
  }

  // Both register, one after the other, and deregister.
  void CompareRoundTrip(const std::vector<std::string>& given,
                        const std::vector<std::string>& taken) {
    CliCase give{{"services", "register"}};
    give.args.insert(give.args.end(), given.begin(), given.end());
    CliCase take{{"services", "deregister"}};
    take.args.insert(take.args.end(), taken.begin(), taken.end());
    const std::string before = Registered();
    const CliResult consul_give = pair_->Consul(give);
    const std::string by_consul = Registered();
    const CliResult consul_take = pair_->Consul(take);
    EXPECT_EQ(Registered(), before);
    const CliResult dnsd_give = pair_->Dnsd(give);
    EXPECT_EQ(Registered(), by_consul);
    const CliResult dnsd_take = pair_->Dnsd(take);
    EXPECT_EQ(Registered(), before);
    EXPECT_NE(by_consul, before);
    EXPECT_EQ(dnsd_give.exit_code, 0) << dnsd_give.err;
    EXPECT_EQ(dnsd_give.out, consul_give.out);
    EXPECT_EQ(dnsd_take.exit_code, 0) << dnsd_take.err;
    EXPECT_EQ(dnsd_take.out, consul_take.out);
  }

  std::optional<ConsulProcess> consul_;
  std::optional<CliPair> pair_;
  TempDir dir_;
};

TEST_F(CliServicesTest, RoundTripsRegisterTheSame) {
  const std::string hcl = dir_.Write("s.hcl", kHcl);
  const std::string json = dir_.Write("s.json", kJson);
  CompareRoundTrip({hcl}, {hcl});
  CompareRoundTrip({json}, {json});
  CompareRoundTrip({hcl, json}, {json, hcl});
  CompareRoundTrip({dir_.path()}, {dir_.path()});
  CompareRoundTrip({"-name=f1"}, {"-id=f1"});
  CompareRoundTrip(
      {"-name=a b", "-id=i/2", "-port=0x50", "-tag=x", "-tag=y", "-meta=k=v",
       "-meta=k2=v=2", "-address=1.2.3.4", "-tagged-address=lan=5.6.7.8:90",
       "-tagged-address=wan=[::1]:1"},
      {"-id=i/2"});
}

TEST_F(CliServicesTest, ArgumentsOfChecksAreNotLost) {
  // consul 1.8.7 sends no `args`, and is refused by its own agent.
  const std::string file = dir_.Write(
      "s.hcl",
      R"(service { name = "s" check { args = ["a", "b"] interval = "9s" } })");
  const CliResult refused = pair_->Dnsd({{"services", "register", file}});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_TRUE(absl::StrContains(refused.err, "Scripts are disabled"))
      << refused.err;
}

TEST_F(CliServicesTest, SaysTheSame) {
  const auto file = [this](const char* name, const char* text) {
    return dir_.Write(name, text);
  };
  const std::string hcl = file("ok.hcl", kHcl);
  const std::string unnamed = file("unnamed.json", R"({"service":{"port":3}})");
  const std::string id_only = file("id.json", R"({"service":{"id":"only"}})");
  const std::string text = file("a.txt", "x");
  for (const CliCase& c : std::vector<CliCase>{
           {{"services", "register"}},
           {{"services", "register", "-id=x"}},
           {{"services", "register", "-tag=a"}},
           {{"services", "register", "-name="}},
           {{"services", "register", "-name=q", hcl}},
           {{"services", "register", "-id=q", hcl}},
           {{"services", "register", "-port=3", hcl}},
           {{"services", "register", "-name=q", "-port=-1"}},
           {{"services", "register", "-name=q", "-kind=connect-proxy"}},
           {{"services", "register", "-name=q", "-meta==x"}},
           {{"services", "register", "-name=q", "-namespace=n"}},
           {{"services", "register", "-name=q", "-tagged-address=lan=5.6.7.8"}},
           {{"services", "register", "-name=q", "-tagged-address=a=b:c"}},
           {{"services", "register", "-name=q", "-tagged-address=a=b:c:1"}},
           {{"services", "register", "-name=q", "-tagged-address=a=:1"}},
           {{"services", "register", unnamed}},
           {{"services", "register", id_only}},
           {{"services", "register", file("empty.json", "{}")}},
           {{"services", "register", file("zero.json", "")}},
           {{"services", "register", text}},
           {{"services", "register", text, hcl}},
           {{"services", "register", dir_.Path("nope.json")}},
           {{"services", "register", ""}},
           {{"services", "register", "-"}},
           {{"services", "register", "-name=q", "-meta=x"},
            CliSame::kErrorLine},
           {{"services", "register", "-name=q", "-port=x"},
            CliSame::kErrorLine},
           {{"services", "register", "-name=q", "-port=99999999999999999999"},
            CliSame::kErrorLine},
           {{"services", "deregister"}},
           {{"services", "deregister", "-id=nope"}},
           {{"services", "deregister", "-id=a/b ü"}},
           {{"services", "deregister", "-id=a", hcl}},
           {{"services", "deregister", hcl}},
           {{"services", "deregister", unnamed}},
           {{"services", "deregister", id_only}},
           {{"services", "deregister", dir_.Path("nope.json")}},
       }) {
    EXPECT_EQ(pair_->Difference(c), "");
  }
}

// The parsers' texts differ: ours name file, line and key.
TEST_F(CliServicesTest, RefusesTheSameFiles) {
  const struct {
    const char* name;
    const char* text;
    const char* says;
  } cases[] = {
      {"port.json", R"({"service":{"name":"bad","port":"x"}})", "service.port"},
      {"key.json", R"({"service":{"nam":"bad"}})", "nam"},
      {"cut.json", R"({"service":{"name":"bad)", "cut.json"},
      {"cut.hcl", "service { name =", "cut.hcl:1"},
      {"check.json",
       R"({"service":{"name":"bad","checks":[{"http":"http://x"}]}})",
       "interval"},
  };
  const std::string before = Registered();
  const std::string good = dir_.Write("good.hcl", kHcl);
  for (const auto& c : cases) {
    const std::string path = dir_.Write(c.name, c.text);
    const CliCase command{{"services", "register", path}, CliSame::kExit};
    EXPECT_EQ(pair_->Difference(command), "");
    // One bad file of several, and nothing is sent.
    const CliResult result =
        pair_->Dnsd({{"services", "register", good, path}});
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.out, "");
    EXPECT_TRUE(absl::StartsWith(result.err, "Error: ")) << result.err;
    EXPECT_TRUE(absl::StrContains(result.err, c.says)) << result.err;
    EXPECT_TRUE(absl::StrContains(result.err, path)) << result.err;
  }
  EXPECT_EQ(Registered(), before);
}

}  // namespace
}  // namespace dnsd::testing
