// What changes in a real Consul becomes visible in a mirror of it, whether a
// service has a watch of its own or not, and Consul is spared meanwhile.
#include <chrono>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/json_read.h"
#include "gtest/gtest.h"
#include "tests/integration/mirror_fixture.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr char kDc1[] = "mirror_dc1";
constexpr char kWeb[] = "web.service.consul.";

std::string ServiceName(int i) { return absl::StrCat("s-", i); }
std::string DnsName(int i) {
  return absl::StrCat(ServiceName(i), ".service.consul.");
}

// Two mirrors of one Consul: one watches every service, one has connections
// for a few of them only.
class MirrorWatches : public MirrorTest {
 protected:
  void StartBoth(int filler_count) {
    StartConsul();
    Register("web", 1, 3);
    for (int i = 0; i < filler_count; ++i) Register(ServiceName(i), 4, 4);
    MirrorSetup setup;
    setup.wait = "10m";
    rich_ = StartMirror(setup);
    setup.connections = 20;
    poor_ = StartMirror(setup);
    ExpectBoth(kWeb, AddressesOf(1, 3));
    EXPECT_EQ(rich_->Stat(kDc1, "services_without_watch"), "0");
    EXPECT_NE(poor_->Stat(kDc1, "services_without_watch"), "0");
  }
  void ExpectBoth(const std::string& name,
                  const std::set<std::string>& addresses) {
    for (const auto* mirror : {&rich_, &poor_}) {
      EXPECT_TRUE((*mirror)->WaitForAddresses(name, addresses))
          << (mirror == &rich_ ? "all watched: " : "few watched: ") << name
          << ": " << absl::StrJoin((*mirror)->Addresses(name), " ")
          << " instead of " << absl::StrJoin(addresses, " ") << "\n"
          << (*mirror)->log();
    }
  }
  // Until an answer of both has `text` in one of its records.
  void ExpectRecord(const std::string& name, const std::string& type,
                    const std::string& text) {
    for (const auto* mirror : {&rich_, &poor_}) {
      EXPECT_TRUE(WaitUntil([&] {
        const DnsReply reply = (*mirror)->Ask(name, type);
        return absl::StrContains(absl::StrJoin(reply.answer, "\n"), text);
      })) << name
          << " " << type << ": "
          << absl::StrJoin((*mirror)->Ask(name, type).answer, "\n");
    }
  }
  void Put(const std::string& path, const std::string& body = "") {
    const ConsulReply reply = api().Call("PUT", path, body);
    EXPECT_EQ(reply.status, 200) << path << ": " << reply.body;
  }

  std::unique_ptr<MirrorAgent> rich_;
  std::unique_ptr<MirrorAgent> poor_;
};

TEST_F(MirrorWatches, EveryKindOfChangeOfServicesAndNodesIsSeen) {
  StartBoth(60);
  Register("web", 5, 5);
  ExpectRecord(kWeb, "A", "10.1.0.5");
  ASSERT_TRUE(api().DeregisterService("node-5", "web-5"));
  ExpectBoth(kWeb, AddressesOf(1, 3));
  ASSERT_TRUE(api().SetStatus(InstanceOf("web", 1), "critical"));
  ExpectBoth(kWeb, AddressesOf(2, 3));
  ASSERT_TRUE(api().SetStatus(InstanceOf("web", 1), "passing"));
  ExpectBoth(kWeb, AddressesOf(1, 3));

  ConsulInstance tagged = InstanceOf("web", 2);
  tagged.tags = {"blue"};
  ASSERT_TRUE(api().Register(tagged));
  ExpectBoth("blue.web.service.consul.", AddressesOf(2, 2));
  tagged.tags = {};
  ASSERT_TRUE(api().Register(tagged));
  ExpectBoth("blue.web.service.consul.", {});

  Put("/v1/catalog/register",
      R"({"Node": "node-2", "Address": "10.1.0.2", "Service":
          {"ID": "web-2", "Service": "web", "Port": 8080,
           "Weights": {"Passing": 77, "Warning": 1}}})");
  ExpectRecord(kWeb, "SRV", " 1 77 8080 ");

  Put("/v1/catalog/register",
      R"({"Node": "node-3", "Address": "10.9.9.9", "NodeMeta": {"k": "v"}})");
  std::set<std::string> moved = AddressesOf(1, 2);
  moved.insert("10.9.9.9");
  ExpectBoth(kWeb, moved);
  ExpectBoth("node-3.node.consul.", {"10.9.9.9"});
  ExpectRecord("node-3.node.consul.", "TXT", "k=v");
  ASSERT_TRUE(api().DeregisterNode("node-3"));
  ExpectBoth(kWeb, AddressesOf(1, 2));
  ExpectBoth("node-3.node.consul.", {});

  // A node's check concerns all its instances.
  Put("/v1/catalog/register",
      R"({"Node": "node-4", "Address": "10.1.0.4", "Check":
          {"CheckID": "disk", "Name": "disk", "Status": "critical"}})");
  ExpectBoth(DnsName(0), {});
  ExpectBoth(DnsName(59), {});
  Put("/v1/catalog/deregister", R"({"Node": "node-4", "CheckID": "disk"})");
  ExpectBoth(DnsName(0), AddressesOf(4, 4));
  ExpectBoth(DnsName(59), AddressesOf(4, 4));
}

