#include "catalog/registry/registry.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/catalog/registry/registry_fixture.h"

namespace dnsd {
namespace {

using Texts = std::vector<std::string>;

TEST_F(RegistryTest, TheAgentIsInTheCatalogAsAServer) {
  Open();
  EXPECT_EQ(Instances("consul"), Texts{"here/consul:8300 passing"});
  EXPECT_EQ(Checks("here"), Texts{"serfHealth passing"});
}

TEST_F(RegistryTest, AServiceIsThereWhenDoneIsCalled) {
  Open();
  EXPECT_TRUE(Register(R"({"Name":"web","Port":80})").ok());
  EXPECT_EQ(Instances("web"), Texts{"here/web:80 passing"});
  EXPECT_TRUE(Register(R"({"ID":"web","Name":"api","Port":81})").ok());
  EXPECT_EQ(Instances("web"), Texts{});
  EXPECT_EQ(Instances("api"), Texts{"here/web:81 passing"});
  EXPECT_TRUE(Deregister("web").ok());
  EXPECT_EQ(Instances("api"), Texts{});
  EXPECT_EQ(Deregister("web").code(), absl::StatusCode::kNotFound);
}

TEST_F(RegistryTest, AChangeHasItsIndexAndWakesItsKeysAlone) {
  Open();
  ASSERT_TRUE(Register(R"({"Name":"web","Port":80})").ok());
  const uint64_t before = state().index();
  const WatchKey web{WatchKind::kServiceHealth, "dc1", "web"};
  const WatchKey services{WatchKind::kServices, "dc1", ""};
  EXPECT_EQ(state().changes().Of(web), before);
  ASSERT_TRUE(Register(R"({"Name":"db","Port":80})").ok());
  EXPECT_EQ(state().changes().Of(web), before);
  EXPECT_EQ(state().changes().Of(services), before + 1);
  ASSERT_TRUE(Register(R"({"Name":"db","Port":80})").ok());
  EXPECT_EQ(state().index(), before + 1);
}

TEST_F(RegistryTest, ChecksJudgeTheirServiceAndGoWithIt) {
  Open();
  ASSERT_TRUE(Register(R"({"Name":"web","Check":{"TTL":"1h"}})").ok());
  EXPECT_EQ(Instances("web"), Texts{"here/web:0 critical"});
  EXPECT_TRUE(Update("service:web", HealthStatus::kPassing, "fine").ok());
  EXPECT_EQ(Instances("web"), Texts{"here/web:0 passing"});
  // Defined anew, it goes on from what it found.
  ASSERT_TRUE(Register(R"({"Name":"web","Check":{"TTL":"2h"}})").ok());
  EXPECT_EQ(Instances("web"), Texts{"here/web:0 passing"});
  ASSERT_TRUE(Deregister("web").ok());
  EXPECT_EQ(Checks("here"), Texts{"serfHealth passing"});
  EXPECT_FALSE(Update("service:web", HealthStatus::kPassing, "").ok());
}

TEST_F(RegistryTest, OldChecksStayUnlessTheyAreToBeReplaced) {
  Open();
  ASSERT_TRUE(
      Register(R"({"Name":"w","Check":{"CheckID":"a","TTL":"1h"}})").ok());
  ASSERT_TRUE(
      Register(R"({"Name":"w","Check":{"CheckID":"b","TTL":"1h"}})").ok());
  EXPECT_EQ(Checks("here"),
            (Texts{"a critical", "b critical", "serfHealth passing"}));
  ASSERT_TRUE(
      Register(R"({"Name":"w","Check":{"CheckID":"b","TTL":"1h"}})", true)
          .ok());
  EXPECT_EQ(Checks("here"), (Texts{"b critical", "serfHealth passing"}));
}

TEST_F(RegistryTest, MaintenanceIsACriticalCheck) {
  Open();
  ASSERT_TRUE(Register(R"({"Name":"web"})").ok());
  EXPECT_TRUE(ServiceMaintenance("web", true, "why").ok());
  EXPECT_EQ(Instances("web"), Texts{"here/web:0 critical"});
  EXPECT_EQ(
      registry().agent().FindCheck("_service_maintenance:web")->check.notes,
      "why");
  EXPECT_TRUE(ServiceMaintenance("web", false, "").ok());
  EXPECT_EQ(Instances("web"), Texts{"here/web:0 passing"});
  EXPECT_TRUE(NodeMaintenance(true).ok());
  EXPECT_EQ(Instances("web"), Texts{"here/web:0 critical"});
  EXPECT_TRUE(NodeMaintenance(false).ok());
  EXPECT_EQ(Instances("web"), Texts{"here/web:0 passing"});
  EXPECT_EQ(ServiceMaintenance("no", true, "").code(),
            absl::StatusCode::kNotFound);
}

TEST_F(RegistryTest, TheCatalogTakesOtherNodes) {
  Open();
  ASSERT_TRUE(Catalog(R"({"Node":"n1","Address":"10.0.0.1","Service":
      {"ID":"d1","Service":"db","Port":5432},"Check":{"CheckID":"c",
      "Name":"c","Status":"warning","ServiceID":"d1"}})")
                  .ok());
  EXPECT_EQ(Instances("db"), Texts{"n1/d1:5432 warning"});
  // The node is only told again.
  const uint64_t index = state().index();
  ASSERT_TRUE(Catalog(R"({"Node":"n1","Address":"10.0.0.1"})").ok());
  EXPECT_EQ(state().index(), index);
  ASSERT_TRUE(Catalog(R"({"Node":"n1","Address":"10.0.0.2"})").ok());
  EXPECT_EQ(state().FindNode({"dc1", "n1"})->address, "10.0.0.2");
  EXPECT_EQ(Catalog(R"({"Node":"n1","Address":"10.0.0.2","Check":
      {"CheckID":"x","Name":"x","ServiceID":"none"}})")
                .message(),
            "failed inserting check: Missing service registration on node "
            "\"n1\"");
  ASSERT_TRUE(CatalogRemove(R"({"Node":"n1","ServiceID":"d1"})").ok());
  EXPECT_EQ(Instances("db"), Texts{});
  EXPECT_EQ(Checks("n1"), Texts{});
  ASSERT_TRUE(CatalogRemove(R"({"Node":"n1"})").ok());
  EXPECT_EQ(state().FindNode({"dc1", "n1"}), nullptr);
}

