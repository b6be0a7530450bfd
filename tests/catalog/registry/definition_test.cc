#include "catalog/registry/definition.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "catalog/base/hcl.h"
#include "catalog/base/json_read.h"
#include "catalog/registry/fields.h"

namespace dnsd {
namespace {

using std::chrono::nanoseconds;

const Place kWhere{"f", 1, "service"};

Value Parse(const std::string& text, bool hcl = false) {
  absl::StatusOr<Value> value = hcl ? ParseHcl(text) : ParseJson(text);
  EXPECT_TRUE(value.ok()) << text << ": " << value.status();
  return value.ok() ? *value : Value();
}

ServiceDefinition Service(const std::string& json, Problems* problems) {
  return DecodeService(Parse(json), kWhere, problems);
}

std::string Join(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + "\n";
  return all;
}

TEST(Definition, ReadsEveryFieldOfAService) {
  Problems problems;
  const ServiceDefinition service = Service(R"({
    "name": "web", "id": "web-1", "address": "10.0.0.5", "port": 8080,
    "tags": ["v1", "primary"], "meta": {"version": "1.2"}, "token": "t",
    "tagged_addresses": {"lan": {"address": "10.0.0.5", "port": 1},
                         "wan": "198.51.100.1"},
    "weights": {"passing": 10}, "enable_tag_override": true,
    "connect": {"native": true}, "socket_path": "/s", "namespace": "default",
    "locality": {"region": "r", "zone": "z"},
    "check": {"ttl": "10s"}
  })",
                                            &problems);
  EXPECT_EQ(Join(problems.errors()) + Join(problems.warnings()), "");
  const ServiceInstance& instance = service.instance;
  EXPECT_EQ(instance.name, "web");
  EXPECT_EQ(instance.id, "web-1");
  EXPECT_EQ(instance.address, "10.0.0.5");
  EXPECT_EQ(instance.port, 8080);
  EXPECT_EQ(instance.tags, (std::vector<std::string>{"v1", "primary"}));
  EXPECT_EQ(instance.meta->at("version"), "1.2");
  EXPECT_EQ(instance.tagged_addresses->at("lan"),
            (TaggedAddress{"10.0.0.5", 1}));
  EXPECT_EQ(instance.tagged_addresses->at("wan"),
            (TaggedAddress{"198.51.100.1", 0}));
  EXPECT_EQ(instance.weights, (Weights{10, 1}));
  EXPECT_TRUE(instance.enable_tag_override);
  EXPECT_TRUE(instance.connect_native);
  EXPECT_EQ(service.token, "t");
  ASSERT_EQ(service.checks.size(), 1u);
  EXPECT_EQ(service.checks[0].id, "service:web-1");
  EXPECT_EQ(service.checks[0].name, "Service 'web' check");
  EXPECT_EQ(service.checks[0].service_id, "web-1");
}

// The same definition in HCL, where every object is a list of one.
TEST(Definition, ReadsHclAsJson) {
  const Value document = Parse(R"(
    name = "web"
    meta { a = "1" }
    tagged_addresses { lan { address = "10.0.0.1" port = 2 } }
    weights = { passing = 3, warning = 0 }
    check { http = "http://h/" interval = "5s" header { X = ["a", "b"] } }
    checks = [{ ttl = "1m" }]
    connect { sidecar_service { port = 20000 } }
  )",
                               true);
  Problems problems;
  const ServiceDefinition service = DecodeService(document, kWhere, &problems);
  EXPECT_EQ(Join(problems.errors()), "");
  EXPECT_EQ(service.instance.meta->at("a"), "1");
  EXPECT_EQ(service.instance.tagged_addresses->at("lan"),
            (TaggedAddress{"10.0.0.1", 2}));
  EXPECT_EQ(service.instance.weights, (Weights{3, 0}));
  ASSERT_EQ(service.checks.size(), 2u);
  EXPECT_EQ(service.checks[0].id, "service:web:1");
  EXPECT_EQ(service.checks[0].header.at("X"),
            (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(service.checks[1].id, "service:web:2");
  ASSERT_EQ(service.sidecars.size(), 1u);
  EXPECT_EQ(service.sidecars[0].instance.port, 20000);
}

TEST(Definition, KnowsKinds) {
  struct Case {
    const char* text;
    ServiceKind kind;
  };
  const Case cases[] = {
      {"", ServiceKind::kTypical},
      {"connect-proxy", ServiceKind::kConnectProxy},
      {"mesh-gateway", ServiceKind::kMeshGateway},
      {"terminating-gateway", ServiceKind::kTerminatingGateway},
      {"ingress-gateway", ServiceKind::kIngressGateway},
      {"api-gateway", ServiceKind::kApiGateway},
  };
  for (const Case& c : cases) {
    Problems problems;
    const ServiceDefinition service = Service(
        R"({"name":"p","port":1,"proxy":{"destination_service_name":"web"},)"
        R"("kind":")" +
            std::string(c.text) + R"("})",
        &problems);
    EXPECT_EQ(Join(problems.errors()), "");
    EXPECT_EQ(service.instance.kind, c.kind) << c.text;
    EXPECT_EQ(service.instance.mesh->proxy_destination,
              c.kind == ServiceKind::kConnectProxy ? "web" : "");
  }
}