TEST_F(MirrorWatches, MaintenanceQueriesAndTheMeshAreSeen) {
  StartBoth(60);
  constexpr char kMaintained[] = "maintained.service.consul.";
  Put("/v1/agent/service/register",
      R"({"Name": "maintained", "Address": "10.3.0.1", "Port": 1})");
  ExpectBoth(kMaintained, {"10.3.0.1"});
  Put("/v1/agent/service/maintenance/maintained?enable=true");
  ExpectBoth(kMaintained, {});
  Put("/v1/agent/service/maintenance/maintained?enable=false");
  ExpectBoth(kMaintained, {"10.3.0.1"});
  Put("/v1/agent/maintenance?enable=true");
  ExpectBoth(kMaintained, {});
  Put("/v1/agent/maintenance?enable=false");
  ExpectBoth(kMaintained, {"10.3.0.1"});

  const ConsulReply made =
      api().Call("POST", "/v1/query",
                 R"({"Name": "find", "Service": {"Service": "web"}})");
  ASSERT_EQ(made.status, 200) << made.body;
  ExpectBoth("find.query.consul.", AddressesOf(1, 3));
  const auto parsed = ParseJson(made.body);
  ASSERT_TRUE(parsed.ok() && parsed->members.size() == 1) << made.body;
  const std::string id = parsed->members[0].value.text;
  Put(absl::StrCat("/v1/query/", id),
      R"({"Name": "find", "Service": {"Service": "s-7"}})");
  ExpectBoth("find.query.consul.", AddressesOf(4, 4));
  ASSERT_EQ(api().Delete(absl::StrCat("/v1/query/", id)), 200);
  ExpectBoth("find.query.consul.", {});

  Put("/v1/catalog/register",
      R"({"Node": "node-1", "Address": "10.1.0.1", "Service":
          {"ID": "p", "Service": "web-proxy", "Kind": "connect-proxy",
           "Address": "10.4.0.1", "Port": 2,
           "Proxy": {"DestinationServiceName": "web"}}})");
  ExpectBoth("web.connect.consul.", {"10.4.0.1"});
  Put("/v1/catalog/register",
      R"({"Node": "node-1", "Address": "10.1.0.1", "Service":
          {"ID": "i", "Service": "door", "Kind": "ingress-gateway",
           "Address": "10.5.0.1", "Port": 3}})");
  Put("/v1/config", R"({"Kind": "ingress-gateway", "Name": "door",
      "Listeners": [{"Port": 9999, "Protocol": "tcp",
                     "Services": [{"Name": "web"}]}]})");
  ExpectBoth("web.ingress.consul.", {"10.5.0.1"});
  Put("/v1/config", R"({"Kind": "ingress-gateway", "Name": "door",
      "Listeners": [{"Port": 9999, "Protocol": "tcp",
                     "Services": [{"Name": "s-3"}]}]})");
  ExpectBoth("s-3.ingress.consul.", {"10.5.0.1"});
  ExpectBoth("web.ingress.consul.", {});
  ASSERT_EQ(api().Delete("/v1/config/ingress-gateway/door"), 200);
  ExpectBoth("s-3.ingress.consul.", {});
}

// Nobody asks for them before; the limits are twice what is promised.
TEST_F(MirrorWatches, ColdNamesFollowWithoutBeingAsked) {
  StartBoth(120);
  ASSERT_TRUE(poor_->WaitForStat(kDc1, "phase", "watching"));
  Register(ServiceName(20), 21, 21);                                // grows
  ASSERT_TRUE(api().DeregisterService("node-4", "s-30-4"));         // goes
  ASSERT_TRUE(api().SetStatus(InstanceOf("s-40", 4), "critical"));  // falls ill
  Register("brand-new", 22, 23);
  ConsulInstance tagged = InstanceOf("s-50", 4);
  tagged.tags = {"blue"};
  ASSERT_TRUE(api().Register(tagged));
  std::this_thread::sleep_for(seconds(4));
  EXPECT_EQ(poor_->Addresses(DnsName(40)), std::set<std::string>());
  std::this_thread::sleep_for(seconds(6));
  std::set<std::string> grown = AddressesOf(4, 4);
  grown.merge(AddressesOf(21, 21));
  EXPECT_EQ(poor_->Addresses(DnsName(20)), grown);
  EXPECT_EQ(poor_->Addresses(DnsName(30)), std::set<std::string>());
  EXPECT_EQ(poor_->Addresses("brand-new.service.consul."), AddressesOf(22, 23));
  EXPECT_EQ(poor_->Addresses("blue.s-50.service.consul."), AddressesOf(4, 4));

  // A name that is asked for gets a watch, and is as quick as any then.
  const auto has_watch = [&] {
    (void)poor_->Addresses(DnsName(99));
    return proxy().RequestsWaiting("/v1/health/service/s-99") >= 2;
  };
  EXPECT_TRUE(WaitUntil(has_watch)) << "a watch of both mirrors";
  const std::string sweeps = poor_->Stat(kDc1, "sweeps");
  ASSERT_TRUE(api().SetStatus(InstanceOf("s-99", 4), "critical"));
  EXPECT_TRUE(poor_->WaitForAddresses(DnsName(99), {}, seconds(3)));
  EXPECT_EQ(poor_->Stat(kDc1, "sweeps"), sweeps);
}

