// ForwardCache against a std::map, and what it promises about room.
#include "dnsd/forward/forward_cache.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "tests/dnsd/forward/upstream_packets.h"
#include "zones/random.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

using testing::ClientQuery;
using testing::MustRead;
using testing::QueryOptions;
using testing::ReplyText;
using testing::Sent;
using testing::WireName;

std::string NameOf(size_t i) {
  return "host-" + std::to_string(i) + ".example.com.";
}

UpstreamAnswer AnswerWith(const std::string& name, uint32_t ttl) {
  ReplyText text;
  text.qname = name;
  text.answer = {name + " " + std::to_string(ttl) + " IN A 192.0.2.1"};
  return MustRead(text, Sent(name, kTypeA));
}

void Store(ForwardCache* cache, const std::string& name, uint32_t ttl,
           uint32_t now_s) {
  cache->Store(Sent(name, kTypeA).question, AnswerWith(name, ttl), now_s);
}

ForwardCache::Hit Find(ForwardCache* cache, const std::string& name,
                       uint32_t now_s) {
  const ClientQuery client(name, kTypeA);
  return cache->Find(client.query, now_s);
}

size_t EraseName(ForwardCache* cache, const std::string& name) {
  return cache->EraseIf([wire = WireName(name)](const ForwardQuestion& q) {
    return q.name == wire;
  });
}

TEST(ForwardCache, FreshThenStaleThenGone) {
  ForwardCache cache({.stale_max_s = 50}, 1);
  EXPECT_EQ(Find(&cache, "a.test.", 0).answer, nullptr);
  Store(&cache, "a.test.", 100, 1000);
  ForwardCache::Hit hit = Find(&cache, "A.test.", 1099);
  ASSERT_NE(hit.answer, nullptr);
  EXPECT_EQ(hit.age_s, 99u);
  EXPECT_FALSE(hit.is_stale);
  hit = Find(&cache, "a.test.", 1100);
  EXPECT_TRUE(hit.is_stale);
  EXPECT_FALSE(hit.is_due);
  EXPECT_NE(Find(&cache, "a.test.", 1149).answer, nullptr);
  EXPECT_EQ(Find(&cache, "a.test.", 1150).answer, nullptr);
}

TEST(ForwardCache, OtherQuestionsHaveOtherAnswers) {
  ForwardCache cache({}, 1);
  Store(&cache, "a.test.", 100, 0);
  QueryOptions with_do;
  with_do.edns = testing::EdnsOptions();
  with_do.edns->dnssec_ok = true;
  const ClientQuery others[] = {{"a.test.", kTypeAaaa},
                                {"b.test.", kTypeA},
                                {"a.test.", kTypeA, {.qclass = 3, .edns = {}}},
                                {"a.test.", kTypeA, {.cd = true, .edns = {}}},
                                {"a.test.", kTypeA, with_do}};
  for (const ClientQuery& other : others) {
    EXPECT_EQ(cache.Find(other.query, 0).answer, nullptr);
  }
  EXPECT_NE(Find(&cache, "a.test.", 0).answer, nullptr);
}

TEST(ForwardCache, DueOnceWhenPopularAndNearlyOver) {
  ForwardCache cache({}, 1);
  Store(&cache, "a.test.", 100, 0);
  EXPECT_FALSE(Find(&cache, "a.test.", 95).is_due);  // the first to ask
  EXPECT_TRUE(Find(&cache, "a.test.", 95).is_due);
  EXPECT_FALSE(Find(&cache, "a.test.", 96).is_due);
  Store(&cache, "a.test.", 100, 200);
  EXPECT_FALSE(Find(&cache, "a.test.", 201).is_due);
  EXPECT_FALSE(Find(&cache, "a.test.", 290).is_due);
  EXPECT_TRUE(Find(&cache, "a.test.", 291).is_due);
  Store(&cache, "a.test.", 9, 300);
  EXPECT_FALSE(Find(&cache, "a.test.", 308).is_due);
  EXPECT_FALSE(Find(&cache, "a.test.", 308).is_due);
}

