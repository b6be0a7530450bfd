// The reading half of the HTTP API beside a real Consul 1.8.7: the same
// catalog in both, the same requests to both, answers compared byte by byte.
// Compared are status, the names of the headers as spelled, their values, and
// the body; masked are indexes and the date. Two things are ours: our server's
// X-Content-Type-Options, and ?cached, which is always a HIT of age 0 here.
#include <algorithm>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "catalog/base/json_write.h"
#include "catalog/consul/consul_decode.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/api_fixture.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/http_wire.h"

namespace dnsd {
namespace {

using testing::ConsulApi;
using testing::ConsulProcess;
using testing::HttpWire;

// One registration, as Consul takes it and as the catalog has it.
struct Registered {
  std::string json;  // of PUT /v1/catalog/register
  std::vector<Change> changes;
};

Registered Bare() {
  return {R"({"Node":"bare","Address":"10.0.0.1"})",
          {NodeIs("bare", "10.0.0.1")}};
}

// Everything that may be empty is, but not null.
Registered EmptyMaps() {
  UpsertNode node = NodeIs("empty", "10.0.0.2");
  node.node.has_meta = node.node.has_tagged_addresses = true;
  UpsertInstance web = InstanceIs("empty", "web1", "web", 8081);
  web.instance.address = "10.1.1.1";
  web.instance.has_meta = true;
  return {R"({"Node":"empty","Address":"10.0.0.2","NodeMeta":{},)"
          R"("TaggedAddresses":{},"Service":{"ID":"web1","Service":"web",)"
          R"("Address":"10.1.1.1","Port":8081,"Tags":[],"Meta":{},)"
          R"("TaggedAddresses":{}}})",
          {node, web}};
}

Registered Full() {
  UpsertNode node = NodeIs("Full", "10.0.0.3", {{"k", "v"}, {"a=b", "<&>'`"}});
  node.node.id = "11111111-2222-3333-4444-555555555555";
  node.node.tagged_addresses = {{"lan", "10.0.0.3"}, {"wan", "192.0.2.3"}};
  node.node.has_tagged_addresses = true;
  UpsertInstance web =
      InstanceIs("Full", "web1", "web", 8080, {"Primary", "v1.x"});
  web.instance.meta = {{"version", "1"}, {"note", "caf\xC3\xA9 \"x\"\n"}};
  web.instance.has_meta = true;
  web.instance.weights = {10, 0};
  web.instance.enable_tag_override = true;
  web.instance.tagged_addresses = {{"lan", {"10.0.0.33", 80}},
                                   {"wan", {"192.0.2.33", 0}}};
  UpsertCheck check =
      CheckIs("Full", "c-web", "web1", HealthStatus::kWarning, "<out>\tx");
  check.check.name = "Web's";
  check.check.notes = "notes & more";
  check.check.type = "http";
  check.check.definition_json =
      R"({"Interval":"10s","Timeout":"1s","HTTP":"http://x/?a=1\u0026b=2"})";
  UpsertCheck own = CheckIs("Full", "a-node", "", HealthStatus::kPassing);
  UpsertCheck more = CheckIs("Full", "b-web", "web1", HealthStatus::kPassing);
  return {
      R"({"Node":"Full","ID":"11111111-2222-3333-4444-555555555555",)"
      R"("Address":"10.0.0.3","NodeMeta":{"k":"v","a=b":"<&>'`"},)"
      R"("TaggedAddresses":{"lan":"10.0.0.3","wan":"192.0.2.3"},"Service":{)"
      R"("ID":"web1","Service":"web","Port":8080,"Tags":["Primary","v1.x"],)"
      R"("Meta":{"version":"1","note":"café \"x\"\n"},"Weights":{)"
      R"("Passing":10,"Warning":0},"EnableTagOverride":true,)"
      R"("TaggedAddresses":{"lan":{"Address":"10.0.0.33","Port":80},)"
      R"("wan":{"Address":"192.0.2.33"}}},"Checks":[{"CheckID":"c-web",)"
      R"("Name":"Web's","Status":"warning","ServiceID":"web1","Notes":)"
      R"("notes & more","Output":"<out>\tx","Definition":{"HTTP":)"
      R"("http://x/?a=1&b=2","Interval":"10s","Timeout":"1s"}},)"
      R"({"CheckID":"a-node","Name":"a-node","Status":"passing"},)"
      R"({"CheckID":"b-web","Name":"b-web","Status":"passing",)"
      R"("ServiceID":"web1"}]})",
      {node, web, check, own, more}};
}

Registered Mesh() {
  UpsertInstance proxy = InstanceIs("mesh", "p1", "web-proxy", 21000, {"p"});
  proxy.instance.kind = ServiceKind::kConnectProxy;
  proxy.instance.mesh.Edit().proxy_destination = "web";
  return {R"({"Node":"mesh","Address":"10.0.0.4","Service":{"Kind":)"
          R"("connect-proxy","ID":"p1","Service":"web-proxy","Port":21000,)"
          R"("Tags":["p"],"Proxy":{"DestinationServiceName":"web"}},"Check":{)"
          R"("CheckID":"p-alive","Name":"p-alive","Status":"critical",)"
          R"("ServiceID":"p1"}})",
          {NodeIs("mesh", "10.0.0.4"), proxy,
           CheckIs("mesh", "p-alive", "p1", HealthStatus::kCritical)}};
}

Registered Native() {
  UpsertInstance native = InstanceIs("mesh", "n1", "Native", 1);
  native.instance.connect_native = true;
  return {R"({"Node":"mesh","Address":"10.0.0.4","SkipNodeUpdate":true,)"
          R"("Service":{"ID":"n1","Service":"Native","Port":1,"Connect":{)"
          R"("Native":true}}})",
          {native}};
}

Registered Gateway() {
  UpsertInstance gateway = InstanceIs("mesh", "term-gw", "term-gw", 2);
  gateway.instance.kind = ServiceKind::kTerminatingGateway;
  gateway.instance.mesh.Edit().gateway_services = {"legacy", "web"};
  return {R"({"Node":"mesh","Address":"10.0.0.4","SkipNodeUpdate":true,)"
          R"("Service":{"Kind":"terminating-gateway","ID":"term-gw",)"
          R"("Service":"term-gw","Port":2}})",
          {gateway}};
}

Registered Ingress() {
  UpsertInstance gateway = InstanceIs("mesh", "in-gw", "in-gw", 3);
  gateway.instance.kind = ServiceKind::kIngressGateway;
  gateway.instance.mesh.Edit().gateway_services = {"db"};
  return {R"({"Node":"mesh","Address":"10.0.0.4","SkipNodeUpdate":true,)"
          R"("Service":{"Kind":"ingress-gateway","ID":"in-gw",)"
          R"("Service":"in-gw","Port":3}})",
          {gateway}};
}

// Of a service that is registered by another system: there are two of it on one
// node.
Registered External(const std::string& id, const std::string& tag,
                    const std::string& source) {
  UpsertInstance instance = InstanceIs("full", id, "ext", 4, {tag, "a"});
  instance.instance.meta = {{"external-source", source}};
  instance.instance.has_meta = true;
  return {absl::StrCat(
              R"({"Node":"full","Address":"10.0.0.3","SkipNodeUpdate":true,)",
              R"("Service":{"ID":")", id, R"(","Service":"ext","Port":4,)",
              R"("Tags":[")", tag, R"(","a"],"Meta":{"external-source":")",
              source, R"("}}})"),
          {instance}};
}

