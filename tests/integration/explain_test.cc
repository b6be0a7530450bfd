// The real binary explains its answers: over HTTP and by `dnsd explain`, with
// registrations of its own, with ACLs, and beside a real Consul.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/json_read.h"
#include "catalog/base/value.h"
#include "dnsd/cli/json_text.h"
#include "tests/integration/mirror_fixture.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kConfig[] = R"(
node_name = "n1"
services = [
  { id = "w1" name = "web" address = "192.0.2.1" port = 80 tags = ["v1"]
    check = { id = "good" ttl = "1h" status = "passing" } },
  { id = "w2" name = "web" address = "192.0.2.2" port = 80
    check = { id = "bad" name = "HTTP" ttl = "1h" status = "critical" } },
]
)";

class ExplainAgentTest : public ::testing::Test {
 protected:
  void Start(const std::string& config) {
    agent_.emplace(std::vector<std::string>{"-config-file",
                                            dir_.Write("dnsd.hcl", config)});
    ASSERT_TRUE(agent_->WaitUntilServing()) << agent_->process().output();
    api_.emplace("http://" + agent_->HttpAddress());
  }

  // The addresses that an explanation calls included.
  static std::set<std::string> Included(const Value& explanation) {
    std::set<std::string> addresses;
    for (const Value& row : FindMember(explanation, "Instances")->items) {
      if (FindMember(row, "Included")->boolean) {
        addresses.insert(MemberText(row, "Address"));
      }
    }
    return addresses;
  }

  Value Explain(const std::string& parameters) {
    const std::string body = api_->Get("/v1/dnsd/explain?" + parameters);
    auto value = ParseJson(body);
    EXPECT_TRUE(value.ok()) << parameters << body;
    return value.ok() ? *std::move(value) : Value();
  }

  std::set<std::string> Answered(const std::string& name) const {
    const DnsReply reply = AskUdp(agent_->dns(), {name});
    const std::vector<std::string> data = Data(reply.answer, "A");
    return {data.begin(), data.end()};
  }

  [[nodiscard]] Finished Verb(std::vector<std::string> args) const {
    args.insert(args.begin(), {"explain", "-http-addr", agent_->HttpAddress()});
    return RunDnsd(args);
  }

  TempDir dir_;
  std::optional<AgentProcess> agent_;
  std::optional<ConsulApi> api_;
};

TEST_F(ExplainAgentTest, SaysWhatDnsSaysAndWhy) {
  Start(kConfig);
  const Value found = Explain("name=web.service.consul");
  EXPECT_EQ(Included(found), Answered("web.service.consul"));
  EXPECT_EQ(Included(found), std::set<std::string>{"192.0.2.1"});
  EXPECT_EQ(MemberText(found, "Rcode"), "NOERROR");
  // What was registered just now is explained at once.
  ASSERT_EQ(api_->Put("/v1/agent/check/pass/bad"), 200);
  EXPECT_EQ(Included(Explain("name=web.service.consul")),
            (std::set<std::string>{"192.0.2.1", "192.0.2.2"}));
  ASSERT_EQ(api_->Put("/v1/agent/maintenance?enable=true&reason=disk"), 200);
  EXPECT_THAT(api_->Get("/v1/dnsd/explain?name=web.service.consul&type=SRV"),
              HasSubstr("the node is in maintenance mode: disk"));
  // A name of a template is explained when it is first asked for.
  ASSERT_EQ(api_->Put("/v1/agent/maintenance?enable=false"), 200);
  ASSERT_EQ(api_->Call("POST", "/v1/query",
                       R"({"Name":"t-","Template":{"Type":"name_prefix_match"},
                           "Service":{"Service":"${name.suffix}"}})")
                .status,
            200);
  EXPECT_EQ(Included(Explain("name=t-web.query.consul")).size(), 2u);
}

TEST_F(ExplainAgentTest, RefusesWhatIsNoQuestion) {
  Start(kConfig);
  for (const char* bad :
       {"", "?name=", "?name=a..b", "?name=a&type=NONSENSE",
        "?name=a&type=AXFR", "?name=a&transport=quic", "?name=a&edns=70000"}) {
    EXPECT_EQ(api_->Call("GET", absl::StrCat("/v1/dnsd/explain", bad)).status,
              400)
        << bad;
  }
}

TEST_F(ExplainAgentTest, TheVerbPrintsItForPeople) {
  Start(kConfig);
  const Finished said = Verb({"web.service.consul"});
  EXPECT_EQ(said.exit_code, 0) << said.output;
  EXPECT_THAT(said.output, HasSubstr("web.service.consul. A: NOERROR"));
  EXPECT_THAT(said.output, HasSubstr("+"));
  EXPECT_THAT(said.output,
              HasSubstr("the check \"bad\" of the service is critical"));
  EXPECT_THAT(Verb({"-format=json", "web.service.consul", "SRV"}).output,
              HasSubstr("\"Included\": true"));
  // Names are written as dig takes them.
  EXPECT_THAT(Verb({"w\\101b.service.consul"}).output,
              HasSubstr("web.service.consul. A: NOERROR"));
  EXPECT_THAT(Verb({"wbe.service.consul"}).output,
              HasSubstr("Did you mean web.service.consul.?"));
  EXPECT_EQ(Verb({}).exit_code, 1);
  const Finished bad = Verb({"a..b"});
  EXPECT_EQ(bad.exit_code, 1);
  EXPECT_THAT(bad.output, HasSubstr("Not a domain name"));
}

