// Parallel() does work that falls into independent parts on several threads.
//
// Threads:   any. `work` runs on the caller's thread and on others that end
//            with it; what it writes may be read when Parallel() returns.
#ifndef DNSD_CATALOG_BASE_PARALLEL_H_
#define DNSD_CATALOG_BASE_PARALLEL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "catalog/base/thread.h"

namespace dnsd {

// As many as there are processors, but no more than eight: what they make is
// put into its place by one.
inline size_t UsefulThreads() {
  return std::clamp(std::thread::hardware_concurrency(), 1u, 8u);
}

// Calls `work(begin, end)` for parts of at most `part` that together are
// [0, count), on `threads` threads; on this one alone when there is one part.
inline void Parallel(size_t threads, size_t count, size_t part,
                     const std::function<void(size_t, size_t)>& work) {
  std::atomic<size_t> next{0};
  const auto run = [&] {
    for (;;) {
      const size_t begin = next.fetch_add(part, std::memory_order_relaxed);
      if (begin >= count) return;
      work(begin, std::min(begin + part, count));
    }
  };
  const size_t parts = (count + part - 1) / part;
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min(threads, parts); ++i) {
    others.push_back(StartThread(run));
  }
  run();
  for (std::thread& other : others) other.join();
}

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_PARALLEL_H_