std::vector<Registered> All() {
  return {Bare(),
          EmptyMaps(),
          Full(),
          Mesh(),
          Native(),
          Gateway(),
          Ingress(),
          External("x1", "z", "nomad"),
          External("x0", "q", "k8s")};
}

// Names that are asked for, each with several parameters.
std::vector<std::string> Requests() {
  std::vector<std::string> out = {"/v1/catalog/datacenters",
                                  "/v1/catalog/datacenters?dc=dc9",
                                  "/v1/catalog/datacenters?cached",
                                  "/v1/status/leader?dc=dc9",
                                  "/v1/status/peers?dc=dc9",
                                  "/v1/internal/ui/node/none",
                                  "/v1/internal/ui/node/",
                                  "/v1/catalog/nodes/",
                                  "/v1/health/nope",
                                  "/v1/catalog/service/WEB",
                                  "/v1/catalog/node/FULL",
                                  "/v1/health/service/Web?passing",
                                  "/v1/health/service/web?passing=x",
                                  "/v1/health/service/web?passing=false",
                                  "/v1/health/service/web?passing=",
                                  "/v1/health/service/web?passing=T",
                                  "/v1/health/connect/web?passing",
                                  "/v1/health/state/bogus",
                                  "/v1/health/state/Critical",
                                  "/v1/health/state/unknown"};
  const std::vector<std::string> paths = {
      "/v1/catalog/nodes",
      "/v1/catalog/services",
      "/v1/catalog/service/web",
      "/v1/catalog/service/none",
      "/v1/catalog/service/",
      "/v1/catalog/service/native",
      "/v1/catalog/connect/web",
      "/v1/catalog/connect/native",
      "/v1/catalog/connect/",
      "/v1/catalog/node/bare",
      "/v1/catalog/node/full",
      "/v1/catalog/node/mesh",
      "/v1/catalog/node/none",
      "/v1/catalog/node/",
      "/v1/catalog/node-services/full",
      "/v1/catalog/node-services/none",
      "/v1/catalog/node-services/",
      "/v1/catalog/gateway-services/term-gw",
      "/v1/catalog/gateway-services/web",
      "/v1/catalog/gateway-services/none",
      "/v1/catalog/gateway-services/",
      "/v1/health/service/web",
      "/v1/health/service/a%2Fb",
      "/v1/health/service/none",
      "/v1/health/service/",
      "/v1/health/connect/web",
      "/v1/health/connect/",
      "/v1/health/ingress/db",
      "/v1/health/ingress/web",
      "/v1/health/ingress/",
      "/v1/health/checks/web",
      "/v1/health/checks/none",
      "/v1/health/checks/",
      "/v1/health/node/full",
      "/v1/health/node/none",
      "/v1/health/node/",
      "/v1/health/state/any",
      "/v1/health/state/passing",
      "/v1/health/state/critical",
      "/v1/health/state/",
      "/v1/internal/ui/nodes",
      "/v1/internal/ui/node/full",
      "/v1/internal/ui/services",
      "/v1/status/leader",
      "/v1/status/peers",
  };
  const std::vector<std::string> parameters = {
      "",
      "?pretty",
      "?pretty=false",
      "?stale",
      "?stale=false",
      "?consistent=",
      "?stale&consistent",
      "?consistent&cached",
      "?cached",
      "?leader",
      "?max_stale=1s",
      "?max_stale=x",
      "?dc=dc1",
      "?dc=",
      "?dc=dc9",
      "?dc=DC1",
      "?index=abc",
      "?index=-1",
      "?index=",
      "?index=0&wait=10s",
      "?index=1&wait=1s",
      "?wait=1",
      "?wait=0",
      "?wait=x&index=y",
      "?wait=-1s&index=0",
      "?near=nowhere",
      "?node-meta=k:v",
      "?node-meta=k:v&node-meta=a%3Db:x",
      "?node-meta=k",
      "?tag=primary",
      "?tag=PRIMARY&tag=V1.X",
      "?tag=primary&tag=other",
      "?tag=",
      "?token=secret",
      "?ns=foo",
      "?ns=",
  };
  for (const std::string& path : paths) {
    for (const std::string& more : parameters) out.push_back(path + more);
  }
  return out;
}