TEST_F(ExplainAgentTest, ShowsToATokenWhatItMayRead) {
  Start(absl::StrCat(kConfig, R"(
acl {
  enabled = true
  default_policy = "deny"
  static_tokens = [
    { secret = "all" rules = <<EOF
agent_prefix "" { policy = "read" }
node_prefix "" { policy = "read" }
service_prefix "" { policy = "read" }
EOF
    },
    { secret = "writer" rules = <<EOF
agent_prefix "" { policy = "read" }
query_prefix "" { policy = "write" }
node_prefix "" { policy = "read" }
service_prefix "" { policy = "read" }
EOF
    },
    { secret = "part" rules = <<EOF
agent_prefix "" { policy = "read" }
node_prefix "" { policy = "read" }
EOF
    },
    { secret = "none" rules = "" },
    { secret = "dns" rules = <<EOF
node_prefix "" { policy = "read" }
service_prefix "" { policy = "read" }
EOF
    }]
  tokens { dns = "dns" }
})"));
  const std::string path = "/v1/dnsd/explain?name=web.service.consul";
  EXPECT_EQ(api_->Call("GET", path).status, 403);
  api_->set_token("none");
  EXPECT_EQ(api_->Call("GET", path).status, 403);
  api_->set_token("unknown");
  EXPECT_EQ(api_->Call("GET", path).status, 403);
  api_->set_token("part");
  const std::string part = api_->Get(path);
  EXPECT_THAT(part, HasSubstr("\"Instances\":[]"));
  EXPECT_THAT(part, HasSubstr("your token may not read them"));
  EXPECT_THAT(part, HasSubstr("192.0.2.1"));  // as DNS says to anybody
  api_->set_token("all");
  EXPECT_THAT(api_->Get(path), HasSubstr("the check \\\"bad\\\""));
  // Nor is a prepared query told to who may not read it.
  api_->set_token("writer");
  ASSERT_EQ(api_->Call("POST", "/v1/query",
                       R"({"Name":"shop","Service":{"Service":"web"}})")
                .status,
            200);
  const std::string query = "/v1/dnsd/explain?name=shop.query.consul";
  EXPECT_THAT(api_->Get(query), HasSubstr("\"Service\":\"web\""));
  api_->set_token("all");
  const std::string hidden = api_->Get(query);
  EXPECT_THAT(hidden, HasSubstr("your token may not read the query"));
  EXPECT_THAT(hidden, Not(HasSubstr("web")));
}

TEST_F(ExplainAgentTest, NamesOfOthersAreExplainedWithoutAsking) {
  Start(R"(node_name = "n1" recursors = ["127.0.0.9:9"])");
  const Value found = Explain("name=www.example.com&type=MX");
  EXPECT_EQ(MemberText(found, "Source"), "forward");
  std::string steps;
  for (const Value& step : FindMember(found, "Steps")->items) {
    absl::StrAppend(&steps, step.text, "\n");
  }
  EXPECT_THAT(steps, HasSubstr("127.0.0.9:9"));
  EXPECT_THAT(steps, HasSubstr("No cache has it."));
}

TEST(ExplainMirror, ExplainsWhatTheConsulHas) {
  const auto binary = ConsulBinary();
  if (!binary) GTEST_SKIP() << "no Consul";
  ConsulProcess consul(*binary, std::vector<std::string>{});
  ASSERT_TRUE(consul.WaitForLeader());
  ConsulInstance well;
  well.id = "w1";
  well.name = "web";
  well.address = "192.0.2.1";
  ConsulInstance sick = well;
  sick.id = "w2";
  sick.address = "192.0.2.2";
  sick.status = "critical";
  ASSERT_TRUE(consul.api().Register(well));
  ASSERT_TRUE(consul.api().Register(sick));
  MirrorSetup setup;
  setup.urls = {consul.HttpUrl()};
  MirrorAgent mirror(setup);
  ASSERT_TRUE(mirror.WaitUntilServing()) << mirror.log();
  ASSERT_TRUE(WaitUntil([&] {
    return mirror.Addresses("web.service.consul") ==
           std::set<std::string>{"192.0.2.1"};
  }));
  ConsulApi api("http://" + mirror.agent().HttpAddress());
  const std::string body = api.Get("/v1/dnsd/explain?name=web.service.consul");
  EXPECT_THAT(body, HasSubstr("\"Included\":true"));
  EXPECT_THAT(body, HasSubstr("service:w2"));
  EXPECT_THAT(body, HasSubstr("of the service is critical"));
  EXPECT_THAT(body, Not(HasSubstr("acl.tokens.dns")));
}

}  // namespace
}  // namespace dnsd::testing