TEST_F(RegistryTest, ANodeThatComesWithAnotherNameLosesItsOld) {
  Open();
  const std::string id = "11111111-2222-3333-4444-555555555555";
  for (const char* name : {"old", "new"}) {
    ASSERT_TRUE(Catalog(absl::StrCat(R"({"Node":")", name, R"(","ID":")", id,
                                     R"(","Address":"10.0.0.1"})"))
                    .ok());
  }
  EXPECT_EQ(state().FindNode({"dc1", "old"}), nullptr);
  EXPECT_NE(state().FindNode({"dc1", "new"}), nullptr);
}

TEST_F(RegistryTest, WhatTheCatalogIsToldOfThisNodeDoesNotLast) {
  options.anti_entropy_ms = 50;
  Open();
  ASSERT_TRUE(Register(R"({"Name":"web","Port":80,"Tags":["a"]})").ok());
  ASSERT_TRUE(Catalog(R"({"Node":"here","Address":"10.0.0.1","Service":
      {"ID":"web","Service":"web","Port":99,"Tags":["b"]}})")
                  .ok());
  ASSERT_TRUE(Catalog(R"({"Node":"here","Address":"10.0.0.1","Service":
      {"ID":"other","Service":"other","Port":99}})")
                  .ok());
  EXPECT_EQ(Instances("web"), Texts{"here/web:99 passing"});
  EXPECT_TRUE(RunUntil([&] {
    return Instances("web") == Texts{"here/web:80 passing"} &&
           Instances("other").empty();
  }));
}

TEST_F(RegistryTest, TagsOfTheCatalogStayWithTheirOverride) {
  options.anti_entropy_ms = 50;
  Open();
  ASSERT_TRUE(Register(R"({"Name":"web","Port":80,"Tags":["a"],
      "EnableTagOverride":true})")
                  .ok());
  ASSERT_TRUE(Catalog(R"({"Node":"here","Address":"10.0.0.1","Service":
      {"ID":"web","Service":"web","Port":99,"Tags":["b"]}})")
                  .ok());
  EXPECT_TRUE(RunUntil(
      [&] { return Instances("web") == Texts{"here/web:80 passing"}; }));
  EXPECT_EQ(registry().agent().FindService("web")->instance.tags, Texts{"b"});
  EXPECT_EQ(state().ViewInstance({"dc1", "here"}, "web")->instance->tags,
            Texts{"b"});
}

