#include "zones/query_compile.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/catalog_maker.h"
#include "tests/testing/seeds.h"
#include "tests/zones/view_dump.h"
#include "zones/random.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::Dump;
using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using testing::MakePreparedQuery;
using testing::MakeQueryTemplate;
using testing::Scaled;
using testing::TestSeed;
using testing::ViewLine;

const NodeKey kN1 = {"dc1", "n1"};

// What QueryCompiler put, by kind and key.
class CompilerTest : public ::testing::Test {
 protected:
  CompilerTest() {
    BatchMaker()
        .Put(MakeNode("n1", "10.0.0.1"))
        .Put(kN1, MakeInstance("w", "web", "10.1.0.1", 8080))
        .Put(MakePreparedQuery("1d", "My-Query", "web"))
        .Put(MakeQueryTemplate("2d", "t", "web"))
        .ApplyTo(&state_);
    Compile(state_.Everything());
  }
  ~CompilerTest() override {
    for (const auto& [name, entry] : entries_) Entry::Free(entry);
  }

  int Compile(const Dirty& dirty) {
    int puts = 0;
    EntryBuilder builder;
    CompileContext context{state_, policy_, 1,
                           [](const std::string&) { return uint8_t{0}; },
                           &builder};
    compiler_.Compile(
        context, dirty, {"dc1"}, false,
        [&](EntryKind kind, const EntryPlace& place, const Entry* entry) {
          ++puts;
          const Entry*& slot = entries_[{kind, place.key}];
          if (slot != nullptr) Entry::Free(slot);
          slot = entry;
          if (entry == nullptr) {
            entries_.erase({kind, place.key});
          }
        });
    return puts;
  }
  bool Ask(const std::string& name) {
    std::string labels;
    EXPECT_TRUE(LabelsToWire(name, &labels));
    return compiler_.Ask("dc1", WireBytes(labels));
  }
  bool Has(const std::string& name) {
    std::string labels;
    EXPECT_TRUE(LabelsToWire(name, &labels));
    return entries_.contains({EntryKind::kQuery, labels});
  }

  State state_;
  ZonePolicy policy_;
  QueryCompiler compiler_{3};
  std::map<std::pair<EntryKind, std::string>, const Entry*> entries_;
};

TEST_F(CompilerTest, TheLeastRecentlyAskedMakesRoom) {
  for (const char* name : {"t1", "t2", "t3"}) EXPECT_TRUE(Ask(name));
  EXPECT_TRUE(Ask("t1"));  // not compiled yet, and the most recent now
  EXPECT_EQ(Compile({}), 3);
  EXPECT_FALSE(Ask("t1"));
  EXPECT_TRUE(Ask("t4"));
  EXPECT_EQ(Compile({}), 2);
  EXPECT_FALSE(Has("t2"));
  for (const char* name : {"t1", "t3", "t4"}) EXPECT_TRUE(Has(name)) << name;
  EXPECT_EQ(Compile({}), 0);
  // A name with a definition of its own does not go with the asking.
  EXPECT_FALSE(Ask("my-query"));
  for (const char* name : {"t5", "t6", "t7"}) EXPECT_TRUE(Ask(name));
  Compile({});
  EXPECT_TRUE(Has("my-query"));
  EXPECT_FALSE(Has("t1"));
}

TEST_F(CompilerTest, KnowsNoNamesOfOtherDatacenters) {
  std::string labels;
  ASSERT_TRUE(LabelsToWire("t1", &labels));
  EXPECT_FALSE(compiler_.Ask("dc2", WireBytes(labels)));
  EXPECT_FALSE(compiler_.Ask("", WireBytes(labels)));
  EXPECT_FALSE(compiler_.Ask("dc1", {}));
  EXPECT_EQ(Compile({}), 0);
}

TEST_F(CompilerTest, ACompileCostsWhatIsDirty) {
  EXPECT_EQ(Compile({}), 0);
  Dirty dirty;
  dirty.services = {{"dc1", "other"}, {"dc2", "web"}};
  EXPECT_EQ(Compile(dirty), 0);
  dirty.services = {{"dc1", "web"}};
  EXPECT_EQ(Compile(dirty), 2);  // the query's name and id
  Ask("t1");
  EXPECT_EQ(Compile(dirty), 3);
}

// Random changes: a line of views has the entries of one made from nothing.
class Changes {
 public:
  explicit Changes(Random* random) : random_(random) {}

