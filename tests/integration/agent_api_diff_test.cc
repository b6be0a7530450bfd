// The same requests to a real Consul and to our handlers over a Registry: after
// each, statuses, Consul's headers and bodies are the same, byte for byte but
// for indexes, hashes and new ids.
#include <re2/re2.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "catalog/registry/memory_store.h"
#include "catalog/registry/registry.h"
#include "dnsd/http/agent_api.h"
#include "dnsd/http/catalog_write_api.h"
#include "dnsd/http/query_api.h"
#include "dnsd/http/routes.h"
#include "gtest/gtest.h"
#include "tests/testing/consul_process.h"

namespace dnsd::testing {
namespace {

constexpr const char* kNode = "here";
constexpr const char* kNodeId = "11111111-2222-3333-4444-555555555555";

struct Answer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// What differs from run to run.
std::string Masked(std::string text) {
  RE2::GlobalReplace(&text, "\"(CreateIndex|ModifyIndex)\": [0-9]+",
                     "\"\\1\": N");
  RE2::GlobalReplace(&text, "\"ContentHash\": \"[0-9a-f]+\"",
                     "\"ContentHash\": \"H\"");
  RE2::GlobalReplace(
      &text, "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
      "U");
  return text;
}

// Our handlers, without sockets: their own loop runs until there is an answer.
class Ours {
 public:
  Ours() {
    Definitions definitions;
    definitions.node.name = kNode;
    definitions.node.id = kNodeId;
    definitions.node.datacenter = "dc1";
    definitions.node.address = "127.0.0.1";
    RegistryOptions options;
    options.when_published = [](std::function<void()> told) { told(); };
    registry_ =
        std::make_unique<Registry>(&loop_, &state_, OpenMemoryStore(&loop_),
                                   std::move(definitions), options);
    const Source::Sink sink = [this](ChangeBatch batch) {
      Dirty dirty;
      EXPECT_EQ(state_.Apply(std::move(batch), &dirty), absl::OkStatus());
    };
    EXPECT_EQ(registry_->Load(sink), absl::OkStatus());
    registry_->Start(sink);
    AgentApiOptions agent;
    agent.loop = &loop_;
    agent.registry = registry_.get();
    agent.member = [] { return "{}"; };
    agent_ = std::make_unique<AgentApi>(std::move(agent));
    std::vector<Route> rows = agent_->Routes();
    for (auto& more : {CatalogWriteRoutes(registry_.get(), &state_, {}),
                       QueryRoutes({registry_.get(), &state_, {}})}) {
      rows.insert(rows.end(), more.begin(), more.end());
    }
    routes_ = std::make_unique<Routes>(std::move(rows));
  }
  ~Ours() { registry_->Stop(); }

  Answer Ask(const std::string& method, const std::string& target,
             const std::string& body) {
    HttpRequest request;
    request.method = method;
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(target, absl::MaxSplits('?', 1));
    request.path = parts.first;
    request.query = absl::StrCat(parts.second, "&pretty");
    request.body = body;
    std::optional<Answer> answer;
    routes_->Handle(request, [&](HttpResponse response) {
      answer.emplace();
      answer->status = response.status;
      answer->body = std::move(response.body);
      for (const auto& [name, value] : response.headers) {
        answer->headers[AsciiLower(name)] = value;
      }
      loop_.Stop();
    });
    if (!answer) {
      Timer end(&loop_, [this] { loop_.Stop(); });
      end.Start(20'000);
      loop_.Run();
    }
    EXPECT_TRUE(answer.has_value()) << method << " " << target;
    return answer.value_or(Answer());
  }

 private:
  EventLoop loop_;
  State state_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<AgentApi> agent_;
  std::unique_ptr<Routes> routes_;
};

class AgentApiDiff : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::optional<std::string> binary = ConsulBinary();
    if (!binary) GTEST_SKIP() << "no consul";
    ConsulProcessOptions options;
    options.node_name = kNode;
    options.config = absl::StrCat("node_id = \"", kNodeId, "\"");
    consul_ = std::make_unique<ConsulProcess>(*binary, options);
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    ours_ = std::make_unique<Ours>();
  }