TEST_F(RegistryTest, EverythingOfHttpIsThereAfterARestart) {
  Open();
  ASSERT_TRUE(
      Register(R"({"Name":"web","Port":80,"Check":{"TTL":"1h"}})").ok());
  ASSERT_TRUE(Update("service:web", HealthStatus::kWarning, "so so").ok());
  ASSERT_TRUE(ServiceMaintenance("web", true, "why").ok());
  ASSERT_TRUE(Catalog(R"({"Node":"N/1","Address":"10.0.0.1","NodeMeta":
      {"rack":"r1"},"Service":{"ID":"d/1","Service":"db","Port":5432},
      "Check":{"CheckID":"c","Name":"c","Status":"warning"}})")
                  .ok());
  ASSERT_TRUE(Query(R"({"Name":"q","Service":{"Service":"db"}})").ok());
  const auto stamp = state().ViewNode({"dc1", "n/1"})->stamp;
  const uint64_t index = state().index();
  Reopen();
  EXPECT_GT(state().index(), index);
  EXPECT_EQ(state().changes().Of({WatchKind::kNodes, "dc1", ""}),
            state().index());
  EXPECT_EQ(Instances("web"), Texts{"here/web:80 critical"});
  ASSERT_TRUE(ServiceMaintenance("web", false, "").ok());
  EXPECT_EQ(Instances("web"), Texts{"here/web:80 warning"});
  EXPECT_EQ(Instances("db"), Texts{"N/1/d/1:5432 warning"});
  EXPECT_EQ(state().ViewNode({"dc1", "n/1"})->node->meta.at("rack"), "r1");
  EXPECT_EQ(state().ViewNode({"dc1", "n/1"})->stamp, stamp);
  EXPECT_TRUE(state().FindQuery("dc1", "q").has_value());
  EXPECT_EQ(registry().queries().size(), 1u);
  // And what is withdrawn stays away.
  ASSERT_TRUE(CatalogRemove(R"({"Node":"N/1"})").ok());
  ASSERT_TRUE(Deregister("web").ok());
  Reopen();
  EXPECT_EQ(Instances("web"), Texts{});
  EXPECT_EQ(Instances("db"), Texts{});
  EXPECT_EQ(Checks("here"), Texts{"serfHealth passing"});
}

TEST_F(RegistryTest, TheConfigurationGivesBackWhatHttpReplaced) {
  definitions.services = {Service(R"({"Name":"web","Port":80})"),
                          Service(R"({"Name":"old","Port":1})")};
  Open();
  EXPECT_EQ(Instances("web"), Texts{"here/web:80 passing"});
  ASSERT_TRUE(Register(R"({"Name":"web","Port":81})").ok());
  ASSERT_TRUE(Register(R"({"Name":"api","Port":82})").ok());
  EXPECT_EQ(Instances("web"), Texts{"here/web:81 passing"});
  definitions.services.pop_back();
  registry().Update(definitions);
  EXPECT_EQ(Instances("web"), Texts{"here/web:80 passing"});
  EXPECT_EQ(Instances("old"), Texts{});
  EXPECT_EQ(Instances("api"), Texts{"here/api:82 passing"});
  Reopen();
  EXPECT_EQ(Instances("web"), Texts{"here/web:80 passing"});
  EXPECT_EQ(Instances("api"), Texts{"here/api:82 passing"});
}

TEST_F(RegistryTest, AStatusThatItsFileChangesCounts) {
  const char* const kBody =
      R"({"Name":"web","Check":{"TTL":"1h","Status":"passing"}})";
  definitions.services = {Service(kBody)};
  Open();
  ASSERT_TRUE(Update("service:web", HealthStatus::kWarning, "").ok());
  definitions.services[0].instance.port = 81;
  registry().Update(definitions);
  EXPECT_EQ(Instances("web"), Texts{"here/web:81 warning"});
  definitions.services[0].checks[0].status = HealthStatus::kCritical;
  registry().Update(definitions);
  EXPECT_EQ(Instances("web"), Texts{"here/web:81 critical"});
}

TEST_F(RegistryTest, NamesOfQueriesAreTheirOwn) {
  Open();
  ASSERT_TRUE(Query(R"({"Name":"q","Service":{"Service":"db"}})").ok());
  EXPECT_FALSE(Query(R"({"Name":"Q","Service":{"Service":"db"}})").ok());
}

TEST_F(RegistryTest, AStoreThatFailsChangesNothing) {
  Open(std::make_unique<FailingStore>());
  const absl::Status status = Register(R"({"Name":"web"})");
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Instances("web"), Texts{});
  EXPECT_EQ(registry().agent().FindService("web"), nullptr);
}

}  // namespace
}  // namespace dnsd
