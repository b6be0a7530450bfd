// CowMap against a std::map: random edits, every version compared with the
// model of its time, also versions that were replaced meanwhile. Items count
// their ends, so a leak or a double end shows in any build.
#include "catalog/cow_map.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/testing/seeds.h"
#include "zones/random.h"

namespace dnsd {
namespace {

using testing::Scaled;
using testing::TestSeed;

struct Item {
  int64_t* alive;
  uint64_t key;
  uint64_t value;

  static void Free(const Item* item) {
    --*item->alive;
    std::unique_ptr<const Item> owned(item);
  }
};

using Map = CowMap<Item>;
using Model = std::map<uint64_t, uint64_t>;

// Spreads keys over shards and slots; `mask` folds hashes onto each other.
uint64_t HashOf(uint64_t key, uint64_t mask) {
  return Random(key).Next() & mask;
}

class Line {
 public:
  explicit Line(uint64_t mask) : mask_(mask) {}
  ~Line() {
    map_.Destroy();
    qsbr_.Reclaim();
    EXPECT_EQ(alive_, 0);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  const Item* Find(const Map& map, uint64_t key) const {
    return map.Find(HashOf(key, mask_),
                    [key](const Item& item) { return item.key == key; });
  }

  // Sets key to value, or drops it. At most once per key and Commit().
  void Edit(uint64_t key, std::optional<uint64_t> value) {
    const Item* old_item = Find(map_, key);
    const Item* new_item = nullptr;
    if (value) {
      new_item = std::make_unique<Item>(Item{&alive_, key, *value}).release();
      ++alive_;
      model_[key] = *value;
    } else {
      model_.erase(key);
    }
    if (old_item == nullptr && new_item == nullptr) return;
    edits_.push_back({HashOf(key, mask_), old_item, new_item});
  }

  void Commit() {
    map_ = map_.Apply(edits_, &qsbr_);
    edits_.clear();
  }

  // The version has exactly what the model of its time had.
  void Expect(const Map& map, const Model& model, uint64_t keys) const {
    ASSERT_EQ(map.size(), model.size());
    for (uint64_t key = 0; key < keys; ++key) {
      const Item* item = Find(map, key);
      auto it = model.find(key);
      ASSERT_EQ(item != nullptr, it != model.end()) << key;
      if (item == nullptr) continue;
      ASSERT_EQ(item->value, it->second) << key;
    }
    Model visited;
    map.ForEach([&](const Item& item) { visited[item.key] = item.value; });
    ASSERT_EQ(visited, model);
  }

  Qsbr& qsbr() { return qsbr_; }
  const Map& map() const { return map_; }
  const Model& model() const { return model_; }
  int64_t alive() const { return alive_; }

 private:
  uint64_t mask_;
  int64_t alive_ = 0;
  Qsbr qsbr_;
  Map map_;
  Model model_;
  std::vector<Map::Edit> edits_;
};

TEST(CowMap, BeginsEmpty) {
  Map map;
  EXPECT_EQ(map.size(), 0u);
  EXPECT_EQ(map.shard_count(), 1u);
  EXPECT_EQ(map.Find(0, [](const Item&) { return true; }), nullptr);
  map.ForEach([](const Item&) { ADD_FAILURE(); });
}

TEST(CowMap, ApplyingNothingChangesNothing) {
  Line line(UINT64_MAX);
  line.Edit(1, 10);
  line.Commit();
  const Item* item = line.Find(line.map(), 1);
  line.Commit();
  EXPECT_EQ(line.Find(line.map(), 1), item);
  EXPECT_EQ(line.map().size(), 1u);
}

TEST(CowMap, OneHashForAllItemsStillFindsEach) {
  Line line(0);
  for (uint64_t key = 0; key < 40; ++key) line.Edit(key, key + 1);
  line.Commit();
  line.Expect(line.map(), line.model(), 60);
  for (uint64_t key = 0; key < 40; key += 2) line.Edit(key, std::nullopt);
  line.Commit();
  line.Expect(line.map(), line.model(), 60);
}

TEST(CowMap, RandomEditsEqualAStdMap) {
  Random random(TestSeed());
  for (uint64_t mask : {UINT64_MAX, uint64_t{0xf00000000000000f}}) {
    Line line(mask);
    constexpr uint64_t kKeys = 400;
    for (int step = 0; step < Scaled(600); ++step) {
      // Waves: mostly growing, then mostly shrinking.
      const uint32_t drop_of_8 = (step / 60) % 2 == 0 ? 2 : 6;
      std::map<uint64_t, bool> edited;
      for (uint32_t i = random.Below(40); i > 0; --i) {
        const uint64_t key = random.Below(kKeys);
        if (!edited.emplace(key, true).second) continue;
        std::optional<uint64_t> value;
        if (random.Below(8) >= drop_of_8) value = random.Next();
        line.Edit(key, value);
      }
      line.Commit();
      line.qsbr().Reclaim();
      ASSERT_NO_FATAL_FAILURE(line.Expect(line.map(), line.model(), kKeys))
          << "step " << step;
      ASSERT_EQ(line.alive(), static_cast<int64_t>(line.model().size()));
    }
  }
}

TEST(CowMap, ReshardsUpAndDownWithTheSquareRoot) {
  Line line(UINT64_MAX);
  const uint64_t count = static_cast<uint64_t>(Scaled(40000));
  uint64_t key = 0;
  std::vector<size_t> shards;
  while (key < count) {
    for (uint64_t i = 0; i < 500 && key < count; ++i, ++key)
      line.Edit(key, key);
    line.Commit();
    line.qsbr().Reclaim();
    shards.push_back(line.map().shard_count());
    // Neither huge shards nor a huge directory: within a factor of 32.
    const size_t per_shard = line.map().size() / line.map().shard_count();
    EXPECT_LE(per_shard, 8 * line.map().shard_count() + 1);
    EXPECT_LE(line.map().shard_count(), 32 * (per_shard + 1));
  }
  EXPECT_GT(shards.back(), 1u);
  ASSERT_NO_FATAL_FAILURE(line.Expect(line.map(), line.model(), count + 10));
  while (key > 0) {
    for (uint64_t i = 0; i < 500 && key > 0; ++i)
      line.Edit(--key, std::nullopt);
    line.Commit();
    line.qsbr().Reclaim();
    const size_t per_shard = line.map().size() / line.map().shard_count();
    EXPECT_LE(line.map().shard_count(), 32 * (per_shard + 1));
  }
  EXPECT_EQ(line.map().size(), 0u);
  EXPECT_LT(line.map().shard_count(), shards.back());
  EXPECT_EQ(line.alive(), 0);
}

TEST(CowMap, AReplacedVersionStaysReadableWhileAReaderIsOnline) {
  Random random(TestSeed());
  Line line(UINT64_MAX);
  Qsbr::Reader reader = line.qsbr().Register();
  for (uint64_t key = 0; key < 300; ++key) line.Edit(key, key);
  line.Commit();
  line.qsbr().Reclaim();

  reader.Online();
  const Model model = line.model();
  // A copy of the version's directory; shards and items stay the line's.
  const Map before = line.map().Apply({}, &line.qsbr());
  for (int step = 0; step < 50; ++step) {
    for (uint64_t key = step % 3u; key < 2000; key += 37) {
      if (random.Below(3) == 0) {
        line.Edit(key, std::nullopt);
      } else {
        line.Edit(key, random.Next());
      }
    }
    line.Commit();
    line.qsbr().Reclaim();
    ASSERT_NO_FATAL_FAILURE(line.Expect(before, model, 2000)) << step;
  }
  EXPECT_GT(line.qsbr().waiting(), 0u);
  reader.Offline();
  EXPECT_EQ(line.qsbr().Reclaim(), 0u);
  EXPECT_EQ(line.alive(), static_cast<int64_t>(line.model().size()));
}

// The promise behind "an update costs what it changes".
TEST(CowMap, OneEditRetiresOneShardAndOneItem) {
  Line line(UINT64_MAX);
  for (uint64_t key = 0; key < 10000; ++key) line.Edit(key, key);
  line.Commit();
  line.qsbr().Reclaim();
  Qsbr::Reader reader = line.qsbr().Register();
  reader.Online();
  line.Edit(5000, 1);
  line.Commit();
  EXPECT_EQ(line.qsbr().Reclaim(), 2u);
  line.Edit(20000, 1);
  line.Commit();
  EXPECT_EQ(line.qsbr().Reclaim(), 3u) << "an insertion retires its shard";
  reader.Offline();
}

}  // namespace
}  // namespace dnsd
