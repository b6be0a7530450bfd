// The real Consul 1.8.7 is given random rules as policies of a token, and asked
// with it; our Authorizer, with the same rules, must allow what it allows and
// see what it shows.
//
// Skipped without a Consul binary (consul_process.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/json_read.h"
#include "dnsd/acl/acl_rules.h"
#include "dnsd/acl/authorizer.h"
#include "dnsd/http/request_acl.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/process.h"
#include "tests/testing/seeds.h"

namespace dnsd::testing {
namespace {

constexpr char kRoot[] = "root-secret";
constexpr char kNode[] = "ab";  // of the agent
const std::array<std::string, 5> kNames = {"a", "ab", "abc", "b", "ba"};

ConsulProcessOptions WithAcl(bool default_allow) {
  ConsulProcessOptions options;
  options.node_name = kNode;
  options.config = absl::StrCat("acl { enabled = true default_policy = \"",
                                default_allow ? "allow" : "deny",
                                "\" tokens { master = \"", kRoot, "\" } }");
  return options;
}

// The members' names, or those in `field` of a list's elements.
std::set<std::string> Names(const std::string& json, absl::string_view field) {
  std::set<std::string> names;
  const absl::StatusOr<Value> value = ParseJson(json);
  if (!value.ok()) return {"no JSON"};
  for (const Member& member : value->members) names.insert(member.key);
  for (const Value& item : value->items) {
    for (const Member& member : item.members) {
      if (member.key == field) names.insert(member.value.text);
    }
  }
  return names;
}

std::string RandomRules(std::mt19937_64* random) {
  static const char* const kResources[] = {"agent", "event",   "key",    "node",
                                           "query", "service", "session"};
  static const char* const kPolicies[] = {"deny", "read", "write", "list"};
  std::string text;
  for (size_t i = (*random)() % 10; i > 0; --i) {
    const std::string resource = kResources[(*random)() % 7];
    const size_t policies = resource == "key" ? 4 : 3;
    const char* const policy = kPolicies[(*random)() % policies];
    if ((*random)() % 10 == 0) {
      absl::StrAppend(&text, (*random)() % 2 == 0 ? "operator" : "acl", " = \"",
                      kPolicies[(*random)() % 3], "\"\n");
      break;  // such a key may stand there once
    }
    const bool prefix = (*random)() % 2 == 0;
    std::string name = (*random)() % 6 == 0 ? "" : kNames[(*random)() % 5];
    if ((*random)() % 4 == 0) name += "z";
    absl::StrAppend(&text, resource, prefix ? "_prefix" : "", " \"", name,
                    "\" { policy = \"", policy, "\" }\n");
  }
  return text;
}

class AclDiffTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const std::optional<std::string> binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    consul_.emplace(*binary, WithAcl(GetParam()));
    root_ = &consul_->api();
    root_->set_token(kRoot);
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    for (const std::string& name : kNames) {
      ConsulInstance instance;
      instance.node = name == kNode ? "b" : name;
      instance.name = name;
      ASSERT_TRUE(root_->Register(instance));
      const ConsulReply made = root_->Call("POST", "/v1/query", Query(name));
      ASSERT_EQ(made.status, 200) << made.body;
      const absl::StatusOr<Value> id = ParseJson(made.body);
      ASSERT_TRUE(id.ok());
      query_ids_.push_back(id->members[0].value.text);
    }
  }

  static std::string Query(const std::string& name) {
    return absl::StrCat("{\"Name\":\"", name,
                        "\",\"Service\":{\"Service\":\"web\"}}");
  }

  // A token with these rules, one policy each.
  std::string MakeToken(const std::vector<std::string>& rules) {
    ++made_;
    std::string policies;
    for (size_t i = 0; i < rules.size(); ++i) {
      const std::string name = absl::StrCat("p-", made_, "-", i);
      const ConsulReply reply =
          root_->Call("PUT", "/v1/acl/policy",
                      absl::StrCat("{\"Name\":\"", name,
                                   "\",\"Rules\":", JsonQuoted(rules[i]), "}"));
      EXPECT_EQ(reply.status, 200) << reply.body << "\n" << rules[i];
      absl::StrAppend(&policies, i == 0 ? "" : ",", "{\"Name\":\"", name,
                      "\"}");
    }
    const std::string secret =
        absl::StrFormat("11111111-0000-0000-0000-%012d", made_);
    const ConsulReply reply =
        root_->Call("PUT", "/v1/acl/token",
                    absl::StrCat("{\"SecretID\":\"", secret,
                                 "\",\"Policies\":[", policies, "]}"));
    EXPECT_EQ(reply.status, 200) << reply.body;
    return secret;
  }

  // Whether Consul does not refuse; `text` is what it has to say if it does.
  bool Allowed(const std::string& method, const std::string& path,
               const std::string& body = "",
               const std::string& text = "Permission denied") {
    const ConsulReply reply = user_->Call(method, path, body);
    EXPECT_NE(reply.status, 0) << reply.body;
    if (reply.status != 403) return true;
    EXPECT_EQ(reply.body, text) << method << " " << path;
    return false;
  }