TEST(Definition, ReportsWhatIsWrongWithAService) {
  struct Case {
    const char* json;
    const char* error;  // all of them
  };
  const Case cases[] = {
      {R"({})", "f:1: service: a service needs a name\n"},
      {R"(["x", "y"])", "f:1: service: must be one map, not a list of 2\n"},
      {R"({"name":"a","port":70000})",
       "f:1: service.port: 70000 is not between 0 and 65535\n"},
      {R"({"name":"a","port":"80"})",
       "f:1: service.port: must be a whole number, not \"80\"\n"},
      {R"({"name":"a","port":1.5})",
       "f:1: service.port: must be a whole number, not 1.5\n"},
      {R"({"name":"a","address":"10.0.0.256"})",
       "f:1: service.address: \"10.0.0.256\" is not an IP address or DNS "
       "name\n"},
      {R"({"name":"a","address":"a b"})",
       "f:1: service.address: \"a b\" is not an IP address or DNS name\n"},
      {R"({"name":"a","tags":["x",1]})",
       "f:1: service.tags[1]: must be a string, not 1\n"},
      {R"({"name":"a","meta":{"consul-x":"y"}})",
       "f:1: service.meta: \"consul-x\": the key prefix \"consul-\" is "
       "reserved\n"},
      {R"({"name":"a","weights":{"passing":0}})",
       "f:1: service.weights.passing: 0 is not between 1 and 65535\n"},
      {R"({"name":"a","kind":"proxy"})",
       "f:1: service.kind: \"proxy\" is not connect-proxy, mesh-gateway, "
       "terminating-gateway, ingress-gateway or api-gateway\n"},
      {R"({"name":"a","kind":"connect-proxy"})",
       "f:1: service: a connect-proxy needs proxy.destination_service_name\n"
       "f:1: service: a connect-proxy needs a port\n"},
      {R"({"name":"a","foo":1,"adress":"x"})",
       "f:1: service.foo: invalid config key service.foo\n"
       "f:1: service.adress: invalid config key service.adress, did you mean "
       "address?\n"},
      {R"({"name":"a","port":1,"ports":[{"name":"x","port":2}]})",
       "f:1: service.ports: port and ports cannot both be given\n"},
      {R"({"name":"a","connect":{"sidecar_service":{"id":"x"}}})",
       "f:1: service.connect.sidecar_service.id: a sidecar_service gets its "
       "id from its service\n"},
      {R"({"name":"a","connect":{"sidecar_service":
           {"connect":{"sidecar_service":{}}}}})",
       "f:2: service.connect.sidecar_service.connect.sidecar_service: a "
       "sidecar_service cannot have a sidecar_service\n"},
  };
  for (const Case& c : cases) {
    Problems problems;
    (void)Service(c.json, &problems);
    EXPECT_EQ(Join(problems.errors()), c.error) << c.json;
  }
}

