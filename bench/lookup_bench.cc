// View::Find() among many names: a hash, two loads and the entry's key. The
// names are asked in random order, so large tables show their cache misses.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/bench_data.h"
#include "zones/entry_builder.h"
#include "zones/name.h"
#include "zones/random.h"
#include "zones/record.h"
#include "zones/view.h"

namespace dnsd {
namespace {

constexpr uint64_t kSeed = 0x5eed;
constexpr size_t kAskedNames = 1 << 16;

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string Key(size_t index) { return Label(bench::ServiceName(index)); }

// A view of `count` services with one A record each, made without a State.
void FillView(size_t count, View* view) {
  Qsbr qsbr;
  std::vector<CowMap<Entry>::Edit> edits;
  edits.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    EntryBuilder builder;
    EntryBuilder::Lists lists;
    lists[kListA] = {
        builder.AddRecord(MakeRecord(kTypeA, 0, std::string(4, '\x0a')))};
    builder.AddSet("", "", lists);
    const std::string key = Key(i);
    const uint64_t hash = EntryHash(kSeed, EntryKind::kService, 0, Bytes(key));
    edits.push_back(
        {hash, nullptr, builder.Finish(EntryKind::kService, 0, key, hash)});
  }
  view->seed = kSeed;
  view->table = CowMap<Entry>().Apply(edits, &qsbr);
  view->owns_table = true;
}

// Made once: the library runs a benchmark several times to find its pace.
const View& ViewOf(size_t count) {
  static std::map<size_t, std::unique_ptr<View>> views;
  std::unique_ptr<View>& view = views[count];
  if (view == nullptr) {
    view = std::make_unique<View>();
    FillView(count, view.get());
  }
  return *view;
}

void Ask(benchmark::State& state, size_t first) {
  const auto count = static_cast<size_t>(state.range(0));
  const View& view = ViewOf(count);
  Random random(1);
  std::vector<std::string> keys;
  keys.reserve(kAskedNames);
  for (size_t i = 0; i < kAskedNames; ++i) {
    keys.push_back(Key(first + random.Below(static_cast<uint32_t>(count))));
  }
  size_t i = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        view.Find(EntryKind::kService, 0, Bytes(keys[i++ % kAskedNames])));
  }
  state.counters["shards"] = static_cast<double>(view.table.shard_count());
}

void FindHit(benchmark::State& state) { Ask(state, 0); }
BENCHMARK(FindHit)->Arg(1000)->Arg(100000)->Arg(1000000);

void FindMiss(benchmark::State& state) { Ask(state, 2000000); }
BENCHMARK(FindMiss)->Arg(1000)->Arg(100000)->Arg(1000000);

}  // namespace
}  // namespace dnsd