  void Same(const std::string& method, const std::string& target,
            const std::string& body = "") {
    SCOPED_TRACE(absl::StrCat(method, " ", target, " ", body));
    const ConsulReply theirs = consul_->api().Call(method, target, body);
    const Answer ours = ours_->Ask(method, target, body);
    EXPECT_EQ(ours.status, theirs.status);
    EXPECT_EQ(Masked(ours.body), Masked(theirs.body));
    for (const char* name :
         {"x-consul-reason", "x-consul-effective-consistency",
          "x-consul-knownleader", "x-consul-lastcontact", "allow"}) {
      const auto find = [name](const auto& headers) {
        const auto it = headers.find(name);
        // Consul's queries forget OPTIONS, which they answer.
        return it == headers.end()
                   ? std::string("none")
                   : std::string(absl::StripPrefix(it->second, "OPTIONS,"));
      };
      EXPECT_EQ(find(ours.headers), find(theirs.headers)) << name;
    }
    EXPECT_EQ(ours.headers.count("x-consul-contenthash"),
              theirs.headers.count("x-consul-contenthash"));
  }

  // What the agent shows of itself.
  void SameAgent() {
    Same("GET", "/v1/agent/services");
    Same("GET", "/v1/agent/checks");
  }

  std::unique_ptr<ConsulProcess> consul_;
  std::unique_ptr<Ours> ours_;
};

TEST_F(AgentApiDiff, ServicesAndTheirChecks) {
  const char* const kRegister = "/v1/agent/service/register";
  const std::pair<const char*, const char*> steps[] = {
      {kRegister, R"({"Name":"web","ID":"w1","Port":80,"Tags":["b","a"],
          "Meta":{"k":"v"},"Address":"10.0.0.1",
          "Check":{"TTL":"1h","Notes":"hi","Status":"warning"}})"},
      {kRegister, R"({"Name":"plain"})"},
      {kRegister, R"({"Name":"nat","Connect":{"Native":true},"Weights":
          {"Passing":3,"Warning":2},"TaggedAddresses":{"lan":
          {"Address":"1.1.1.1","Port":5}}})"},
      {kRegister, R"({"Name":"prox","Port":99,"Kind":"connect-proxy","Proxy":{
          "DestinationServiceName":"web","DestinationServiceID":"w1",
          "Config":{"b":1,"a":{"x":[1.5,true,null]}},"Upstreams":[{
          "DestinationName":"db","LocalBindPort":5}]}})"},
      {"/v1/agent/check/pass/service:w1?note=all%20well", ""},
      {"/v1/agent/check/warn/service:w1", ""},
      {"/v1/agent/check/fail/service:w1?note=%3Cbad%3E", ""},
      {"/v1/agent/check/update/service:w1",
       R"({"Status":"passing","Output":"x"})"},
      {"/v1/agent/check/pass/nope", ""},
      {"/v1/agent/check/pass/", ""},
      {"/v1/agent/check/register",
       R"({"ID":"c1","Name":"cname","TTL":"1h","ServiceID":"plain"})"},
      {"/v1/agent/check/register", R"({"Name":"node-check","TTL":"1h",
          "Status":"passing","Notes":"n"})"},
      {"/v1/agent/check/register",
       R"({"Name":"c","TTL":"1h","ServiceID":"nope"})"},
      {"/v1/agent/check/register",
       R"({"Name":"c","Args":["x"],"Interval":"1h"})"},
      // The same tags: Consul shows those of when the check was registered.
      {kRegister, R"({"Name":"web","ID":"w1","Port":81,"Tags":["b","a"]})"},
      {"/v1/agent/service/register?replace-existing-checks=true",
       R"({"Name":"web","ID":"w1","Port":82})"},
      {"/v1/agent/service/maintenance/w1?enable=true&reason=because", ""},
      {"/v1/agent/service/maintenance/w1?enable=true&reason=other", ""},
      {"/v1/agent/service/maintenance/w1?enable=x", ""},
      {"/v1/agent/service/maintenance/w1", ""},
      {"/v1/agent/service/maintenance/nope?enable=true", ""},
      {"/v1/agent/service/maintenance/?enable=true", ""},
      {"/v1/agent/maintenance?enable=true", ""},
      {"/v1/agent/maintenance", ""},
      {"/v1/agent/maintenance?enable=false", ""},
      {"/v1/agent/service/maintenance/w1?enable=false", ""},
      {"/v1/agent/check/deregister/c1", ""},
      {"/v1/agent/check/deregister/nope", ""},
      {"/v1/agent/check/deregister/", ""},
      {"/v1/agent/service/deregister/w1", ""},
      {"/v1/agent/service/deregister/nope", ""},
      {"/v1/agent/service/deregister/", ""},
      {"/v1/agent/force-leave/nope", ""},
  };
  for (const auto& [target, body] : steps) {
    Same("PUT", target, body);
    SameAgent();
  }
}