TEST(Definition, WarnsOfWhatIsOnlyDoubtful) {
  struct Case {
    const char* json;
    const char* warning;
  };
  const Case cases[] = {
      {R"({"name":"a_b"})",
       "f:1: service.name: Service name \"a_b\" will not be discoverable via "
       "DNS due to invalid characters. Valid characters include all "
       "alpha-numerics and dashes\n"},
      {R"({"name":"a","address":"0.0.0.0"})",
       "f:1: service.address: \"0.0.0.0\" is of no use to a client\n"},
      {R"({"name":"a","namespace":"team"})",
       "f:1: service.namespace: \"team\" is ignored, there is one tenant "
       "here\n"},
      {R"({"name":"a","name":"b"})",
       "f:1: service.name: given before on line 1; the last one counts\n"},
      {R"({"name":"a","ports":[{"name":"x","port":2}]})",
       "f:1: service.ports: named ports are not served, only the default one "
       "is\n"},
  };
  for (const Case& c : cases) {
    Problems problems;
    (void)Service(c.json, &problems);
    EXPECT_EQ(Join(problems.errors()), "") << c.json;
    EXPECT_EQ(Join(problems.warnings()), c.warning) << c.json;
  }
  Problems problems;
  (void)Service("{\"name\":\"" + std::string(64, 'a') + "\"}", &problems);
  ASSERT_EQ(problems.warnings().size(), 1u);
  EXPECT_NE(problems.warnings()[0].find("too long"), std::string::npos);
}

TEST(Definition, TakesTheDefaultOfNamedPorts) {
  Problems problems;
  const ServiceDefinition service = Service(
      R"({"name":"a","ports":[{"name":"x","port":2},
          {"name":"y","port":3,"default":true},{"name":"z","port":4}]})",
      &problems);
  EXPECT_EQ(service.instance.port, 3);
}

TEST(Definition, LimitsMeta) {
  std::string many;
  for (int i = 0; i < 65; ++i) {
    many +=
        std::string(i == 0 ? "" : ",") + "\"k" + std::to_string(i) + "\":\"v\"";
  }
  struct Case {
    std::string meta;
    const char* error;
  };
  const Case cases[] = {
      {many, "65 pairs are more than 64"},
      {"\"" + std::string(129, 'k') + "\":\"v\"", "longer than 128 bytes"},
      {"\"k\":\"" + std::string(513, 'v') + "\"", "longer than 512 bytes"},
      {"\"\":\"v\"", "the key is empty"},
  };
  for (const Case& c : cases) {
    Problems problems;
    (void)Service("{\"name\":\"a\",\"meta\":{" + c.meta + "}}", &problems);
    ASSERT_EQ(problems.errors().size(), 1u) << c.error;
    EXPECT_NE(problems.errors()[0].find(c.error), std::string::npos)
        << problems.errors()[0];
  }
}

// Consul matches keys without case and has five aliases; a CamelCase key that
// is none of them is unknown.
TEST(Definition, MatchesKeysAsConsulDoes) {
  Problems problems;
  const ServiceDefinition service = Service(
      R"({"Name":"a","ID":"i","CHECK":{"ScriptArgs":["x"],"Interval":"10s",
          "TLSSkipVerify":true,"ServiceID":"s","check_id":"c",
          "DeregisterCriticalServiceAfter":"90m"}})",
      &problems);
  EXPECT_EQ(Join(problems.errors()), "");
  EXPECT_EQ(service.instance.id, "i");
  ASSERT_EQ(service.checks.size(), 1u);
  EXPECT_EQ(service.checks[0].id, "c");
  EXPECT_EQ(service.checks[0].args, std::vector<std::string>{"x"});
  EXPECT_TRUE(service.checks[0].tls_skip_verify);

  (void)Service(R"({"name":"a","EnableTagOverride":true})", &problems);
  EXPECT_EQ(Join(problems.errors()),
            "f:1: service.EnableTagOverride: invalid config key "
            "service.EnableTagOverride, did you mean enable_tag_override?\n");
}