TEST_F(MirrorWatches, ConnectionsStayBelowTheirLimit) {
  StartConsul();
  for (int i = 0; i < 300; ++i) Register(ServiceName(i), 1 + i % 5, 1 + i % 5);
  FaultProxy few(consul().options().ip, consul().ports().http);
  MirrorSetup setup;
  const std::unique_ptr<MirrorAgent> usual = StartMirror(setup);
  setup.urls = {few.Url()};
  setup.connections = 12;
  const std::unique_ptr<MirrorAgent> modest = StartMirror(setup);
  for (const auto* mirror : {&usual, &modest}) {
    ASSERT_TRUE((*mirror)->WaitForStat(kDc1, "phase", "watching"));
    EXPECT_NE((*mirror)->Stat(kDc1, "services_without_watch"), "0");
  }
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 300; ++i) {
      (void)usual->Addresses(DnsName(i));
      (void)modest->Addresses(DnsName(299 - i));
    }
    ASSERT_TRUE(
        api().SetStatus(InstanceOf(ServiceName(round), 1 + round), "critical"));
    Register(ServiceName(100 + round), 7, 7);
    std::this_thread::sleep_for(milliseconds(500));
  }
  for (int round = 0; round < 4; ++round) {
    std::set<std::string> grown = AddressesOf(7, 7);
    grown.merge(AddressesOf(1 + round, 1 + round));
    for (const auto* mirror : {&usual, &modest}) {
      EXPECT_TRUE((*mirror)->WaitForAddresses(DnsName(round), {}));
      EXPECT_TRUE((*mirror)->WaitForAddresses(DnsName(100 + round), grown));
    }
  }
  EXPECT_LE(proxy().connections_max(), 150u);
  EXPECT_GT(proxy().connections_max(), 75u);
  EXPECT_LE(few.connections_max(), 12u);
  for (const auto* mirror : {&usual, &modest}) {
    EXPECT_EQ((*mirror)->Stat(kDc1, "losses"), "0") << (*mirror)->log();
  }
}

// The answers while half of a service goes at once, or node by node: of those
// that stay, none is ever missing.
TEST_F(MirrorWatches, LosingHalfOfTheNodesNeverTakesAnAnswerTooMuch) {
  StartConsul();
  Register("many", 1, 40);
  MirrorSetup setup;
  setup.hold_shrunken = "2m";
  const std::unique_ptr<MirrorAgent> mirror = StartMirror(setup);
  constexpr char kMany[] = "many.service.consul.";
  ASSERT_TRUE(mirror->WaitForAddresses(kMany, AddressesOf(1, 40)));
  const std::set<std::string> stay = AddressesOf(21, 40);
  const std::set<std::string> all = AddressesOf(1, 40);
  NameAsker asker(mirror->dns(), kMany,
                  [&](const std::set<std::string>& addresses) {
                    std::string missing;
                    for (const std::string& address : stay) {
                      if (!addresses.contains(address))
                        missing += " " + address;
                    }
                    for (const std::string& address : addresses) {
                      if (!all.contains(address)) missing += " +" + address;
                    }
                    return missing;
                  });
  std::vector<std::string> operations;
  for (int i = 1; i <= 20; ++i) {
    operations.push_back(absl::StrCat(
        R"({"Node": {"Verb": "delete", "Node": {"Node": "node-)", i, "\"}}}"));
  }
  const ConsulReply gone = api().Call(
      "PUT", "/v1/txn", absl::StrCat("[", absl::StrJoin(operations, ","), "]"));
  ASSERT_EQ(gone.status, 200) << gone.body;
  EXPECT_TRUE(mirror->WaitForAddresses(kMany, stay));
  Register("many", 1, 20);
  EXPECT_TRUE(mirror->WaitForAddresses(kMany, all));
  for (int i = 1; i <= 20; ++i) {
    ASSERT_TRUE(api().DeregisterNode(absl::StrCat("node-", i)));
  }
  EXPECT_TRUE(mirror->WaitForAddresses(kMany, stay));
  EXPECT_EQ(asker.Stop(), "");
  EXPECT_EQ(mirror->LogCount("held back"), 0u);
}

}  // namespace
}  // namespace dnsd::testing
