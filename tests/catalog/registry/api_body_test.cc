// The decoders against the recorded answers of Consul 1.8.7, and what the
// decoded values hold.
#include "catalog/registry/api_body.h"

#include <chrono>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/catalog/registry/body_cases.h"

namespace dnsd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ApiBody, SaysWhatConsulSays) {
  const std::vector<testing::BodyCase> cases = testing::BodyCases();
  ASSERT_GT(cases.size(), 250u);
  for (const testing::BodyCase& one : cases) {
    const testing::DecoderAnswer answer =
        testing::AskDecoder(one.kind, one.body);
    EXPECT_EQ(answer.status, one.status) << one.kind << " " << one.body;
    EXPECT_EQ(answer.text, one.text) << one.kind << " " << one.body;
  }
}

// What Consul takes and we cannot keep names the field and the value.
TEST(ApiBody, RefusesWhatItCannotKeep) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"Name":"a","Port":99999})", "Port: 99999 is not between 0 and"},
      {R"({"Name":"a","Port":-1})", "Port: -1 is not between"},
      {R"({"Name":"a","Kind":"bogus"})", "Kind: \"bogus\" is not a kind"},
      {R"({"Name":"a","TaggedAddresses":{"lan":{"Port":70000}}})",
       "TaggedAddresses[lan].Port: 70000"},
      {R"({"Name":"a","Connect":{"SidecarService":{"Kind":"mesh-gateway"}}})",
       "Kind must be connect-proxy"},
  };
  for (const auto& [body, text] : cases) {
    const auto service = DecodeServiceBody(body);
    EXPECT_EQ(service.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(service.status().message()), HasSubstr(text));
  }
  const auto catalog = DecodeCatalogRegistration(
      R"({"Node":"x","Address":"a","Check":{"Name":"c","Status":"odd"}})");
  EXPECT_THAT(std::string(catalog.status().message()), HasSubstr("\"odd\""));
}

TEST(ApiBody, NestingEnds) {
  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  EXPECT_EQ(testing::AskDecoder("service", "{\"Meta\":" + deep + "}").text,
            "Request decode failed: exceeded max depth");
}

TEST(ApiBody, IgnoresUnknownKeysAndLettersCase) {
  const auto service = DecodeServiceBody(
      R"({"NAME":"a","locality":{"x":1},"TAGS":["t"],"enable_tag_override":true,
          "Check":{"script_args":["x"],"interval":"2s","Timeout":5000}})");
  ASSERT_EQ(service.status(), absl::OkStatus());
  EXPECT_EQ(service->instance.name, "a");
  EXPECT_TRUE(service->instance.enable_tag_override);
  ASSERT_EQ(service->checks.size(), 1u);
  EXPECT_THAT(service->checks[0].args, ElementsAre("x"));
  EXPECT_EQ(service->checks[0].interval, std::chrono::seconds(2));
  EXPECT_EQ(service->checks[0].timeout, std::chrono::microseconds(5));
}

TEST(ApiBody, ServiceGetsWhatItLeavesOut) {
  const auto service = DecodeServiceBody(
      R"({"Name":"web","Address":"10.0.0.1","Port":80,
          "Checks":[{"TTL":"1s"},{"HTTP":"http://x","Interval":5}]})");
  ASSERT_EQ(service.status(), absl::OkStatus());
  const ServiceInstance& instance = service->instance;
  EXPECT_EQ(instance.id, "web");
  EXPECT_FALSE(instance.has_meta);
  EXPECT_EQ(instance.tagged_addresses->at("lan_ipv4").port, 80);
  EXPECT_EQ(service->checks[0].id, "service:web:1");
  EXPECT_EQ(service->checks[1].name, "Service 'web' check");
  EXPECT_EQ(service->checks[1].service_id, "web");
  EXPECT_EQ(service->checks[1].method, "GET");
  // Raised to the least.
  EXPECT_EQ(service->checks[1].interval, std::chrono::seconds(1));
}

TEST(ApiBody, GivenWeightsHaveNoDefaults) {
  const auto given =
      DecodeServiceBody(R"({"Name":"a","Weights":{"Passing":4}})");
  ASSERT_EQ(given.status(), absl::OkStatus());
  EXPECT_EQ(given->instance.weights, (Weights{4, 0}));
  const auto none = DecodeServiceBody(R"({"Name":"a"})");
  ASSERT_EQ(none.status(), absl::OkStatus());
  EXPECT_EQ(none->instance.weights, (Weights{1, 1}));
}

