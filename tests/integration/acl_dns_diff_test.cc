// The real Consul 1.8.7 and the real dnsd with the same registrations, both
// with ACLs: random rules for the token of DNS, or for who has none, and for
// the token of a prepared query. Every name form must be answered alike. dnsd
// has the rules from its configuration, by a reload each round.
//
// Skipped without a Consul binary (consul_process.h).
#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "catalog/base/json_read.h"
#include "tests/integration/consul_comparison.h"
#include "tests/integration/consul_pair.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/seeds.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

constexpr char kRoot[] = "root-secret";
constexpr char kDns[] = "11111111-0000-0000-0000-000000000001";
constexpr char kOfQuery[] = "11111111-0000-0000-0000-000000000002";
constexpr char kAnonymousId[] = "00000000-0000-0000-0000-000000000002";
constexpr char kNode[] = "ab";  // the agents'
constexpr char kNodeId[] = "4d7a4a4a-1111-4222-8333-000000000001";
constexpr char kFarId[] = "5d7a4a4a-1111-4222-8333-000000000002";

const std::array<std::string, 5> kNodes = {kNode, "a", "abc", "b", "ba.rack"};
const std::array<std::string, 5> kServices = {"a", "ab", "Abc", "b", "consul"};

// Who asks by DNS, for the agents.
enum class Asker : uint8_t { kDnsToken, kDefaultToken, kNobody };

std::string RandomRules(std::mt19937_64* random) {
  static const char* const kPolicies[] = {"deny", "read", "read", "write"};
  std::string text;
  for (const char* resource : {"node", "service"}) {
    if ((*random)() % 4 != 0) {
      absl::StrAppend(&text, resource, "_prefix \"\" { policy = \"",
                      kPolicies[(*random)() % 4], "\" }\n");
    }
  }
  for (size_t i = (*random)() % 6; i > 0; --i) {
    const bool node = (*random)() % 2 == 0;
    std::string name = (node ? kNodes : kServices)[(*random)() % 5];
    if ((*random)() % 6 == 0) name += "-proxy";
    if ((*random)() % 8 == 0) name = "abc";
    const bool prefix = (*random)() % 2 == 0;
    absl::StrAppend(&text, node ? "node" : "service", prefix ? "_prefix" : "",
                    " \"", name, "\" { policy = \"", kPolicies[(*random)() % 4],
                    "\" }\n");
  }
  if ((*random)() % 8 == 0) text += "query_prefix \"\" { policy = \"deny\" }\n";
  return text;
}

std::string Member(const std::string& json, const std::string& key) {
  const absl::StatusOr<Value> value = ParseJson(json);
  if (!value.ok()) return "";
  for (const dnsd::Member& member : value->members) {
    if (member.key == key) return member.value.text;
  }
  return "";
}