TEST_F(AgentApiDiff, CatalogRegistrationsThatAreRefused) {
  for (const char* body :
       {R"({"Node":"x"})", R"({"Address":"10.0.0.1"})",
        R"({"Node":"x","Address":"10.0.0.1","Check":{"CheckID":"c",
            "ServiceID":"missing"}})",
        R"({"Node":"x","Address":"10.0.0.1","ID":"zz"})",
        R"({"Datacenter":"dc9","Node":"x","Address":"10.0.0.1"})", "[]", ""}) {
    Same("PUT", "/v1/catalog/register", body);
  }
}

TEST_F(AgentApiDiff, OneService) {
  Same("PUT", "/v1/agent/service/register",
       R"({"Name":"web","ID":"w1","Check":{"TTL":"1h"}})");
  for (const char* status : {"pass", "warn", "fail"}) {
    Same("PUT", absl::StrCat("/v1/agent/check/", status, "/service:w1"));
    for (const char* what :
         {"id/w1", "id/w1?format=text", "name/web", "name/web?format=text",
          "id/nope", "id/nope?format=text", "name/nope",
          "name/nope?format=text", "id/", "name/"}) {
      Same("GET", absl::StrCat("/v1/agent/health/service/", what));
    }
  }
  for (const char* what :
       {"w1", "nope", "w1/x", "", "w1?hash=x", "w1?hash=x&wait=bogus",
        "w1?hash=x&index=bogus", "w1?ns=foo"}) {
    Same("GET", absl::StrCat("/v1/agent/service/", what));
  }
}

TEST_F(AgentApiDiff, MethodsAndAllow) {
  for (const char* path :
       {"/v1/agent/services", "/v1/agent/service/x", "/v1/agent/checks",
        "/v1/agent/members", "/v1/agent/service/register",
        "/v1/agent/check/pass/x", "/v1/agent/maintenance",
        "/v1/catalog/register", "/v1/catalog/deregister", "/v1/query",
        "/v1/query/x"}) {
    // Bodies of OPTIONS are the router's, and so is what 405 says.
    Same("PATCH", path);
  }
}

TEST_F(AgentApiDiff, PreparedQueries) {
  const char* const kQueries[] = {
      R"({"Name":"a","Service":{"Service":"web","Tags":["a","!b"],"NodeMeta":
          {"a":"b"},"ServiceMeta":{"c":"d"},"Near":"_agent","OnlyPassing":true,
          "IgnoreCheckIDs":["x"],"Connect":true,"Failover":{"NearestN":2,
          "Datacenters":["dc2"]}},"DNS":{"TTL":"10s"}})",
      R"({"Name":"a","Service":{"Service":"web"}})",
      R"({"Name":"","Template":{"Type":"name_prefix_match"},
          "Service":{"Service":"${name.full}"}})",
      R"({"Name":"","Template":{"Type":"name_prefix_match"},
          "Service":{"Service":"again"}})",
      R"({"Service":{"Service":"web"}})",
      R"({"Name":"q2","Service":{"Service":"web"},"Session":"nope"})",
      "{",
  };
  for (const char* query : kQueries) Same("POST", "/v1/query", query);
  for (const char* target :
       {"a/execute", "nope/execute", "nope/explain", "a/explain",
        "a/execute?limit=x", "a/execute?stale&consistent", "nope",
        "41111111-2222-3333-4444-555555555555", "a/execute?dc=dc9"}) {
    Same("GET", absl::StrCat("/v1/query/", target));
  }
  for (const char* method : {"PUT", "DELETE"}) {
    Same(method, "/v1/query/41111111-2222-3333-4444-555555555555",
         R"({"Name":"z","Service":{"Service":"web"}})");
    Same(method, "/v1/query/nope",
         R"({"Name":"z","Service":{"Service":"web"}})");
  }
}

}  // namespace
}  // namespace dnsd::testing