TEST(Definition, ReadsEveryFieldOfACheck) {
  const Value value = Parse(R"({
    "id": "i", "name": "n", "notes": "o", "service_id": "s", "token": "t",
    "status": "warning", "http": "https://h:1/", "method": "PUT",
    "header": {"A": ["b"]}, "body": "x", "disable_redirects": true,
    "tls_server_name": "h", "tls_skip_verify": true, "interval": "2m",
    "timeout": 1500000000, "success_before_passing": 2,
    "failures_before_warning": 1, "failures_before_critical": 3,
    "deregister_critical_service_after": "90m", "output_max_size": 100})");
  Problems problems;
  const CheckDefinition check = DecodeCheck(value, kWhere, &problems);
  EXPECT_EQ(Join(problems.errors()) + Join(problems.warnings()), "");
  EXPECT_EQ(check.id + check.name + check.notes + check.service_id +
                check.token + check.method + check.body,
            "inostPUTx");
  EXPECT_EQ(check.status, HealthStatus::kWarning);
  EXPECT_EQ(check.header.at("A"), std::vector<std::string>{"b"});
  EXPECT_TRUE(check.disable_redirects);
  EXPECT_TRUE(check.tls_skip_verify);
  EXPECT_EQ(check.tls_server_name, "h");
  EXPECT_EQ(check.interval, std::chrono::minutes(2));
  EXPECT_EQ(check.timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(check.success_before_passing, 2);
  EXPECT_EQ(check.failures_before_warning, 1);
  EXPECT_EQ(check.failures_before_critical, 3);
  EXPECT_EQ(check.deregister_critical_service_after, std::chrono::minutes(90));
  EXPECT_EQ(check.output_max_size, 100);
}

TEST(Definition, AcceptsEachKindOfCheck) {
  for (const char* json : {
           R"({"http":"http://h/","interval":"1s"})",
           R"({"tcp":"h:1","tcp_use_tls":true,"interval":"1s"})",
           R"({"udp":"h:1","interval":"1s"})",
           R"({"grpc":"h:1/s","grpc_use_tls":true,"interval":"1s"})",
           R"({"h2ping":"h:1","h2ping_use_tls":false,"interval":"1s"})",
           R"({"args":["x"],"interval":"1s"})",
           R"({"docker_container_id":"c","shell":"sh","args":["x"],
               "interval":"1s"})",
           R"({"os_service":"x","interval":"1s"})",
           R"({"alias_service":"x"})",
           R"({"alias_node":"n"})",
           R"({"alias_node":"n","alias_service":"x"})",
           R"({"ttl":"30s"})",
       }) {
    Problems problems;
    (void)DecodeCheck(Parse(json), kWhere, &problems);
    EXPECT_EQ(Join(problems.errors()) + Join(problems.warnings()), "") << json;
  }
}

TEST(Definition, ReportsWhatIsWrongWithACheck) {
  struct Case {
    const char* json;
    const char* error;  // a part of the only one
  };
  const Case cases[] = {
      {R"({})", "needs one of http"},
      {R"({"http":"http://h/"})", "with http needs an interval"},
      {R"({"http":"http://h/","interval":"0s"})", "needs an interval"},
      {R"({"http":"http://h/","tcp":"h:1","interval":"1s"})",
       "a check has one kind, not http, tcp"},
      {R"({"ttl":"1s","interval":"1s"})", "interval and ttl cannot both"},
      {R"({"alias_service":"x","interval":"1s"})",
       "an alias check cannot have an interval"},
      {R"({"alias_service":"x","ttl":"1s"})",
       "a check has one kind, not alias_service, ttl"},
      {R"({"docker_container_id":"c","interval":"1s"})", "needs args"},
      {R"({"http":"h","interval":"1s"})", "is not an http:// or https:// URL"},
      {R"({"tcp":"h","interval":"1s"})", "\"h\" is not host:port"},
      {R"({"ttl":"10"})", "invalid duration: \"10\" has no unit"},
      {R"({"ttl":""})", "invalid duration: \"\""},
      {R"({"ttl":"-1s"})", "\"-1s\" is negative"},
      {R"({"ttl":"1s","timeout":true})",
       "a duration such as \"10s\", not true"},
      {R"({"ttl":"1s","status":"ok"})",
       "\"ok\" is not passing, warning or critical"},
      {R"({"ttl":"1s","failures_before_warning":2})",
       "2 is more than failures_before_critical, 0"},
      {R"({"ttl":"1s","success_before_passing":-1})", "-1 is not between 0"},
      {R"({"ttl":"1s","output_max_size":0})", "0 is not between 1"},
      {R"({"ttl":"1s","header":{"a":"b"}})",
       "service.header[a]: must be a list of strings, not \"b\""},
      {R"({"ttl":"1s","tttl":"1s"})", "did you mean ttl?"},
      {R"({"args":"x","interval":"1s"})", "must be a list of strings"},
  };
  for (const Case& c : cases) {
    Problems problems;
    (void)DecodeCheck(Parse(c.json), kWhere, &problems);
    ASSERT_EQ(problems.errors().size(), 1u)
        << c.json << ": " << Join(problems.errors());
    EXPECT_NE(problems.errors()[0].find(c.error), std::string::npos)
        << c.json << ": " << problems.errors()[0];
  }
}

TEST(Definition, RaisesTimesThatAreTooShort) {
  Problems problems;
  const CheckDefinition check =
      DecodeCheck(Parse(R"({"tcp":"h:1","interval":"1ms",
                "deregister_critical_service_after":"1s"})"),
                  kWhere, &problems);
  EXPECT_EQ(problems.warnings().size(), 2u);
  EXPECT_EQ(check.interval, std::chrono::seconds(1));
  EXPECT_EQ(check.deregister_critical_service_after, std::chrono::minutes(1));
}

TEST(Definition, DefaultsFollowConsul) {
  Problems problems;
  const CheckDefinition check =
      DecodeCheck(Parse(R"({"http":"http://h/","interval":"1s",
                "failures_before_critical":3})"),
                  kWhere, &problems);
  EXPECT_EQ(check.status, HealthStatus::kCritical);
  EXPECT_EQ(check.method, "GET");
  EXPECT_EQ(check.failures_before_warning, 3);
  EXPECT_EQ(check.output_max_size, 4096);
  EXPECT_TRUE(check.h2ping_use_tls);
  EXPECT_EQ(check.timeout.count(), 0);
}