  void CompareLists(const Authorizer& ours) {
    const std::pair<const char*, std::function<bool(const std::string&)>>
        lists[] = {
            {"/v1/catalog/nodes",
             [&](const std::string& name) { return ours.NodeRead(name); }},
            {"/v1/catalog/services",
             [&](const std::string& name) { return ours.ServiceRead(name); }},
            {"/v1/query", [&](const std::string& name) {
               // Who manages ACLs sees all of them.
               return ours.AclWrite() || ours.QueryRead(name);
             }}};
    for (const auto& [path, may] : lists) {
      const bool nodes = absl::EndsWith(path, "nodes");
      const char* const field = nodes ? "Node" : "Name";
      std::set<std::string> expected;
      for (const std::string& name : Names(root_->Get(path), field)) {
        if (may(name)) expected.insert(name);
      }
      EXPECT_EQ(Names(user_->Get(path), field), expected) << path;
    }
  }

  void CompareName(const Authorizer& ours, size_t i) {
    const std::string& name = kNames[i];
    EXPECT_EQ(Allowed("GET", "/v1/kv/" + name), ours.KeyRead(name));
    EXPECT_EQ(Allowed("PUT", "/v1/kv/" + name, "x"), ours.KeyWrite(name));
    EXPECT_EQ(Allowed("PUT", "/v1/event/fire/" + name), ours.EventWrite(name));
    EXPECT_EQ(Allowed("PUT", "/v1/query/" + query_ids_[i], Query(name)),
              ours.QueryWrite(name));
    EXPECT_EQ(Allowed("PUT", "/v1/session/create",
                      absl::StrCat("{\"Node\":\"", name, "\"}")),
              ours.SessionWrite(name));
    const std::string fresh = name + "z";
    const bool node = Allowed(
        "PUT", "/v1/catalog/register",
        absl::StrCat("{\"Node\":\"", fresh, "\",\"Address\":\"10.0.0.9\"}"));
    EXPECT_EQ(node, ours.NodeWrite(fresh));
    if (node) root_->DeregisterNode(fresh);
    // The node is as it is, so that this is about the service only.
    const bool service =
        Allowed("PUT", "/v1/catalog/register",
                absl::StrCat("{\"Node\":\"b\",\"Address\":\"10.0.0.1\","
                             "\"Service\":{\"Service\":\"",
                             fresh, "\"}}"));
    EXPECT_EQ(service, ours.ServiceWrite(fresh));
    if (service) root_->DeregisterService("b", fresh);
    const bool local =
        Allowed("PUT", "/v1/agent/service/register",
                absl::StrCat("{\"Name\":\"", fresh, "\"}"),
                PermissionDenied("service:write on " + fresh).body);
    EXPECT_EQ(local, ours.ServiceWrite(fresh));
    if (local) root_->Put("/v1/agent/service/deregister/" + fresh);
  }

  void Compare(const Authorizer& ours) {
    EXPECT_EQ(Allowed("GET", "/v1/agent/self"), ours.AgentRead(kNode));
    EXPECT_EQ(Allowed("GET", "/v1/agent/metrics"), ours.AgentRead(kNode));
    EXPECT_EQ(Allowed("PUT", "/v1/agent/reload"), ours.AgentWrite(kNode));
    EXPECT_EQ(Allowed("GET", "/v1/operator/raft/configuration"),
              ours.OperatorRead());
    EXPECT_EQ(Allowed("GET", "/v1/acl/tokens"), ours.AclRead());
    EXPECT_EQ(Allowed("PUT", "/v1/acl/policy", "{}"), ours.AclWrite());
    CompareLists(ours);
    for (size_t i = 0; i < kNames.size(); ++i) CompareName(ours, i);
  }

  std::optional<ConsulProcess> consul_;
  ConsulApi* root_ = nullptr;
  std::optional<ConsulApi> user_;  // with the token of the round
  std::vector<std::string> query_ids_;
  int made_ = 0;
};

TEST_P(AclDiffTest, RandomRulesAllowWhatConsulAllows) {
  std::mt19937_64 random(TestSeed());
  user_.emplace(consul_->HttpUrl());
  for (int round = 0; round < Scaled(30) && !HasFailure(); ++round) {
    std::vector<std::string> policies;
    for (size_t i = 1 + random() % 2; i > 0; --i) {
      policies.push_back(RandomRules(&random));
    }
    AclRules rules;
    Problems problems;
    for (const std::string& policy : policies) {
      const AclRules some = ParseAclRules(policy, {}, &problems);
      rules.insert(rules.end(), some.begin(), some.end());
    }
    ASSERT_TRUE(problems.ok()) << problems.errors()[0];
    user_->set_token(MakeToken(policies));
    SCOPED_TRACE(absl::StrCat("round ", round, ":\n", policies[0], "--\n",
                              policies.back()));
    Compare(Authorizer("test", rules, /*default_allow=*/GetParam()));
  }
}

