#include "catalog/base/shared.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dnsd {
namespace {

using Texts = std::vector<std::string>;

TEST(Shared, IsItsValue) {
  Shared<Texts> tags = {"a", "b"};
  EXPECT_EQ(tags, Texts({"a", "b"}));
  EXPECT_EQ(tags.size(), 2u);
  EXPECT_EQ(std::as_const(tags)[1], "b");
  const Texts& plain = tags;
  EXPECT_EQ(plain, Texts({"a", "b"}));
  Shared<std::map<std::string, int>> map = {{"k", 1}};
  map["l"] = 2;
  EXPECT_EQ(map, (std::map<std::string, int>{{"k", 1}, {"l", 2}}));
  const Shared<std::string> text = "text";
  EXPECT_EQ(text, "text");
  EXPECT_EQ(absl::string_view(text), "text");
}

TEST(Shared, EmptyHasNoBlockAndEqualsWhatWasEmptied) {
  Shared<std::string> text;
  EXPECT_EQ(text, "");
  Shared<std::string> emptied = "x";
  emptied.Edit().clear();
  EXPECT_EQ(text, emptied);
  emptied.clear();
  EXPECT_TRUE(emptied.empty());
}

TEST(Shared, CopiesShareUntilOneChanges) {
  Shared<Texts> one = {"a"};
  Shared<Texts> two = one;
  EXPECT_EQ(&*one, &*two);
  EXPECT_FALSE(one.is_alone());
  two.push_back("b");
  EXPECT_EQ(one, Texts({"a"}));
  EXPECT_EQ(two, Texts({"a", "b"}));
  EXPECT_TRUE(one.is_alone());
  Shared<Texts> three = std::move(two);
  EXPECT_TRUE(three.is_alone());
  one = one;
  EXPECT_EQ(one, Texts({"a"}));
}

TEST(Shared, IsCountedByManyThreads) {
  const Shared<std::string> text = std::string(100, 'x');
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&text] {
      for (int k = 0; k < 10'000; ++k) {
        Shared<std::string> copy = text;
        copy.Edit() += "y";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(text.is_alone());
  EXPECT_EQ(text.size(), 100u);
}

TEST(SharedPool, MakesEqualOnesShare) {
  SharedPool<std::string> pool;
  Shared<std::string> one = "health";
  Shared<std::string> two = "health";
  Shared<std::string> other = "other";
  for (auto* text : {&one, &two, &other}) pool.Unite(text);
  EXPECT_EQ(&*one, &*two);
  EXPECT_EQ(other, "other");
  Shared<std::string> empty;
  empty.Edit().clear();
  pool.Unite(&empty);
  EXPECT_TRUE(empty.is_alone());
}

TEST(SharedPool, ForgetsWhatNobodyHas) {
  SharedPool<std::string> pool;
  Shared<std::string> kept = "kept";
  Shared<std::string> gone = "gone";
  pool.Unite(&kept);
  pool.Unite(&gone);
  const std::string* const before = &*kept;
  const Shared<std::string> other = gone;
  pool.Sweep();
  EXPECT_FALSE(other.is_alone()) << "somebody else has it";
  gone.clear();
  EXPECT_FALSE(other.is_alone()) << "the pool has it";
  Shared<std::string> again = "kept";
  pool.Unite(&again);
  EXPECT_EQ(&*again, before);
}

TEST(SharedPool, SweepsByItself) {
  SharedPool<std::string> pool;
  std::vector<Shared<std::string>> kept;
  for (int i = 0; i < 10'000; ++i) {
    Shared<std::string> passing = std::to_string(i);
    pool.Unite(&passing);
    if (i % 100 == 0) kept.push_back(passing);
  }
  // All but what is kept and the last ones: nothing else holds them.
  EXPECT_LT(pool.size(), 3'000u);
  EXPECT_GE(pool.size(), kept.size());
}

}  // namespace
}  // namespace dnsd
