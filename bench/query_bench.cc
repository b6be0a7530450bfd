// ParseQuery(): header, question and EDNS of one packet.
#include <benchmark/benchmark.h>

#include <string>

#include "bench/bench_data.h"
#include "zones/query.h"

namespace dnsd {
namespace {

void Parse(benchmark::State& state, const std::string& packet) {
  for (auto _ : state) {
    Query query;
    benchmark::DoNotOptimize(ParseQuery(
        {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
        &query));
    benchmark::DoNotOptimize(query);
  }
}

const char kName[] = "service-000042.service.consul.";

void ParsePlain(benchmark::State& state) {
  Parse(state, bench::MakeQuery({kName, kTypeA, 0}));
}
BENCHMARK(ParsePlain);

void ParseEdns(benchmark::State& state) {
  Parse(state, bench::MakeQuery({kName, kTypeA, 1232}));
}
BENCHMARK(ParseEdns);

// A header and rubbish: how fast a flood of it is thrown away.
void ParseGarbage(benchmark::State& state) {
  std::string packet = bench::MakeQuery({kName, kTypeA, 0});
  packet[12] = '\xff';
  Parse(state, packet);
}
BENCHMARK(ParseGarbage);

}  // namespace
}  // namespace dnsd