// Consul 1.8.7 answers these with the service itself instead of the gateways
// before it, with or without them: a mistake that nobody relies on.
bool IsConsulsMistake(const std::string& target) {
  return absl::StartsWith(target, "/v1/health/ingress/") &&
         (absl::StrContains(target, "cached") ||
          absl::StrContains(target, "tag="));
}

// Where we differ, and know it: parameters that status does not look at are
// judged all the same, node-meta filters the checks of a node too, ns is
// refused everywhere, and the API for Consul's own user interface shows nodes
// in the catalog's order.
bool IsKnownDifference(const std::string& target) {
  return absl::StartsWith(target, "/v1/status/") ||
         absl::StartsWith(target, "/v1/internal/ui/nodes") ||
         absl::StartsWith(target, "/v1/health/node/full?node-meta=k") ||
         target == "/v1/catalog/nodes?ns=foo" || target == "/v1/health/nope" ||
         target == "/v1/catalog/nodes/";
}

struct Answer {
  std::string status;
  std::map<std::string, std::string> headers;
  std::string body;
};

Answer Get(uint16_t port, const std::string& target) {
  HttpWire wire(port);
  wire.Get(target);
  wire.ReadAnswer();
  Answer answer;
  answer.body = wire.body();
  for (const absl::string_view line : absl::StrSplit(wire.head(), "\r\n")) {
    if (line.empty()) continue;
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(line, absl::MaxSplits(": ", 1));
    if (answer.status.empty()) {
      answer.status = std::string(line);
    } else {
      answer.headers.insert(parts);
    }
  }
  return answer;
}

// Consul writes the union of a service's tags in any order.
std::string SortTags(const std::string& body) {
  std::string out;
  size_t at = 0;
  static const std::regex list(R"(\[([^\[\]{}]*)\])");
  for (std::sregex_iterator it(body.begin(), body.end(), list), end; it != end;
       ++it) {
    std::vector<std::string> items = absl::StrSplit(std::string((*it)[1]), ',');
    for (std::string& item : items) {
      item = std::string(absl::StripAsciiWhitespace(item));
    }
    std::sort(items.begin(), items.end());
    const auto from = static_cast<size_t>(it->position());
    absl::StrAppend(&out, body.substr(at, from - at), "[",
                    absl::StrJoin(items, ","), "]");
    at = from + static_cast<size_t>(it->length());
  }
  return out + body.substr(at);
}