TEST(Definition, IgnoresAnEmptyCheckBlock) {
  Problems problems;
  EXPECT_TRUE(Service(R"({"name":"a","check":{}})", &problems).checks.empty());
  EXPECT_TRUE(Service(R"({"name":"a","check":null,"port":null})", &problems)
                  .checks.empty());
  EXPECT_EQ(Join(problems.errors()), "");
}

TEST(GoDuration, ReadsWhatGoReads) {
  struct Case {
    const char* text;
    int64_t nanoseconds;
  };
  const Case cases[] = {
      {"0", 0},
      {"+0", 0},
      {"5s", 5'000'000'000},
      {"+5s", 5'000'000'000},
      {"-5ms", -5'000'000},
      {"1h30m", 5'400'000'000'000},
      {"1.5h", 5'400'000'000'000},
      {".5s", 500'000'000},
      {"5.s", 5'000'000'000},
      {"1.004s", 1'004'000'000},
      {"100ns", 100},
      {"3us", 3'000},
      {"3\xc2\xb5s", 3'000},
      {"3\xce\xbcs", 3'000},
      {"1m1m", 120'000'000'000},
      {"3h0.5s1ms", 10'800'501'000'000},
      {"1500", 1500},
      {"-1500", -1500},
      {"9223372036854775807ns", std::numeric_limits<int64_t>::max()},
      {"-9223372036854775808ns", std::numeric_limits<int64_t>::min()},
      {"2540400h10m10s", 9'145'440'610'000'000'000},
  };
  for (const Case& c : cases) {
    nanoseconds duration{-77};
    EXPECT_TRUE(ParseGoDuration(c.text, &duration)) << c.text;
    EXPECT_EQ(duration.count(), c.nanoseconds) << c.text;
  }
}

TEST(GoDuration, RejectsWhatGoRejects) {
  for (const char* text : {"",
                           "s",
                           "-",
                           "+",
                           ".",
                           ".s",
                           "+.s",
                           "1x",
                           "1s1",
                           "1 s",
                           " 1s",
                           "1s ",
                           "1d",
                           "--1s",
                           "1..5s",
                           "1e3s",
                           "3000000h",
                           "9223372036854775808ns",
                           "9223372036854775807s",
                           "10 ",
                           "1S"}) {
    nanoseconds duration{0};
    EXPECT_FALSE(ParseGoDuration(text, &duration)) << text;
  }
}

TEST(NearestName, SuggestsOnlyWhatIsNear) {
  const char* const names[] = {"dns", "http", "node_name", "node_ttl"};
  EXPECT_EQ(NearestName("dsn", names), "dns");
  EXPECT_EQ(NearestName("Node_Nam", names), "node_name");
  EXPECT_EQ(NearestName("nodettl", names), "node_ttl");
  EXPECT_EQ(NearestName("abc", names), "");
  EXPECT_EQ(NearestName("", names), "");
  EXPECT_EQ(NearestName(std::string(1000, 'n'), names), "");
}

}  // namespace
}  // namespace dnsd
