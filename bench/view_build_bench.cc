// From a change to the view that shows it: State::Apply(), ViewBuilder and
// Published::Exchange(), as the sync thread runs them.
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <string>

#include "bench/bench_data.h"
#include "bench/changing_view.h"
#include "catalog/base/check.h"
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

// Made once: the library runs a benchmark several times to find its pace.
bench::ChangingView& ViewOf(int64_t services) {
  static std::map<int64_t, std::unique_ptr<bench::ChangingView>> views;
  std::unique_ptr<bench::ChangingView>& view = views[services];
  if (view == nullptr) {
    view = std::make_unique<bench::ChangingView>(static_cast<size_t>(services));
  }
  return *view;
}

void Sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgName("services")->Arg(1000)->Arg(100000);
  bench->Unit(benchmark::kMicrosecond);
}

// One instance changes its port; another service each time.
void ChangePort(benchmark::State& state) {
  bench::ChangingView& view = ViewOf(state.range(0));
  for (auto _ : state) view.ChangePorts(1);
}
BENCHMARK(ChangePort)->Apply(Sizes);

// One instance turns critical and back: what a failing check costs.
void FlipCheck(benchmark::State& state) {
  bench::ChangingView& view = ViewOf(state.range(0));
  bool critical = false;
  bench::Place place;
  for (auto _ : state) {
    critical = !critical;
    if (critical) place = view.PlaceOf(view.NextStep() * 7919);
    Check check;
    check.id = "service:" + place.instance.id.str();
    check.service_id = place.instance.id;
    check.status = critical ? HealthStatus::kCritical : HealthStatus::kPassing;
    view.Apply(UpsertCheck{place.node, check});
  }
}
BENCHMARK(FlipCheck)->Apply(Sizes);

// A node's address changes: everything on it (some twenty services).
void MoveNode(benchmark::State& state) {
  bench::ChangingView& view = ViewOf(state.range(0));
  for (auto _ : state) {
    const size_t step = view.NextStep();
    Node node;
    node.name = view.PlaceOf(step * 7919).node.node;
    node.datacenter = "dc1";
    node.address = "10.200." + std::to_string(step >> 8 & 255) + "." +
                   std::to_string(step & 255);
    view.Apply(UpsertNode{node});
  }
}
BENCHMARK(MoveNode)->Apply(Sizes);

}  // namespace
}  // namespace dnsd