class AclDnsDiffTest : public ::testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    const std::optional<std::string> binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
    ConsulProcessOptions options;
    options.node_name = kNode;
    options.args = {"-node-id", kNodeId};
    const std::string names =
        "alt_domain = \"alt.test\"\ndns_config { udp_answer_limit = 3 ";
    const std::string acl =
        absl::StrCat("acl { enabled = true default_policy = \"",
                     GetParam() ? "allow" : "deny", "\" tokens { master = \"",
                     kRoot, "\" agent = \"", kRoot, "\" } }\n");
    options.config = absl::StrCat(names, "}\n", acl);
    consul_.emplace(*binary, options);
    dir_.Write("c/base.hcl", absl::StrCat(names, "compat = \"consul\" }\n", acl,
                                          "ports { server = ",
                                          consul_->server_port(), " }\n"));
    WriteRules("", "", Asker::kDnsToken);
    dnsd_.emplace(std::vector<std::string>{"-config-dir", dir_.Path("c"),
                                           "-node", kNode, "-advertise",
                                           "127.0.0.1", "-node-id", kNodeId});
    ASSERT_TRUE(dnsd_->WaitUntilServing()) << dnsd_->process().output();
    consul_->api().set_token(kRoot);
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    ours_.emplace("http://" + dnsd_->HttpAddress());
    ours_->set_token(kRoot);
    for (const char* name : {"dns", "query", "anonymous"}) MakePolicy(name);
    MakeToken(kDns, policies_[0]);
    MakeToken(kOfQuery, policies_[1]);
    Both("PUT", absl::StrCat("/v1/acl/token/", kAnonymousId),
         absl::StrCat("{\"Policies\":[{\"ID\":\"", policies_[2], "\"}]}"),
         /*consul_only=*/true);
    Fill();
  }

  // To both; what Consul says.
  std::string Both(const std::string& method, const std::string& path,
                   const std::string& body, bool consul_only = false) {
    const ConsulReply theirs = consul_->api().Call(method, path, body);
    EXPECT_EQ(theirs.status, 200) << path << " " << body << theirs.body;
    if (consul_only) return theirs.body;
    const ConsulReply ours = ours_->Call(method, path, body);
    EXPECT_EQ(ours.status, 200) << path << " " << body << ours.body;
    return theirs.body;
  }

  void MakePolicy(const std::string& name) {
    policies_.push_back(
        Member(Both("PUT", "/v1/acl/policy",
                    absl::StrCat("{\"Name\":\"", name, "\",\"Rules\":\"\"}"),
                    /*consul_only=*/true),
               "ID"));
    policy_names_.push_back(name);
  }

  void MakeToken(const std::string& secret, const std::string& policy) {
    Both("PUT", "/v1/acl/token",
         absl::StrCat("{\"SecretID\":\"", secret, "\",\"Policies\":[{\"ID\":\"",
                      policy, "\"}]}"),
         /*consul_only=*/true);
  }

  // `service` is JSON without its braces, for the agent if the node is its own:
  // what is not the agent's own there it would take away again.
  void Register(const std::string& node, const std::string& service) {
    static const std::array<std::string, 5> kAddresses = {
        "127.0.0.1", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.3"};
    size_t i = 0;
    while (kNodes[i] != node) ++i;
    if (node == kNode) {
      Both("PUT", "/v1/agent/service/register",
           absl::StrCat(
               "{\"Token\":\"", kRoot, "\",",
               absl::StrReplaceAll(service, {{"\"Service\":", "\"Name\":"}}),
               "}"));
      return;
    }
    Both("PUT", "/v1/catalog/register",
         absl::StrCat("{\"Node\":\"", node, "\",\"Address\":\"", kAddresses[i],
                      "\",",
                      node == "a" ? "\"ID\":\"" : "\"NodeMeta\":{\"k\":\"",
                      node == "a" ? kFarId : node, node == "a" ? "\"," : "\"},",
                      "\"Service\":{", service, "}}"));
  }

  void Fill() {
    for (size_t n = 0; n < kNodes.size(); ++n) {
      for (size_t s = 0; s < kServices.size(); ++s) {
        if (kServices[s] == "consul" || (n + 2 * s) % 5 > 2) continue;
        Register(kNodes[n],
                 absl::StrCat(
                     "\"ID\":\"i", s, "\",\"Service\":\"", kServices[s],
                     "\",\"Port\":", 1000 + 10 * n + s, ",\"Address\":\"",
                     s < 3 ? absl::StrCat("10.1.", n % 3, ".", s) : "",
                     "\",\"Tags\":[\"", n % 2 == 0 ? "even" : "odd", "\"]"));
        if (s > 1) continue;
        Register(kNodes[n],
                 absl::StrCat("\"ID\":\"p", s, "\",\"Service\":\"",
                              kServices[s], "-proxy\",\"Port\":", 2000 + n,
                              ",\"Kind\":\"connect-proxy\",\"Proxy\":{"
                              "\"DestinationServiceName\":\"",
                              kServices[s], "\"}"));
      }
    }
    for (const std::string& service : kServices) {
      MakeQuery("q-" + service, service, "");
      MakeQuery("own-" + service, service, kOfQuery);
    }
    ASSERT_TRUE(WaitUntil([&] { return Counted(); }));
    MakeQuery("mesh-a", "a", "", "\"Connect\":true");
    Both("POST", "/v1/query",
         "{\"Name\":\"t-\",\"Template\":{\"Type\":\"name_prefix_match\"},"
         "\"Service\":{\"Service\":\"${name.suffix}\"}}");
  }

  // Whether Consul's agent has written what it was told.
  bool Counted() {
    const std::string path = absl::StrCat("/v1/catalog/node-services/", kNode);
    return consul_->api().Get(path).size() > 100 &&
           Ids(consul_->api().Get(path)) == Ids(ours_->Get(path));
  }

  static std::set<std::string> Ids(const std::string& json) {
    std::set<std::string> ids;
    const absl::StatusOr<Value> value = ParseJson(json);
    if (!value.ok()) return ids;
    for (const dnsd::Member& member : value->members) {
      if (member.key != "Services") continue;
      for (const Value& item : member.value.items) {
        for (const dnsd::Member& field : item.members) {
          if (field.key == "ID") ids.insert(field.value.text);
        }
      }
    }
    return ids;
  }

  void MakeQuery(const std::string& name, const std::string& service,
                 const std::string& token,
                 const std::string& more = "\"OnlyPassing\":false") {
    Both("POST", "/v1/query",
         absl::StrCat("{\"Name\":\"", name, "\",\"Token\":\"", token,
                      "\",\"Service\":{\"Service\":\"", service, "\",", more,
                      "}}"));
  }

  void WriteRules(const std::string& dns, const std::string& of_query,
                  Asker asker) {
    const bool nobody = asker == Asker::kNobody;
    const char* const key = asker == Asker::kDnsToken ? "dns" : "default";
    dir_.Write(
        "c/rules.hcl",
        absl::StrCat(
            "acl {\n static_tokens = [\n{ name = \"dns\" secret = \"",
            nobody ? "anonymous" : kDns, "\" rules = <<EOF\n", dns,
            "\nEOF\n},\n{ name = \"query\" secret = \"", kOfQuery,
            "\" rules = <<EOF\n", of_query, "\nEOF\n}]\n",
            nobody ? ""
                   : absl::StrCat("tokens { ", key, " = \"", kDns, "\" }\n"),
            "}\n"));
  }

  void PutPolicy(size_t i, const std::string& rules) {
    Both(
        "PUT", absl::StrCat("/v1/acl/policy/", policies_[i]),
        absl::StrCat("{\"ID\":\"", policies_[i], "\",\"Name\":\"",
                     policy_names_[i], "\",\"Rules\":", JsonQuoted(rules), "}"),
        /*consul_only=*/true);
  }

  void SetRules(const std::string& dns, const std::string& of_query,
                Asker asker) {
    const bool nobody = asker == Asker::kNobody;
    PutPolicy(0, nobody ? "" : dns);
    PutPolicy(1, of_query);
    PutPolicy(2, nobody ? dns : "");
    Both("PUT", "/v1/agent/token/default",
         absl::StrCat("{\"Token\":\"", nobody ? "" : kDns, "\"}"),
         /*consul_only=*/true);
    WriteRules(dns, of_query, asker);
    const ConsulReply reloaded = ours_->Call("PUT", "/v1/agent/reload");
    ASSERT_EQ(reloaded.status, 200) << reloaded.body;
  }

  static std::vector<std::string> Names() {
    std::vector<std::string> names = {"consul.", "ns.consul."};
    for (const std::string& node : kNodes) {
      names.push_back(node + ".node.consul.");
      names.push_back(node + ".node.dc1.consul.");
    }
    for (const char* id : {kNodeId, kFarId}) {
      names.push_back(absl::StrCat(id, ".node.consul."));
    }
    for (const std::string& service : kServices) {
      for (const char* before : {"", "even.", "odd."}) {
        names.push_back(absl::StrCat(before, service, ".service.consul."));
      }
      names.push_back(absl::StrCat("_", service, "._tcp.service.consul."));
      names.push_back(absl::StrCat("_", service, "._odd.service.dc1.consul."));
      names.push_back(service + ".service.alt.test.");
      names.push_back(service + ".connect.consul.");
      names.push_back(service + "-proxy.service.consul.");
      for (const char* query : {"q-", "own-", "t-"}) {
        names.push_back(absl::StrCat(query, service, ".query.consul."));
      }
    }
    names.push_back("mesh-a.query.consul.");
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        names.push_back(absl::StrCat(i, ".", j, ".1.10.in-addr.arpa."));
      }
      names.push_back(absl::StrCat(i + 1, ".0.0.10.in-addr.arpa."));
    }
    names.push_back("1.0.0.127.in-addr.arpa.");
    return names;
  }

  // The first thing that differs.
  std::string Compare() {
    ReleaseConfig config;
    config.node_id = kNodeId;
    Comparison comparison(consul_->dns(), dnsd_->dns(), config);
    for (const std::string& name : Names()) {
      for (const char* type : {"A", "SRV", "ANY", "TXT", "PTR", "SOA"}) {
        // These are for what has them.
        if (name != "consul." && type[1] == 'O') continue;
        if (type[0] == 'P' && !name.ends_with("arpa.")) continue;
        comparison.Ask(MakeDiffQuestion(name, type));
        if (!comparison.failures().empty()) return comparison.failures()[0];
      }
    }
    // Without name servers 1.8.7 says nothing at all; the SOA of such an answer
    // is the newest release's (errNoData).
    const DnsReply theirs = AskTcp(consul_->dns(), {"consul.", "NS"});
    const DnsReply ours = AskTcp(dnsd_->dns(), {"consul.", "NS"});
    if (ours.answer != theirs.answer || ours.additional != theirs.additional) {
      return absl::StrCat("NS: ", absl::StrJoin(ours.answer, ", "), " not ",
                          absl::StrJoin(theirs.answer, ", "));
    }
    return "";
  }

  // "NAME ID" in lines.
  static std::string QueryIds(ConsulApi* api) {
    std::string ids;
    for (const Value& query : ListOf(api->Get("/v1/query"))) {
      absl::StrAppend(&ids, FieldOf(query, "Name"), " ", FieldOf(query, "ID"),
                      "\n");
    }
    return ids;
  }

  static std::vector<Value> ListOf(const std::string& json) {
    const absl::StatusOr<Value> value = ParseJson(json);
    return value.ok() ? value->items : std::vector<Value>();
  }

  static std::string FieldOf(const Value& object, const std::string& key) {
    for (const dnsd::Member& member : object.members) {
      if (member.key == key) return member.value.text;
    }
    return "";
  }

  // What this token is told of all of them, as text without ids.
  static std::string AskForQueries(ConsulApi* api, const std::string& ids) {
    std::set<std::string> said;
    for (const Value& query : ListOf(api->Get("/v1/query"))) {
      said.insert(absl::StrCat("listed ", FieldOf(query, "Name"), " ",
                               FieldOf(query, "Token")));
    }
    for (const absl::string_view line :
         absl::StrSplit(ids, '\n', absl::SkipEmpty())) {
      const std::vector<std::string> pair = absl::StrSplit(line, ' ');
      const std::string& name = pair[0];
      const ConsulReply read = api->Call("GET", "/v1/query/" + pair[1]);
      const std::vector<Value> queries = ListOf(read.body);
      const std::string token =
          queries.empty() ? read.body : FieldOf(queries[0], "Token");
      const ConsulReply found =
          api->Call("GET", absl::StrCat("/v1/query/", name, "/execute"));
      const ConsulReply explained =
          api->Call("GET", absl::StrCat("/v1/query/", name, "/explain"));
      std::string body = absl::StrCat(
          "{\"Name\":\"", name, "\",\"Token\":\"",
          absl::StartsWith(name, "own") ? kOfQuery : "",
          "\",\"Service\":{\"Service\":\"",
          absl::StartsWith(name, "t-") ? "none\"},\"Template\":{\"Type\":"
                                         "\"name_prefix_match"
                                       : name.substr(name.find('-') + 1),
          "\"}}");
      const ConsulReply changed =
          api->Call("PUT", "/v1/query/" + pair[1], body);
      said.insert(absl::StrCat(
          name, " read ", read.status, " ", token, ", execute ", found.status,
          " ", CountOf(found.body, "\"Weights\""), ", explain ",
          explained.status, " ", CountOf(explained.body, "hidden"), ", change ",
          changed.status));
    }
    return absl::StrJoin(said, "\n");
  }

  static size_t CountOf(const std::string& text, const std::string& part) {
    size_t count = 0;
    for (size_t at = text.find(part); at != std::string::npos;
         at = text.find(part, at + 1)) {
      ++count;
    }
    return count;
  }

  TempDir dir_;
  std::optional<ConsulProcess> consul_;
  std::optional<AgentProcess> dnsd_;
  std::optional<ConsulApi> ours_;
  std::vector<std::string> policies_;  // ids
  std::vector<std::string> policy_names_;
};

