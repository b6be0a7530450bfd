#include "catalog/registry/config_source.h"

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "catalog/state.h"
#include "tests/testing/catalog_maker.h"

namespace dnsd {
namespace {

using testing::MakeInstance;
using testing::MakeNode;

CheckDefinition CheckOf(const std::string& id, const std::string& service_id,
                        HealthStatus status) {
  CheckDefinition check;
  check.id = id;
  check.name = "name of " + id;
  check.service_id = service_id;
  check.status = status;
  check.notes = "notes of " + id;
  return check;
}

Definitions MakeDefinitions() {
  Definitions definitions;
  definitions.node = MakeNode("n1", "10.0.0.1");
  ServiceDefinition web;
  web.instance = MakeInstance("web1", "web");
  web.checks.push_back(CheckOf("c1", "web1", HealthStatus::kPassing));
  definitions.services.push_back(web);
  ServiceDefinition api;
  api.instance = MakeInstance("api1", "api");
  definitions.services.push_back(api);
  definitions.checks.push_back(CheckOf("c2", "", HealthStatus::kWarning));
  return definitions;
}

TEST(ToBatch, SaysEverythingAsOneCompleteBatch) {
  const ChangeBatch batch = ToBatch(3, MakeDefinitions());
  EXPECT_EQ(batch.source, 3);
  EXPECT_TRUE(batch.complete);
  ASSERT_EQ(batch.changes.size(), 5u);
  // The node first: State takes instances of known nodes only.
  ASSERT_TRUE(std::holds_alternative<UpsertNode>(batch.changes[0]));
  const auto* check = std::get_if<UpsertCheck>(&batch.changes[2]);
  ASSERT_NE(check, nullptr);
  EXPECT_EQ(check->key, (NodeKey{"dc1", "n1"}));
  EXPECT_EQ(check->check.id, "c1");
  EXPECT_EQ(check->check.name, "name of c1");
  EXPECT_EQ(check->check.service_id, "web1");
  EXPECT_EQ(check->check.status, HealthStatus::kPassing);
  EXPECT_EQ(check->check.notes, "notes of c1");
}

TEST(ToBatch, IsTakenByStateWithoutAnError) {
  State state;
  Dirty dirty;
  ASSERT_TRUE(state.Apply(ToBatch(0, MakeDefinitions()), &dirty).ok());
  std::vector<HealthStatus> health;
  state.ForEachInstance({"dc1", "web"}, [&](const InstanceView& view) {
    health.push_back(view.health);
  });
  EXPECT_EQ(health, std::vector<HealthStatus>{HealthStatus::kWarning});
  EXPECT_EQ(state.instance_count(), 2u);
}

TEST(ConfigSource, EmitsOnStartAndOnUpdate) {
  ConfigSource source(7, MakeDefinitions());
  std::vector<ChangeBatch> batches;
  source.Start([&](ChangeBatch batch) { batches.push_back(std::move(batch)); });
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].source, 7);

  Definitions fewer = MakeDefinitions();
  fewer.services.pop_back();
  source.Update(fewer);
  ASSERT_EQ(batches.size(), 2u);
  EXPECT_TRUE(batches[1].complete);
  EXPECT_EQ(batches[1].changes.size(), 4u);
}

TEST(ConfigSource, AnUpdateWithdrawsWhatIsNoLongerDefined) {
  State state;
  ConfigSource source(0, MakeDefinitions());
  source.Start([&](ChangeBatch batch) {
    Dirty dirty;
    EXPECT_TRUE(state.Apply(batch, &dirty).ok());
  });
  EXPECT_EQ(state.instance_count(), 2u);
  Definitions fewer = MakeDefinitions();
  fewer.services.pop_back();
  source.Update(fewer);
  EXPECT_EQ(state.instance_count(), 1u);
}

TEST(ConfigSource, IsSilentBeforeStartAndAfterStop) {
  ConfigSource source(0, MakeDefinitions());
  int count = 0;
  source.Update(MakeDefinitions());
  source.Start([&](const ChangeBatch&) { ++count; });
  source.Stop();
  source.Update(MakeDefinitions());
  EXPECT_EQ(count, 1);
}

TEST(ConfigSource, AnUpdateWhileStoppedIsEmittedByTheNextStart) {
  ConfigSource source(0, MakeDefinitions());
  Definitions fewer = MakeDefinitions();
  fewer.services.clear();
  source.Update(fewer);
  size_t changes = 0;
  source.Start(
      [&](const ChangeBatch& batch) { changes = batch.changes.size(); });
  EXPECT_EQ(changes, 2u) << "the node and its check";
}

}  // namespace
}  // namespace dnsd
