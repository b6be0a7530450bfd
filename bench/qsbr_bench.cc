// What publication costs a reader per batch of queries and a writer per
// change.
#include <benchmark/benchmark.h>

#include <memory>

#include "catalog/published.h"
#include "catalog/qsbr.h"

namespace dnsd {
namespace {

// A worker that has work: one Read() per batch, online all the time.
void ReadOnline(benchmark::State& state) {
  Qsbr qsbr;
  Published<int> published(&qsbr);
  published.Exchange(std::make_unique<const int>(1));
  Qsbr::Reader reader = qsbr.Register();
  for (auto _ : state) benchmark::DoNotOptimize(published.Read(reader));
  reader.Offline();
}
BENCHMARK(ReadOnline);

// A worker that sleeps after each batch.
void ReadAndGoOffline(benchmark::State& state) {
  Qsbr qsbr;
  Published<int> published(&qsbr);
  published.Exchange(std::make_unique<const int>(1));
  Qsbr::Reader reader = qsbr.Register();
  for (auto _ : state) {
    benchmark::DoNotOptimize(published.Read(reader));
    reader.Offline();
  }
}
BENCHMARK(ReadAndGoOffline);

// The writer's side, with so many registered readers to look at.
void ExchangeAndReclaim(benchmark::State& state) {
  Qsbr qsbr;
  Published<int> published(&qsbr);
  for (int64_t i = 0; i < state.range(0); ++i) (void)qsbr.Register();
  for (auto _ : state) {
    published.Exchange(std::make_unique<const int>(1));
    benchmark::DoNotOptimize(qsbr.Reclaim());
  }
}
BENCHMARK(ExchangeAndReclaim)->ArgName("readers")->Arg(1)->Arg(64);

}  // namespace
}  // namespace dnsd
