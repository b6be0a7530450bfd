#include "catalog/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace dnsd {
namespace {

TEST(Parallel, DoesEverythingOnce) {
  for (const size_t threads : {1u, 2u, 5u}) {
    for (const size_t count : {0u, 1u, 7u, 64u, 1000u}) {
      std::vector<int> done(count);
      Parallel(threads, count, 7, [&](size_t begin, size_t end) {
        EXPECT_LT(begin, end);
        EXPECT_LE(end - begin, 7u);
        for (size_t i = begin; i < end; ++i) ++done[i];
      });
      EXPECT_EQ(done, std::vector<int>(count, 1)) << threads << " " << count;
    }
  }
}

TEST(Parallel, OnePartNeedsNoThread) {
  const auto here = std::this_thread::get_id();
  Parallel(8, 7, 7, [&](size_t, size_t) {
    EXPECT_EQ(std::this_thread::get_id(), here);
  });
}

TEST(Parallel, HasSeveralThreadsAtATime) {
  std::atomic<int> waiting{0};
  Parallel(3, 3, 1, [&](size_t, size_t) {
    ++waiting;
    while (waiting.load() < 3) std::this_thread::yield();
  });
  EXPECT_EQ(waiting.load(), 3);
}

}  // namespace
}  // namespace dnsd
