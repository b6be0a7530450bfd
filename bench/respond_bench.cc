// Respond(): a whole query from packet to packet, without sockets. Services
// have five instances on five nodes; names are asked in random order among
// all services of a catalog, so a large one shows its cache misses.
//
// Arguments: services; EDNS size, 0 for none; 1 for compat = "consul".
#include <benchmark/benchmark.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench/bench_data.h"
#include "zones/responder.h"
#include "zones/view_builder.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr size_t kInstances = 5;
constexpr size_t kAskedNames = 1 << 15;

struct Shape {
  uint16_t type;
  size_t first;  // of the services asked for
};

std::vector<std::string> MakePackets(size_t services, Shape shape,
                                     uint16_t edns_bytes) {
  Random random(1);
  std::vector<std::string> packets;
  packets.reserve(kAskedNames);
  for (size_t i = 0; i < kAskedNames; ++i) {
    const size_t service =
        shape.first + random.Below(static_cast<uint32_t>(services));
    packets.push_back(
        bench::MakeQuery({bench::ServiceName(service) + ".service.consul.",
                          shape.type, edns_bytes}));
  }
  return packets;
}

// Made once: the library runs a benchmark several times to find its pace.
const View& ViewOf(size_t services, Compat compat) {
  static std::map<std::pair<size_t, Compat>, std::unique_ptr<const View>> views;
  std::unique_ptr<const View>& view = views[{services, compat}];
  if (view == nullptr) {
    State catalog;
    bench::FillState({services, kInstances}, &catalog);
    view = BuildView(catalog, bench::MakePolicy(compat), {}, 1);
  }
  return *view;
}

void RespondTo(benchmark::State& state, Shape shape, Outcome expected) {
  const auto services = static_cast<size_t>(state.range(0));
  const auto edns_bytes = static_cast<uint16_t>(state.range(1));
  const Compat compat = state.range(2) == 1 ? Compat::kConsul : Compat::kRfc;
  const View& view = ViewOf(services, compat);
  const std::vector<std::string> packets =
      MakePackets(services, shape, edns_bytes);
  RespondContext context;
  std::vector<uint8_t> out(kResponseBytesMax);
  size_t i = 0;
  size_t bytes = 0;
  for (auto _ : state) {
    const std::string& packet = packets[i++ % kAskedNames];
    const Response response = Respond(
        {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
        Transport::kUdp, view, &context, out.data());
    if (response.outcome != expected) {
      return state.SkipWithError("another outcome");
    }
    bytes = response.size;
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

void Shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"services", "edns", "consul"});
  for (int services : {1000, 100000}) {
    for (int compat : {0, 1}) {
      bench->Args({services, 1232, compat});
    }
  }
}

void A(benchmark::State& state) {
  RespondTo(state, {kTypeA, 0}, Outcome::kAnswered);
}
BENCHMARK(A)->Apply(Shapes);

void Srv(benchmark::State& state) {
  RespondTo(state, {kTypeSrv, 0}, Outcome::kAnswered);
}
BENCHMARK(Srv)->Apply(Shapes);

void Nxdomain(benchmark::State& state) {
  RespondTo(state, {kTypeA, 500000}, Outcome::kNxdomain);
}
BENCHMARK(Nxdomain)->Apply(Shapes);

// Without EDNS: five A records fit 512 bytes in kRfc; Consul cuts to three.
void APlainRfc(benchmark::State& state) {
  RespondTo(state, {kTypeA, 0}, Outcome::kAnswered);
}
BENCHMARK(APlainRfc)
    ->ArgNames({"services", "edns", "consul"})
    ->Args({1000, 0, 0});

void APlainConsul(benchmark::State& state) {
  RespondTo(state, {kTypeA, 0}, Outcome::kTruncated);
}
BENCHMARK(APlainConsul)
    ->ArgNames({"services", "edns", "consul"})
    ->Args({1000, 0, 1});

// One service of so many instances: an answer is a part of them, which must
// not cost more for there being more to choose from.
void OfManyInstances(benchmark::State& state, uint16_t type) {
  State catalog;
  bench::FillState({1, static_cast<size_t>(state.range(0))}, &catalog);
  const auto view = BuildView(catalog, bench::MakePolicy(Compat::kRfc), {}, 1);
  const std::string packet = bench::MakeQuery(
      {bench::ServiceName(0) + ".service.consul.", type, 1232});
  RespondContext context;
  std::vector<uint8_t> out(kResponseBytesMax);
  size_t bytes = 0;
  for (auto _ : state) {
    const Response response = Respond(
        {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
        Transport::kUdp, *view, &context, out.data());
    bytes = response.size;
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK_CAPTURE(OfManyInstances, a, kTypeA)
    ->ArgName("instances")
    ->Arg(3)
    ->Arg(70)
    ->Arg(10000);
BENCHMARK_CAPTURE(OfManyInstances, srv, kTypeSrv)
    ->ArgName("instances")
    ->Arg(3)
    ->Arg(10)
    ->Arg(10000);

}  // namespace
}  // namespace dnsd
