// What no Consul should answer, and what one may: cut off, broken, nested
// without end, spaced out.

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/consul/consul_decode.h"
#include "tests/catalog/consul/recorded.h"

namespace dnsd {
namespace {

using testing::InstanceWith;
using testing::Recorded;

template <typename T>
std::string ErrorOf(const absl::StatusOr<T>& value) {
  if (value.ok()) return "none";
  EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(value.status().message());
}

struct BadCase {
  std::string body;
  std::string error;
};

TEST(ConsulDecodeErrors, NamesTheObjectOfAnError) {
  const std::vector<BadCase> cases = {
      {"", "empty"},
      {" \n", "empty"},
      {"{}", "'{' is not an array"},
      {"7", "'7' is not an array"},
      {"[{}]", "node '': no name"},
      {"[[]]", "'[' is not an object"},
      {R"([{"Node":7}])", "'7' is not a string"},
      {R"([{"Node":"n"}] x)", ""},
      {R"([{"Node":"n"}],[])", "text after the document"},
      {R"([{"Node":"n"}])"
       "\n]",
       "text after the document"},
      {R"([{"Node":"n","Services":[{"ID":"i"}]}])",
       "node 'n': service 'i': no service name"},
      {R"([{"Node":"n","Services":[{"Service":"s"}]}])", "no id"},
      {InstanceWith(R"("Port":80.5)"),
       "node 'n': service 'i': member 'Port': '80.5' is not an integer"},
      {InstanceWith(R"("Port":"80")"), "'\\\"80\\\"' is not an integer"},
      {InstanceWith(R"("Port":9223372036854775808)"), "is not an integer"},
      {InstanceWith(R"("Weights":{"Passing":true})"),
       "member 'Weights': 'true' is not an integer"},
      {InstanceWith(R"("EnableTagOverride":1)"), "'1' is not a boolean"},
      {InstanceWith(R"("ModifyIndex":-1)"), "'-1' is not an integer of 0"},
      {InstanceWith(R"("Tags":{})"), "'{' is not an array"},
      {InstanceWith(R"("Meta":[])"), "'[' is not an object"},
      {InstanceWith(R"("Meta":{"a":1})"), "'1' is not a string"},
      {R"([{"Node":"n","Checks":[{"Node":"n","Name":"c"}]}])", "no id"},
      {R"([{"Node":"n","Checks":[{"CheckID":"c"}]}])", "check 'c': no node"},
      // What nobody reads is checked nevertheless.
      {InstanceWith(R"("Later":[1,{"x":tru}])"), ""},
      {InstanceWith(R"("Later":nul)"), ""},
      {InstanceWith(R"("Later":01)"), ""},
      {InstanceWith(R"("Later":"\x")"), ""},
      {InstanceWith(R"("\x":1)"), ""},
      {InstanceWith("\"Later\":\"\xFF\""), ""},
      {InstanceWith(R"("Later":{"a" 1})"), ""},
      {InstanceWith(R"("Later":[1 2])"), ""},
      {InstanceWith(R"("Later":[1})"), ""},
      {InstanceWith("\"Later\":\"a\nb\""), ""},
  };
  for (const BadCase& c : cases) {
    std::string body = c.body;
    const std::string error = ErrorOf(DecodeNodeDump(&body, "dc1"));
    EXPECT_TRUE(absl::StartsWith(error, "internal/ui/nodes: ")) << c.body;
    EXPECT_TRUE(absl::StrContains(error, c.error)) << c.body << ": " << error;
  }
}

TEST(ConsulDecodeErrors, RefusesOtherAnswersWithoutNames) {
  std::string body = R"([{"Node":{"Node":"n"}}])";
  EXPECT_EQ(ErrorOf(DecodeHealthService(&body, "dc1")),
            "health/service: instance on 'n': no Service");
  body = R"([{"Service":{"ID":"a","Service":"a"}}])";
  EXPECT_EQ(ErrorOf(DecodeHealthService(&body, "dc1")),
            "health/service: instance on '': no Node");
  body = R"({"":[]})";
  EXPECT_EQ(ErrorOf(DecodeServiceNames(&body)),
            "catalog/services: a service without a name");
  body = R"([{"GatewayKind":"ingress-gateway"}])";
  EXPECT_EQ(ErrorOf(DecodeGatewayServices(&body)),
            "catalog/gateway-services: a service without a name");
  body = R"([{"Name":"x"}])";
  EXPECT_EQ(ErrorOf(DecodeQueries(&body)), "query: query '': no id");
  body = R"({"Config":{"NodeName":"x"}})";
  EXPECT_EQ(ErrorOf(DecodeSelf(&body)), "agent/self: no datacenter");
  body = R"({"Leader":true})";
  EXPECT_EQ(ErrorOf(DecodeHasLeader(&body)),
            "status/leader: '{' is not a string");
}

// Whoever may register a service may nest its proxy's configuration as deep as
// Consul takes it; that must not stop the mirror, nor its stack.
TEST(ConsulDecodeErrors, SkipsConfigurationOfAnyDepth) {
  for (const size_t depth : {10u, 63u, 64u, 65u, 2000u, 200'000u}) {
    const std::string config =
        std::string(depth, '[') + "1" + std::string(depth, ']');
    std::string body = InstanceWith(
        absl::StrCat(R"("Proxy":{"Config":)", config, R"(},"Port":7)"));
    const auto nodes = DecodeNodeDump(&body, "dc1");
    ASSERT_TRUE(nodes.ok()) << depth << ": " << nodes.status();
    ASSERT_EQ(nodes->size(), 1u) << depth;
    EXPECT_EQ((*nodes)[0].instances[0].instance.port, 7) << depth;
  }
}

using Decode = std::function<bool(std::string*)>;

struct RecordedAnswer {
  const char* file;
  Decode decode;
};

std::vector<RecordedAnswer> RecordedAnswers() {
  const Decode health = [](std::string* body) {
    return DecodeHealthService(body, "dc1").ok();
  };
  const Decode checks = [](std::string* body) {
    return DecodeChecks(body).ok();
  };
  const Decode gateway = [](std::string* body) {
    return DecodeGatewayServices(body).ok();
  };
  return {
      {"health_web", health},
      {"health_sidecar", health},
      {"health_none", health},
      {"ui_nodes",
       [](std::string* body) { return DecodeNodeDump(body, "dc1").ok(); }},
      {"catalog_nodes",
       [](std::string* body) { return DecodeNodes(body, "dc1").ok(); }},
      {"catalog_services",
       [](std::string* body) { return DecodeServiceNames(body).ok(); }},
      {"state_any", checks},
      {"node_checks", checks},
      {"gateway_ingress", gateway},
      {"gateway_none", gateway},
      {"queries", [](std::string* body) { return DecodeQueries(body).ok(); }},
      {"datacenters",
       [](std::string* body) { return DecodeDatacenters(body).ok(); }},
      {"agent_self", [](std::string* body) { return DecodeSelf(body).ok(); }},
      {"leader", [](std::string* body) { return DecodeHasLeader(body).ok(); }},
  };
}

TEST(ConsulDecodeErrors, RefusesEveryAnswerThatIsCutOff) {
  for (const RecordedAnswer& answer : RecordedAnswers()) {
    const std::string whole = Recorded(answer.file);
    std::string body = whole;
    EXPECT_TRUE(answer.decode(&body)) << answer.file;
    for (size_t bytes = 0; bytes < whole.size(); ++bytes) {
      body = whole.substr(0, bytes);
      ASSERT_FALSE(answer.decode(&body)) << answer.file << " at " << bytes;
    }
  }
}

// The same document with a line end and indent after every bracket, comma and
// colon outside of strings.
std::string Spaced(const std::string& json) {
  std::string spaced = "\n ";
  bool in_string = false;
  bool escaped = false;
  for (const char c : json) {
    spaced.push_back(c);
    if (c == '"' && !escaped) in_string = !in_string;
    escaped = c == '\\' && !escaped;
    if (!in_string && absl::StrContains("[]{},:", c)) spaced += "\n    ";
  }
  return spaced + " \r\n\n";
}

// As with ?pretty, and as an agent in -dev mode answers.
TEST(ConsulDecodeErrors, SpaceBetweenTokensIsNone) {
  for (const RecordedAnswer& answer : RecordedAnswers()) {
    std::string body = Spaced(Recorded(answer.file));
    EXPECT_TRUE(answer.decode(&body)) << answer.file;
  }
}

}  // namespace
}  // namespace dnsd