TEST(ForwardCache, LimitsOfTtls) {
  ForwardCache cache({.ttl_max_s = 50,
                      .ttl_min_s = 10,
                      .negative_ttl_max_s = 20,
                      .stale_max_s = 0},
                     1);
  Store(&cache, "long.test.", 100, 0);
  EXPECT_NE(Find(&cache, "long.test.", 49).answer, nullptr);
  EXPECT_EQ(Find(&cache, "long.test.", 50).answer, nullptr);
  Store(&cache, "short.test.", 1, 0);
  EXPECT_NE(Find(&cache, "short.test.", 9).answer, nullptr);
  EXPECT_EQ(Find(&cache, "short.test.", 10).answer, nullptr);
  UpstreamAnswer negative = AnswerWith("no.test.", 100);
  negative.is_negative = true;
  cache.Store(Sent("no.test.", kTypeA).question, negative, 0);
  EXPECT_NE(Find(&cache, "no.test.", 19).answer, nullptr);
  EXPECT_EQ(Find(&cache, "no.test.", 20).answer, nullptr);
  // Not kept, and what it replaces is not true any more.
  Store(&cache, "long.test.", 0, 10);
  EXPECT_EQ(Find(&cache, "long.test.", 10).answer, nullptr);
}

TEST(ForwardCache, BoundedInBytes) {
  const size_t bytes_max = 4u << 20;
  ForwardCache cache({.bytes_max = bytes_max}, 1);
  const UpstreamAnswer answer = AnswerWith("a.test.", 100);
  for (size_t i = 0; i < 100'000; ++i) {
    cache.Store(Sent(NameOf(i), kTypeA).question, answer, 0);
    ASSERT_LE(cache.stats().bytes, bytes_max) << i;
  }
  const ForwardCacheStats stats = cache.stats();
  EXPECT_GT(stats.bytes, bytes_max * 9 / 10);
  EXPECT_EQ(stats.entries + stats.evictions, 100'000u);
  cache.Flush();
  EXPECT_EQ(cache.stats().entries, 0u);
  ForwardCache none({.bytes_max = 0}, 1);
  Store(&none, "a.test.", 100, 0);
  EXPECT_EQ(none.stats().entries, 0u);
}

TEST(ForwardCache, AScanPushesOutNoneThatIsAskedAgain) {
  ForwardCache cache({.bytes_max = 1u << 20}, 1);
  constexpr size_t kPopular = 500;
  for (size_t i = 0; i < kPopular; ++i) {
    Store(&cache, NameOf(i), 1000, 0);
    EXPECT_NE(Find(&cache, NameOf(i), 0).answer, nullptr);
  }
  for (size_t i = 0; i < 20'000; ++i) {
    Store(&cache, NameOf(1'000'000 + i), 1000, 1);
  }
  EXPECT_GT(cache.stats().evictions, 10'000u);
  for (size_t i = 0; i < kPopular; ++i) {
    EXPECT_NE(Find(&cache, NameOf(i), 2).answer, nullptr) << i;
  }
}

TEST(ForwardCache, WhoComesBackSoonIsNoNewcomer) {
  ForwardCache cache({.bytes_max = 1u << 20}, 1);
  size_t next = 1'000'000;
  const auto fill = [&](size_t count) {
    for (size_t i = 0; i < count; ++i) Store(&cache, NameOf(next++), 1000, 0);
  };
  // The main queue is there to be filled by those that return.
  for (size_t i = 0; i < 1000; ++i) {
    Store(&cache, NameOf(i), 1000, 0);
    (void)Find(&cache, NameOf(i), 0);
  }
  fill(5000);
  // Looks without asking, which would count as a use.
  const std::string back = WireName("back.test.");
  const auto is_there = [&] {
    bool there = false;
    cache.ForEach(
        [&](const ForwardCache::Row& row) {
          there = there || row.question.name == back;
          return !there;
        },
        0);
    return there;
  };
  Store(&cache, "back.test.", 1000, 0);
  for (int i = 0; i < 100 && is_there(); ++i) fill(100);
  ASSERT_FALSE(is_there());
  Store(&cache, "back.test.", 1000, 0);
  fill(3000);  // more than there is room for
  EXPECT_TRUE(is_there());
}

TEST(ForwardCache, ForgetsWhatIsWrongAndNothingElse) {
  ForwardCache cache({}, 1);
  for (const char* name : {"a.test.", "b.a.test.", "ba.test.", "test."}) {
    Store(&cache, name, 100, 0);
  }
  EXPECT_EQ(EraseName(&cache, "a.test."), 1u);
  EXPECT_EQ(Find(&cache, "a.test.", 0).answer, nullptr);
  for (const char* name : {"b.a.test.", "ba.test.", "test."}) {
    EXPECT_NE(Find(&cache, name, 0).answer, nullptr) << name;
  }
  EXPECT_EQ(EraseName(&cache, "a.test."), 0u);
}

TEST(ForwardCache, TakesOtherLimitsAtAnyTime) {
  ForwardCache cache({}, 1);
  for (size_t i = 0; i < 1000; ++i) Store(&cache, NameOf(i), 1000, 0);
  ForwardCacheLimits limits;
  limits.bytes_max = 100'000;
  limits.ttl_max_s = 10;
  cache.SetLimits(limits, 1);
  EXPECT_LE(cache.stats().bytes, limits.bytes_max);
  EXPECT_GT(cache.stats().entries, 100u);
  EXPECT_FALSE(Find(&cache, NameOf(999), 11).is_stale);
  Store(&cache, NameOf(999), 1000, 1);
  EXPECT_TRUE(Find(&cache, NameOf(999), 11).is_stale);
  limits.bytes_max = 0;
  cache.SetLimits(limits, 1);
  EXPECT_EQ(cache.stats().entries, 0u);
}

// Large enough for all, so the model knows what must be there.
TEST(ForwardCache, AgreesWithAMap) {
  ForwardCache cache({.stale_max_s = 40}, 7);
  struct Known {
    uint32_t stored_s;
    uint32_t ttl;
  };
  std::map<size_t, Known> model;
  Random random(20'240'501);
  uint32_t now_s = 1'000'000;
  for (int step = 0; step < 30'000; ++step) {
    now_s += random.Below(2);
    const size_t i = random.Below(300);
    switch (random.Below(8)) {
      case 0:
      case 1: {
        const uint32_t ttl = random.Below(60);
        Store(&cache, NameOf(i), ttl, now_s);
        model.erase(i);
        if (ttl != 0) model[i] = {now_s, ttl};
        break;
      }
      case 2: {
        EXPECT_EQ(EraseName(&cache, NameOf(i)), model.count(i)) << step;
        model.erase(i);
        break;
      }
      default: {
        const ForwardCache::Hit hit = Find(&cache, NameOf(i), now_s);
        const auto known = model.find(i);
        const bool there =
            known != model.end() &&
            now_s - known->second.stored_s < known->second.ttl + 40;
        ASSERT_EQ(hit.answer != nullptr, there) << step;
        if (!there) break;
        EXPECT_EQ(hit.age_s, now_s - known->second.stored_s);
        EXPECT_EQ(hit.is_stale, hit.age_s >= known->second.ttl);
        EXPECT_EQ(hit.answer->ttl, known->second.ttl);
      }
    }
  }
  size_t visited = 0;
  cache.ForEach(
      [&](const ForwardCache::Row&) {
        ++visited;
        return true;
      },
      now_s);
  size_t alive = 0;
  for (const auto& [i, known] : model) {
    alive += now_s - known.stored_s < known.ttl + 40 ? 1 : 0;
  }
  EXPECT_EQ(visited, alive);
  EXPECT_EQ(cache.stats().entries, model.size());
}

}  // namespace
}  // namespace dnsd
