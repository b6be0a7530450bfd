// From a change to the view that shows it: State::Apply(), ViewBuilder and
// Published::Exchange(), as the sync thread runs them.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <string>

#include "bench/bench_data.h"
#include "catalog/base/check.h"
#include "catalog/published.h"
#include "zones/view_builder.h"

namespace dnsd {
namespace {

constexpr size_t kInstances = 10;

void FullBuild(benchmark::State& state) {
  const auto services = static_cast<size_t>(state.range(0));
  State catalog;
  bench::FillState({services, kInstances}, &catalog);
  const ZonePolicy policy = bench::MakePolicy(Compat::kRfc);
  for (auto _ : state) {
    benchmark::DoNotOptimize(BuildView(catalog, policy, {}, 1));
  }
  state.SetItemsProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(services * kInstances));
}
BENCHMARK(FullBuild)
    ->ArgName("services")
    ->Arg(1000)
    ->Arg(10000)
    ->Unit(benchmark::kMillisecond);

// A line of views over a catalog, and changes to it.
class Line {
 public:
  explicit Line(size_t services) : size_{services, kInstances} {
    bench::FillState(size_, &state_);
    builder_.SetPolicy(bench::MakePolicy(Compat::kRfc));
    Publish({});
  }
  ~Line() { builder_.FinishLine(); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  void Apply(Change change) {
    ChangeBatch batch;
    batch.changes.push_back(std::move(change));
    Dirty dirty;
    DNSD_CHECK(state_.Apply(batch, &dirty).ok());
    Publish(dirty);
  }
  // Counts through all benchmarks of a line, so that no change repeats one
  // made before: that would be no change.
  [[nodiscard]] size_t NextStep() { return step_++; }
  [[nodiscard]] bench::Place PlaceOf(size_t service) const {
    return bench::MakePlace(service % size_.services, 3, size_.node_count());
  }

 private:
  void Publish(const Dirty& dirty) {
    published_.Exchange(builder_.Build(state_, dirty, ++serial_));
    qsbr_.Reclaim();
  }

  bench::CatalogSize size_;
  State state_;
  Qsbr qsbr_;
  Published<View> published_{&qsbr_};
  ViewBuilder builder_{0x5eed, &qsbr_};
  uint32_t serial_ = 0;
  size_t step_ = 0;
};

// Made once: the library runs a benchmark several times to find its pace.
Line& LineOf(int64_t services) {
  static std::map<int64_t, std::unique_ptr<Line>> lines;
  std::unique_ptr<Line>& line = lines[services];
  if (line == nullptr) {
    line = std::make_unique<Line>(static_cast<size_t>(services));
  }
  return *line;
}

void Sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgName("services")->Arg(1000)->Arg(100000);
  bench->Unit(benchmark::kMicrosecond);
}

// One instance changes its port; another service each time.
void ChangePort(benchmark::State& state) {
  Line& line = LineOf(state.range(0));
  for (auto _ : state) {
    const size_t step = line.NextStep();
    bench::Place place = line.PlaceOf(step * 7919);
    place.instance.port = static_cast<uint16_t>(step);
    line.Apply(UpsertInstance{place.node, place.instance});
  }
}
BENCHMARK(ChangePort)->Apply(Sizes);

// One instance turns critical and back: what a failing check costs.
void FlipCheck(benchmark::State& state) {
  Line& line = LineOf(state.range(0));
  bool critical = false;
  bench::Place place;
  for (auto _ : state) {
    critical = !critical;
    if (critical) place = line.PlaceOf(line.NextStep() * 7919);
    Check check;
    check.id = "service:" + place.instance.id;
    check.service_id = place.instance.id;
    check.status = critical ? HealthStatus::kCritical : HealthStatus::kPassing;
    line.Apply(UpsertCheck{place.node, check});
  }
}
BENCHMARK(FlipCheck)->Apply(Sizes);

// A node's address changes: everything on it (some twenty services).
void MoveNode(benchmark::State& state) {
  Line& line = LineOf(state.range(0));
  for (auto _ : state) {
    const size_t step = line.NextStep();
    Node node;
    node.name = line.PlaceOf(step * 7919).node.node;
    node.datacenter = "dc1";
    node.address = "10.200." + std::to_string(step >> 8 & 255) + "." +
                   std::to_string(step & 255);
    line.Apply(UpsertNode{node});
  }
}
BENCHMARK(MoveNode)->Apply(Sizes);

}  // namespace
}  // namespace dnsd