TEST_P(AclDnsDiffTest, RandomRulesShowWhatConsulShows) {
  std::mt19937_64 random(TestSeed());
  for (int round = 0; round < Scaled(24) && !HasFailure(); ++round) {
    const std::string dns = RandomRules(&random);
    const std::string of_query = RandomRules(&random);
    const auto asker = static_cast<Asker>(round % 3);
    ASSERT_NO_FATAL_FAILURE(SetRules(dns, of_query, asker));
    EXPECT_EQ(Compare(), "")
        << "round " << round << ", rules of "
        << (asker == Asker::kNobody ? "nobody" : "a token") << ":\n"
        << dns << "-- of the query:\n"
        << of_query;
  }
}

// Lists, reading, changing and executing prepared queries over HTTP: who
// manages ACLs sees all, with their tokens, and changes what its rules allow.
TEST_P(AclDnsDiffTest, QueriesAreListedReadAndChangedAlike) {
  const std::string see_all =
      "node_prefix \"\" { policy = \"read\" }\n"
      "service_prefix \"\" { policy = \"read\" }\n";
  const std::string ids[] = {QueryIds(&consul_->api()), QueryIds(&*ours_)};
  for (const std::string rules :
       {"", "acl = \"write\"", "acl = \"read\"",
        "query_prefix \"own\" { policy = \"write\" }",
        "query_prefix \"\" { policy = \"read\" } acl = \"write\"",
        "query_prefix \"t\" { policy = \"deny\" }"}) {
    ASSERT_NO_FATAL_FAILURE(
        SetRules(see_all + rules, see_all, Asker::kDnsToken));
    std::string said[2];
    for (int server = 0; server < 2; ++server) {
      ConsulApi api(server == 0 ? consul_->HttpUrl()
                                : "http://" + dnsd_->HttpAddress());
      api.set_token(kDns);
      said[server] = AskForQueries(&api, ids[server]);
    }
    EXPECT_EQ(said[1], said[0]) << rules;
    EXPECT_GT(said[0].size(), 500u);
  }
  // The root token does everything.
  EXPECT_EQ(AskForQueries(&*ours_, ids[1]),
            AskForQueries(&consul_->api(), ids[0]));
}

INSTANTIATE_TEST_SUITE_P(Default, AclDnsDiffTest, ::testing::Bool(),
                         [](const auto& default_allow) {
                           return default_allow.param ? "Allow" : "Deny";
                         });

}  // namespace
}  // namespace dnsd::testing