TEST_P(AclDiffTest, ManagementMayEverything) {
  user_.emplace(consul_->HttpUrl());
  user_->set_token(kRoot);
  Compare(Authorizer("root", ManagementRules(), GetParam()));
  // And who has no token at all has the default.
  user_.emplace(consul_->HttpUrl());
  Compare(Authorizer("anonymous", {}, GetParam()));
}

TEST_P(AclDiffTest, TextsThatAreRulesAreRulesForConsulToo) {
  const char* const texts[] = {
      "",
      "service \"a\" { policy = \"write\" intentions = \"read\" }",
      "service \"a\" { policy = \"list\" }",
      "service \"a\" { policy = \"Read\" }",
      "service \"a\" { policy = \"\" }",
      "service \"a\" { }",
      "service \"a\" { policy = \"read\" intentions = \"x\" }",
      "key \"a\" { policy = \"list\" }",
      "key_prefix \"\" { policy = \"list\" }",
      "acl = \"read\" operator = \"write\" keyring = \"deny\"",
      "acl = \"list\"",
      "operator = \"yes\"",
      "query_prefix \"\" { policy = \"read\" } session \"n\" "
      "{ policy = \"write\" } event_prefix \"\" { policy = \"deny\" }",
      "SERVICE \"a\" { POLICY = \"read\" }",
      "service \"a\" { policy = \"read\" } service \"a\" { policy = \"deny\" }",
      "service \"a\" {",
      "{\"service\": {\"a\": {\"policy\": \"read\"}}}",
      "{\"service_prefix\": {\"\": {\"policy\": \"rite\"}}}",
  };
  for (const char* text : texts) {
    Problems problems;
    (void)ParseAclRules(text, {}, &problems);
    ++made_;
    const ConsulReply reply =
        root_->Call("PUT", "/v1/acl/policy",
                    absl::StrCat("{\"Name\":\"t-", made_,
                                 "\",\"Rules\":", JsonQuoted(text), "}"));
    EXPECT_EQ(problems.ok(), reply.status == 200)
        << text << "\n"
        << reply.body << (problems.ok() ? "" : problems.errors()[0]);
  }
}

TEST_P(AclDiffTest, TokensAreFoundWhereConsulFindsThem) {
  const std::string good =
      MakeToken({"agent_prefix \"\" { policy = \"read\" }"});
  const std::string bad =
      MakeToken({"agent_prefix \"\" { policy = \"deny\" }"});
  const std::vector<std::pair<std::string, std::vector<std::string>>> cases = {
      {"", {}},
      {"token=" + good, {"X-Consul-Token: none"}},
      {"token=none", {"X-Consul-Token: " + good}},
      {"token=", {"X-Consul-Token: " + good}},
      {"token=&token=none", {}},
      {"token=" + good + "&token=none", {}},
      {"", {"X-Consul-Token: " + good, "Authorization: Bearer none"}},
      {"", {"X-Consul-Token: none", "Authorization: Bearer " + good}},
      {"", {"X-Consul-Token;", "Authorization: bEARER   " + good + " "}},
      {"", {"Authorization: Bearer " + good + " x"}},
      {"", {"Authorization: Bearer"}},
      {"", {"Authorization: " + good}},
      {"", {"Authorization: Basic none"}},
      {"", {"Authorization: Basic x", "Authorization: Bearer none"}},
      {"", {"Authorization: Bearer " + bad, "Authorization: Bearer none"}},
  };
  for (const auto& [query, headers] : cases) {
    HttpRequest request;
    request.query = query;
    std::vector<std::string> command = {
        "curl",
        "-sS",
        absl::StrCat(consul_->HttpUrl(), "/v1/agent/self?", query),
        "-w",
        " %{http_code}",
        "-o",
        "-"};
    for (const std::string& header : headers) {
      command.insert(command.end(), {"-H", header});
      const size_t end = header.find_first_of(":;");
      request.headers.emplace_back(
          header[0] == 'X' ? "x-consul-token" : "authorization",
          header.size() > end + 2 ? header.substr(end + 2) : "");
    }
    const std::string token = RequestToken(request);
    const std::string expected = token == "none" ? "ACL not found 403"
                                 : token == bad  ? "Permission denied 403"
                                 : token.empty() && !GetParam()
                                     ? "Permission denied 403"
                                     : "} 200";
    const Finished asked = RunToEnd(command);
    std::string output = asked.output;
    output.erase(std::remove(output.begin(), output.end(), '\n'), output.end());
    EXPECT_TRUE(absl::EndsWith(output, expected))
        << query << " " << (headers.empty() ? "" : headers[0]) << "\n"
        << output;
  }
}

INSTANTIATE_TEST_SUITE_P(Default, AclDiffTest, ::testing::Bool(),
                         [](const auto& default_allow) {
                           return default_allow.param ? "Allow" : "Deny";
                         });

}  // namespace
}  // namespace dnsd::testing