TEST(ApiBody, ProxyIsKeptInConsulsOrder) {
  const auto service = DecodeCatalogRegistration(
      R"({"Node":"x","Address":"a","Service":{"Service":"p","Port":5,
          "Kind":"connect-proxy","Proxy":{"Upstreams":[{"LocalBindPort":6,
          "DestinationName":"a","Config":{"z":1,"a":1e30,"b":1.0,"c":1e-7,
          "d":"<"}}],"DestinationServiceName":"s",
          "Expose":{"Checks":true}}}})");
  ASSERT_EQ(service.status(), absl::OkStatus());
  ASSERT_TRUE(service->service.has_value());
  EXPECT_EQ(service->service->mesh->proxy_destination, "s");
  EXPECT_EQ(service->service->mesh->proxy_json,
            R"({"DestinationServiceName":"s","Upstreams":[)"
            R"({"DestinationType":"","DestinationName":"a","Datacenter":"",)"
            R"("LocalBindPort":6,"Config":{"a":1e+30,"b":1,"c":1e-7,)"
            R"("d":"\u003c","z":1},"MeshGateway":{}}],"MeshGateway":{},)"
            R"("Expose":{"Checks":true}})");
}

TEST(ApiBody, CatalogCheckTakesItsTypeFromItsDefinition) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"HTTP":"h","Interval":"1s"})", "http"},
      {R"({"TCP":"h","Interval":"1s"})", "tcp"},
      {R"({"TCP":"h"})", ""},
      {R"({"GRPC":"h","HTTP":"h","Interval":"1s"})", "grpc"},
      {R"({"TTL":"1s"})", "ttl"},
      {R"({"AliasNode":"n"})", "alias"},
      {R"({"ScriptArgs":["x"]})", "script"},
      {R"({"ScriptArgs":["x"],"DockerContainerID":"d","Interval":1})",
       "docker"},
      {"{}", ""},
  };
  for (const auto& [definition, type] : cases) {
    const auto body = DecodeCatalogRegistration(absl::StrCat(
        R"({"Node":"x","Address":"a","Check":{"Name":"c","Definition":)",
        definition, "}}"));
    ASSERT_EQ(body.status(), absl::OkStatus()) << definition;
    EXPECT_EQ(body->checks[0].type, type) << definition;
  }
}

TEST(ApiBody, CatalogDefinitionIsAsGoWritesIt) {
  const auto body = DecodeCatalogRegistration(
      R"({"Node":"x","Address":"a","Check":{"Name":"c","Definition":{
          "Body":"b","Header":{"b":["1"],"a":[]},"HTTP":"h","Timeout":500,
          "Interval":"1.5s","TTL":"9s","OutputMaxSize":5,
          "DeregisterCriticalServiceAfter":"90m","TLSSkipVerify":true}}})");
  ASSERT_EQ(body.status(), absl::OkStatus());
  EXPECT_EQ(body->checks[0].definition_json,
            R"({"Interval":"1.5s","OutputMaxSize":5,"Timeout":"500ns",)"
            R"("DeregisterCriticalServiceAfter":"1h30m0s","HTTP":"h",)"
            R"("TLSSkipVerify":true,"Header":{"a":[],"b":["1"]},)"
            R"("Body":"b","TTL":9000000000})");
}

TEST(ApiBody, NullIsNotGivenAndEmptyIs) {
  const auto none = DecodeCatalogRegistration(
      R"({"Node":"x","Address":"a","NodeMeta":null})");
  const auto empty = DecodeCatalogRegistration(
      R"({"Node":"x","Address":"a","NodeMeta":{},"TaggedAddresses":{}})");
  ASSERT_EQ(none.status(), absl::OkStatus());
  ASSERT_EQ(empty.status(), absl::OkStatus());
  EXPECT_FALSE(none->node.has_meta);
  EXPECT_TRUE(empty->node.has_meta);
  EXPECT_TRUE(empty->node.has_tagged_addresses);
}

}  // namespace
}  // namespace dnsd
