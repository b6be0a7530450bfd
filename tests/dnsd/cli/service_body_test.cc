// What consul 1.8.7 sends for the same definitions, but for the members that
// it adds with nothing in them, and for `args`, which it loses.
#include "dnsd/cli/service_body.h"

#include <string>

#include "catalog/base/hcl.h"
#include "catalog/base/json_read.h"
#include "dnsd/cli/json_text.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

std::string BodyOf(const Value& document) {
  std::string text;
  for (const Value& service : ServicesOfDocument(document)) {
    text += JsonText(ServiceBody(service), JsonLayout::kCompact);
  }
  return text;
}

TEST(ServiceBody, HasConsulsKeys) {
  const struct {
    const char* hcl;
    const char* body;
  } cases[] = {
      {R"(service { name = "a" })", R"({"Name":"a"})"},
      {R"(service { name = "a" id = "i" port = 0x10 tags = ["t"]
            enable_tag_override = true meta { my_key = "v" }
            address = "1.2.3.4" weights { passing = 3 warning = 2 }
            tagged_addresses { lan { address = "1.1.1.1" port = 5 } } })",
       R"({"ID":"i","Name":"a","Tags":["t"],"Port":16,"Address":"1.2.3.4",)"
       R"("TaggedAddresses":{"lan":{"Address":"1.1.1.1","Port":5}},)"
       R"("EnableTagOverride":true,"Meta":{"my_key":"v"},)"
       R"("Weights":{"Passing":3,"Warning":2}})"},
      {R"(service { name = "a" check { ttl = "10s" name = "n" } })",
       R"({"Name":"a","Checks":[{"Name":"n","TTL":"10s"}]})"},
      {R"(service { name = "a" check { http = "http://h/" interval = "1h"
            header { A = ["b"] } id = "cc" tls_skip_verify = true
            deregister_critical_service_after = "2h" }
            checks = [{ args = ["a", "b"] interval = 1000000000 }] })",
       R"({"Name":"a","Checks":[{"CheckID":"cc","Interval":"1h",)"
       R"("HTTP":"http://h/","Header":{"A":["b"]},"TLSSkipVerify":true,)"
       R"("DeregisterCriticalServiceAfter":"2h"},)"
       R"({"Args":["a","b"],"Interval":"1000000000ns"}]})"},
      {R"(service { name = "p" kind = "connect-proxy" port = 3
            proxy { destination_service_name = "web"
              config { k { x_y = 1 } }
              upstreams { destination_name = "db" local_bind_port = 12 } } })",
       R"({"Kind":"connect-proxy","Name":"p","Port":3,"Proxy":{)"
       R"("DestinationServiceName":"web","Config":{"k":{"x_y":1}},)"
       R"("Upstreams":[{"DestinationName":"db","LocalBindPort":12}]}})"},
      {R"(service { name = "a" connect { sidecar_service {
            port = 1 check { ttl = "3s" } } } })",
       R"({"Name":"a","Connect":{"SidecarService":{"Port":1,)"
       R"("Checks":[{"TTL":"3s"}]}}})"},
      {R"(services { name = "b" } services { name = "c" }
          service { name = "a" })",
       R"({"Name":"a"}{"Name":"b"}{"Name":"c"})"},
  };
  for (const auto& c : cases) {
    const auto document = ParseHcl(c.hcl);
    ASSERT_TRUE(document.ok()) << document.status();
    EXPECT_EQ(BodyOf(*document), c.body) << c.hcl;
  }
}

TEST(ServiceBody, TakesJsonWithoutCase) {
  const auto document = ParseJson(
      R"({"Service":{"Name":"a","EnableTagOverride":true,"ID":null,
          "check":{},"checks":[{"ScriptArgs":["x"],"check_id":"c"}]}})");
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(BodyOf(*document), R"({"Name":"a","EnableTagOverride":true,)"
                               R"("Checks":[{"CheckID":"c","Args":["x"]}]})");
}

}  // namespace
}  // namespace dnsd
