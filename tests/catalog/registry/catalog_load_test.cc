#include "catalog/registry/catalog_load.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/records.h"

namespace dnsd {
namespace {

std::string InstanceRecord(size_t i) {
  CatalogRegistration registration;
  registration.node.name = "n";
  registration.skip_node_update = true;
  registration.service.emplace();
  registration.service->id = absl::StrCat("s", i);
  registration.service->name = "web";
  return EncodeStamped({i + 1, i + 2}, EncodeCatalogRegistration(registration));
}

// What `add` adds, on a thread of its own.
absl::Status Load(const std::function<void(CatalogLoad*)>& add,
                  const CatalogLoad::Take& take) {
  CatalogLoad load("dc1");
  std::thread reader([&] {
    add(&load);
    load.Close();
  });
  const absl::Status status = load.TakeAll(take);
  reader.join();
  return status;
}

// Far more than are on their way at once.
TEST(CatalogLoad, TellsAllInTheOrderInWhichItCame) {
  constexpr size_t kRecords = 30'000;
  size_t told = 0;
  size_t batches = 0;
  const auto take = [&](const std::vector<Change>& changes) {
    ++batches;
    for (const Change& change : changes) {
      const auto& upsert = std::get<UpsertInstance>(change);
      ASSERT_EQ(upsert.instance.id, absl::StrCat("s", told));
      ASSERT_EQ(upsert.key, (NodeKey{"dc1", "n"}));
      ASSERT_EQ(upsert.stamp, (Stamp{told + 1, told + 2}));
      ++told;
    }
  };
  const auto add = [](CatalogLoad* load) {
    for (size_t i = 0; i < kRecords; ++i) load->Add("key", InstanceRecord(i));
  };
  EXPECT_EQ(Load(add, take), absl::OkStatus());
  EXPECT_EQ(told, kRecords);
  EXPECT_GT(batches, 5u);
}

TEST(CatalogLoad, ANodeIsToldBeforeWhatIsOnIt) {
  CatalogRegistration all;
  all.node.name = "N";
  all.node.address = "10.0.0.1";
  all.service.emplace().id = "s";
  all.service->name = "web";
  all.checks.emplace_back().id = "c";
  std::vector<Change> told;
  const auto add = [&](CatalogLoad* load) {
    load->Add("k", EncodeStamped({1, 2}, EncodeCatalogRegistration(all)));
  };
  EXPECT_EQ(
      Load(add,
           [&](std::vector<Change> changes) { told = std::move(changes); }),
      absl::OkStatus());
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(std::get<UpsertNode>(told[0]).node.datacenter, "dc1");
  EXPECT_EQ(std::get<UpsertInstance>(told[1]).instance.id, "s");
  EXPECT_EQ(std::get<UpsertCheck>(told[2]).check.id, "c");
}

TEST(CatalogLoad, NamesTheFirstRecordThatIsDamaged) {
  size_t told = 0;
  const auto add = [](CatalogLoad* load) {
    load->Add("good", InstanceRecord(0));
    load->Add("bad", "1 2 {\"Node\":");
    load->Add("worse", "x");
    load->Add("fine", InstanceRecord(1));
  };
  const absl::Status status = Load(
      add, [&](const std::vector<Change>& changes) { told += changes.size(); });
  EXPECT_EQ(status.message(),
            "record \"bad\": Request decode failed: unexpected EOF");
  EXPECT_EQ(told, 2u);
}

TEST(CatalogLoad, TakesNothingWhereThereIsNothing) {
  const auto take = [](const std::vector<Change>&) { FAIL(); };
  EXPECT_EQ(Load([](CatalogLoad*) {}, take), absl::OkStatus());
}

TEST(CatalogLoad, EndsWithoutTakeAll) {
  CatalogLoad load("dc1");
  load.Add("key", InstanceRecord(1));
  load.Close();
}

}  // namespace
}  // namespace dnsd
