// A cached answer of an upstream, from packet to packet: ParseQuery(),
// ForwardCache::Find() and WriteForClient(). Names are asked in
// random order; an answer has four A records.
//
// Arguments: names in the cache.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bench/bench_data.h"
#include "dnsd/forward/forward_cache.h"
#include "dnsd/forward/upstream_answer.h"
#include "zones/query.h"
#include "zones/random.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

constexpr size_t kAskedNames = 1 << 15;

std::string MakePacket(size_t name) {
  return bench::MakeQuery(
      {bench::ServiceName(name) + ".example.com.", kTypeA, 1232});
}

// The upstream's reply to our query: its question, and four addresses.
std::string MakeReply(const SentQuery& sent) {
  std::string reply = WriteUpstreamQuery(sent);
  reply[2] = static_cast<char>(0x81);
  reply[3] = static_cast<char>(0x80);
  reply[7] = 4;
  for (int i = 0; i < 4; ++i) {
    // Owner, A, IN, a TTL of 3600, 4 bytes.
    const char record[] = {'\xc0', 12, 0, 1, 0,  1, 0, 0,
                           14,     16, 0, 4, 10, 0, 0};
    reply.append(record, sizeof(record));
    reply += static_cast<char>(i);
  }
  return reply;
}

void FindAndWrite(benchmark::State& state) {
  const auto names = static_cast<size_t>(state.range(0));
  ForwardCacheLimits limits;
  limits.bytes_max = size_t{1} << 30;
  ForwardCache cache(limits, 1);
  for (size_t i = 0; i < names; ++i) {
    const std::string packet = MakePacket(i);
    Query query;
    if (ParseQuery(WireBytes(packet), &query) != ParseResult::kOk) {
      return state.SkipWithError("no query");
    }
    SentQuery sent;
    sent.question = ForwardKey(query).Kept();
    UpstreamAnswer answer;
    if (ReadReply(WireBytes(MakeReply(sent)), sent, false, &answer) !=
        ReplyVerdict::kAnswer) {
      return state.SkipWithError("no answer");
    }
    cache.Store(sent.question, std::move(answer), 0);
  }
  Random random(1);
  std::vector<std::string> packets;
  packets.reserve(kAskedNames);
  for (size_t i = 0; i < kAskedNames; ++i) {
    packets.push_back(MakePacket(random.Below(static_cast<uint32_t>(names))));
  }
  std::vector<uint8_t> out(kResponseBytesMax);
  size_t i = 0;
  size_t bytes = 0;
  for (auto _ : state) {
    Query query;
    if (ParseQuery(WireBytes(packets[i++ % kAskedNames]), &query) !=
        ParseResult::kOk) {
      return state.SkipWithError("no query");
    }
    const ForwardCache::Hit hit = cache.Find(query, 10);
    if (hit.answer == nullptr) return state.SkipWithError("not there");
    bytes = WriteForClient(*hit.answer, query, Transport::kUdp,
                           {.age_s = hit.age_s}, &random, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes);
  state.counters["bytes_per_entry"] =
      static_cast<double>(cache.stats().bytes) / static_cast<double>(names);
}
BENCHMARK(FindAndWrite)->ArgName("names")->Arg(1000)->Arg(100000);

}  // namespace
}  // namespace dnsd