std::string Masked(const Answer& answer, bool sort_tags) {
  static const std::regex index(R"("(Create|Modify)Index":( ?)\d+)");
  std::string out = answer.status + "\n";
  for (const auto& [name, value] : answer.headers) {
    if (name == "Date" || name == "Content-Length" ||
        name == "Transfer-Encoding" || name == "X-Content-Type-Options" ||
        name == "Age") {
      continue;
    }
    const bool masked = name == "X-Cache" || name == "X-Consul-Index";
    absl::StrAppend(&out, name, ": ", masked ? "*" : value, "\n");
  }
  const std::string body =
      std::regex_replace(answer.body, index, "\"$1Index\":$2*");
  return out + (sort_tags ? SortTags(body) : body);
}

class ApiDiff : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto binary = testing::ConsulBinary();
    if (!binary) GTEST_SKIP() << "no Consul here";
    testing::ConsulProcessOptions options;
    options.keeps_data = true;  // -dev has all answers pretty
    options.node_name = "n1";
    consul_.emplace(*binary, options);
    ASSERT_TRUE(consul_->WaitForLeader()) << consul_->process().output();
    ConsulApi& api = consul_->api();
    ASSERT_EQ(api.Put("/v1/config", R"({"Kind":"terminating-gateway","Name":)"
                                    R"("term-gw","Services":[{"Name":)"
                                    R"("legacy"},{"Name":"web"}]})"),
              200);
    ASSERT_EQ(api.Put("/v1/config",
                      R"({"Kind":"ingress-gateway","Name":"in-gw",)"
                      R"("Listeners":[{"Port":9,"Protocol":"tcp","Services":[)"
                      R"({"Name":"db"}]}]})"),
              200);
    std::vector<Change> changes;
    for (const Registered& one : All()) {
      ASSERT_EQ(api.Put("/v1/catalog/register", one.json), 200) << one.json;
      changes.insert(changes.end(), one.changes.begin(), one.changes.end());
    }
    LearnServer(&changes);
    ours_.emplace(1, 100, absl::StrCat("127.0.0.1:", consul_->server_port()));
    ours_->Apply(std::move(changes));
    ours_->Serve();
  }

  // Consul's own node, as it says.
  void LearnServer(std::vector<Change>* changes) {
    ASSERT_TRUE(testing::WaitUntil([&] {  // it adds to itself after the start
      return absl::StrContains(consul_->api().Get("/v1/catalog/node/n1"),
                               "lan_ipv4");
    }));
    std::string body = consul_->api().Get("/v1/internal/ui/nodes");
    auto nodes = DecodeNodeDump(&body, "dc1");
    ASSERT_TRUE(nodes.ok()) << nodes.status();
    for (NodeReport& report : *nodes) {
      if (report.node.name != "n1") continue;
      UpsertNode node;
      node.node = report.node;
      changes->push_back(node);
      for (const InstanceReport& instance : report.instances) {
        changes->push_back(UpsertInstance{{"dc1", "n1"}, instance.instance});
      }
      for (const CheckReport& check : report.checks) {
        changes->push_back(UpsertCheck{{"dc1", "n1"}, check.check});
      }
    }
  }

  std::optional<ConsulProcess> consul_;
  std::optional<ApiFixture> ours_;
};

TEST_F(ApiDiff, ReadsAreConsulsByteForByte) {
  size_t count = 0;
  for (const std::string& target : Requests()) {
    if (IsConsulsMistake(target) || IsKnownDifference(target)) continue;
    const bool sort_tags = absl::StartsWith(target, "/v1/catalog/services");
    const Answer theirs = Get(consul_->ports().http, target);
    const Answer ours = Get(ours_->address().port, target);
    ASSERT_FALSE(theirs.status.empty()) << target;
    EXPECT_EQ(Masked(ours, sort_tags), Masked(theirs, sort_tags)) << target;
    ++count;
  }
  std::printf("%zu requests compared\n", count);
}

TEST_F(ApiDiff, ErrorsInHeadersAreConsuls) {
  for (const char* header :
       {"Cache-Control: max-age=x", "Cache-Control: max-age=5, stale-if-error",
        "Cache-Control: stale-if-error=x", "Cache-Control: must-revalidate",
        "Cache-Control: no-cache,max-age=3", "X-Consul-Namespace: foo",
        "X-Consul-Token: secret", "Authorization: Bearer secret"}) {
    std::vector<std::string> both;
    for (const uint16_t port : {ours_->address().port, consul_->ports().http}) {
      HttpWire wire(port);
      wire.Send(absl::StrCat("GET /v1/health/service/none HTTP/1.1\r\nHost: h",
                             "\r\n", header, "\r\n\r\n"));
      wire.ReadAnswer();
      const std::vector<std::string> lines =
          absl::StrSplit(wire.head(), absl::MaxSplits("\r\n", 1));
      both.push_back(lines[0] + "\n" + wire.body());
    }
    EXPECT_EQ(both[0], both[1]) << header;
  }
}

}  // namespace
}  // namespace dnsd