  BatchMaker Batch() {
    BatchMaker batch(static_cast<SourceId>(random_->Below(2)));
    if (random_->Below(12) == 0) batch.Complete();
    for (uint32_t i = random_->Below(4); i <= 4; ++i) One(&batch);
    return batch;
  }
  std::string Datacenter() { return absl::StrCat("dc", 1 + random_->Below(3)); }
  std::string Name() {
    static const char* const kNames[] = {"a", "a.b", "ab", "b", "b.a", "x.a.b"};
    return kNames[random_->Below(6)];
  }

 private:
  std::string Service() { return absl::StrCat("s", random_->Below(3)); }
  PreparedQuery Query() {
    PreparedQuery query = MakePreparedQuery(
        absl::StrCat("id", random_->Below(6)), Name(), Service());
    query.is_template = random_->Below(3) == 0;
    if (query.is_template) {
      query.name = random_->Below(4) == 0 ? "" : query.name;
      if (random_->Below(2) == 0) query.service = "s${name.suffix}";
    }
    if (random_->Below(3) == 0) query.failover_nearest = 1;
    if (random_->Below(3) == 0) query.failover_datacenters = {Datacenter()};
    query.only_passing = random_->Below(3) == 0;
    if (random_->Below(3) == 0) query.ignore_check_ids = {"c0"};
    return query;
  }
  void One(BatchMaker* batch) {
    const std::string datacenter = Datacenter();
    const NodeKey key{datacenter, absl::StrCat("n", random_->Below(2))};
    const std::string instance = absl::StrCat("i", random_->Below(3));
    switch (random_->Below(10)) {
      case 0:
        batch->DropNode(key);
        break;
      case 1:
      case 2:
        batch->Put(MakeNode(key.node, "10.0.0.1", datacenter));
        break;
      case 3:
      case 4:
        batch->Put(key, MakeInstance(instance, Service()));
        break;
      case 5:
        batch->Put(key,
                   MakeCheck(absl::StrCat("c", random_->Below(2)), instance,
                             static_cast<HealthStatus>(random_->Below(3))));
        break;
      case 6:
        batch->DropQuery(absl::StrCat("id", random_->Below(6)), datacenter);
        break;
      default:
        batch->Put(Query(), datacenter);
    }
  }

  Random* random_;
};

// Asks a line for the names; false when it had all.
bool AskAll(const std::set<NameKey>& names, ViewLine* line) {
  bool is_new = false;
  for (const auto& [datacenter, name] : names) {
    std::string labels;
    EXPECT_TRUE(LabelsToWire(name, &labels));
    const std::vector<uint8_t> bytes(datacenter.begin(), datacenter.end());
    const int index = line->view().FindDatacenter(bytes);
    if (index == View::kNoDatacenter) continue;
    is_new = line->builder().AskQuery(static_cast<uint8_t>(index),
                                      WireBytes(labels)) ||
             is_new;
  }
  return is_new;
}

TEST(QueryEntriesModel, ALineOfViewsEqualsViewsMadeFromNothing) {
  Random random(TestSeed());
  for (int round = 0; round < Scaled(60); ++round) {
    State state;
    ViewLine line;
    Changes changes(&random);
    line.Publish(state, {});
    std::set<NameKey> asked;
    for (int step = 0; step < 40; ++step) {
      SCOPED_TRACE(::testing::Message()
                   << "round " << round << " step " << step);
      std::set<NameKey> now = {{changes.Datacenter(), changes.Name()}};
      AskAll(now, &line);
      asked.insert(now.begin(), now.end());
      Dirty dirty = changes.Batch().ApplyTo(&state);
      line.Publish(state, dirty);
      // What leaves takes the asked names along.
      std::set<std::string> known = {"dc1"};
      for (const std::string& name : line.view().datacenters) {
        known.insert(name);
      }
      std::erase_if(asked, [&](const NameKey& name) {
        return !known.contains(name.first);
      });
      // A name that was asked for before its datacenter was there is none.
      if (AskAll(asked, &line)) line.Publish(state, {});
      ViewLine fresh;
      fresh.Publish(state, state.Everything());
      AskAll(asked, &fresh);
      fresh.Publish(state, {});
      ASSERT_TRUE(Dump(line.view()) == Dump(fresh.view()));
      ASSERT_EQ(line.view().table.size(), fresh.view().table.size());
      std::set<NameKey> prefixes;
      for (const QueryTemplate& query : line.view().query_templates) {
        prefixes.insert(
            {line.view().datacenters[query.datacenter], query.prefix});
      }
      std::set<NameKey> wanted;
      for (const std::string& name : known) {
        for (const std::string& prefix : state.TemplatePrefixes(name)) {
          wanted.insert({name, prefix});
        }
      }
      ASSERT_EQ(prefixes, wanted);
    }
  }
}

}  // namespace
}  // namespace dnsd
