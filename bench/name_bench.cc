// Reading a question's name: check, lower case, label offsets.
#include <benchmark/benchmark.h>

#include <string>

#include "zones/entry.h"
#include "zones/name.h"

namespace dnsd {
namespace {

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void ParseNameOf(benchmark::State& state, const char* text) {
  std::string wire;
  if (!NameToWire(text, &wire)) return state.SkipWithError("no name");
  Name name;
  for (auto _ : state) {
    benchmark::DoNotOptimize(ParseName(Bytes(wire), &name));
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations()) *
                          static_cast<int64_t>(wire.size()));
}
BENCHMARK_CAPTURE(ParseNameOf, short, "web.service.consul.");
BENCHMARK_CAPTURE(ParseNameOf, tagged,
                  "v1.api-gateway-internal.service.dc1.consul.");
BENCHMARK_CAPTURE(ParseNameOf, ip6_arpa,
                  "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0."
                  "1.0.0.2.ip6.arpa.");

void HashOfKey(benchmark::State& state) {
  const std::string key("\x0eservice-000042");
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        EntryHash(0x5eed, EntryKind::kService, 0, Bytes(key)));
  }
}
BENCHMARK(HashOfKey);

}  // namespace
}  // namespace dnsd
