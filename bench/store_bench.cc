// Durable commits through the store: so many in flight at a time, each of one
// record of 300 bytes. TMPDIR chooses the disk.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "catalog/base/event_loop.h"
#include "catalog/registry/memory_store.h"
#include "catalog/registry/sqlite_store.h"

namespace dnsd {
namespace {

namespace fs = std::filesystem;

constexpr size_t kValueBytes = 300;

// Keeps `in_flight` commits going until `count` are done, and the loop runs.
class Driver {
 public:
  Driver(EventLoop* loop, Store* store, int64_t keys, bool in_order)
      : loop_(loop), store_(store), keys_(keys), in_order_(in_order) {}

  void Run(int64_t in_flight, int64_t count) {
    to_start_ = count;
    to_finish_ = count;
    for (int64_t i = 0; i < in_flight; ++i) Start();
    loop_->Run();
  }

 private:
  void Start() {
    if (to_start_-- <= 0) return;
    const uint64_t number =
        (in_order_ ? next_++ : random_()) % static_cast<uint64_t>(keys_);
    std::vector<StoreWrite> writes;
    writes.push_back(
        {absl::StrCat("service/dc1/node-", number / 20, "/web-", number % 20),
         std::string(kValueBytes, 'v')});
    store_->Commit(std::move(writes), [this](const absl::Status& status) {
      DNSD_CHECK(status.ok());
      Start();
      if (--to_finish_ == 0) loop_->Stop();
    });
  }

  EventLoop* loop_;
  Store* store_;
  int64_t keys_;
  bool in_order_;
  uint64_t next_ = 0;
  std::mt19937_64 random_{1};
  int64_t to_start_ = 0;
  int64_t to_finish_ = 0;
};

void Report(benchmark::State& state, const StoreStats& stats, int64_t batch) {
  state.SetItemsProcessed(state.iterations() * batch);
  const auto count = static_cast<double>(stats.commit_count);
  state.counters["latency_us"] =
      static_cast<double>(stats.latency_sum_us) / count;
  state.counters["latency_max_us"] = static_cast<double>(stats.latency_max_us);
  state.counters["per_group"] = count / static_cast<double>(stats.group_count);
  state.counters["checkpoints"] = static_cast<double>(stats.checkpoint_count);
  state.counters["checkpoint_max_us"] =
      static_cast<double>(stats.checkpoint_max_us);
}

void Sqlite(benchmark::State& state, bool in_order) {
  const int64_t in_flight = state.range(0);
  const int64_t keys = state.range(1);
  std::string pattern = fs::temp_directory_path() / "dnsd-bench-XXXXXX";
  DNSD_CHECK(mkdtemp(pattern.data()) != nullptr);
  {
    EventLoop loop;
    auto store = OpenSqliteStore(&loop, pattern + "/store.db");
    DNSD_CHECK(store.ok());
    const int64_t batch = in_flight * 20;
    Driver driver(&loop, store->get(), keys, in_order);
    for (auto _ : state) driver.Run(in_flight, batch);
    Report(state, (*store)->stats(), batch);
  }
  fs::remove_all(pattern);
}

void CommitInOrder(benchmark::State& state) { Sqlite(state, true); }
void CommitAnywhere(benchmark::State& state) { Sqlite(state, false); }
BENCHMARK(CommitInOrder)
    ->ArgNames({"in_flight", "keys"})
    ->ArgsProduct({{1, 16, 1000}, {1000000}})
    ->MeasureProcessCPUTime()
    ->UseRealTime();
BENCHMARK(CommitAnywhere)
    ->ArgNames({"in_flight", "keys"})
    ->ArgsProduct({{1, 16, 1000}, {1000, 1000000}})
    ->MeasureProcessCPUTime()
    ->UseRealTime();

void CommitInMemory(benchmark::State& state) {
  const int64_t in_flight = state.range(0);
  EventLoop loop;
  const std::unique_ptr<Store> store = OpenMemoryStore(&loop);
  Driver driver(&loop, store.get(), 1000000, true);
  for (auto _ : state) driver.Run(in_flight, in_flight * 20);
  Report(state, store->stats(), in_flight * 20);
}
BENCHMARK(CommitInMemory)
    ->ArgName("in_flight")
    ->Arg(1)
    ->Arg(1000)
    ->MeasureProcessCPUTime()
    ->UseRealTime();

}  // namespace
}  // namespace dnsd
