// One publisher changes the addresses of a service so that each of them says
// which generation it belongs to; workers ask all the while, as the server's
// do. Every answer must be of one generation, whole, and none older than the
// answer before it. Other services come and go, so that the table is split
// and joined under the readers.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "tests/testing/catalog_maker.h"
#include "tests/testing/rr_text.h"
#include "tests/testing/seeds.h"
#include "tests/zones/view_dump.h"
#include "zones/responder.h"
#include "zones/view_builder.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::BuildQuery;
using testing::Dump;
using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using testing::QueryOptions;
using testing::Scaled;
using testing::TestSeed;
using testing::ViewLine;

constexpr uint32_t kInstances = 4;
constexpr size_t kAddressBytes = 16;

// 2001:db8:<generation>::<index>
std::string Address(uint32_t generation, uint32_t index) {
  return absl::StrFormat("2001:db8:%x:%x::%x", generation >> 16,
                         generation & 0xffff, index);
}

// What the AAAA records of a response say.
struct Seen {
  uint32_t generation = 0;
  uint32_t addresses = 0;
  uint32_t srvs = 0;
  bool whole = false;  // well-formed, one generation, every index once
};

size_t SkipName(std::span<const uint8_t> packet, size_t at) {
  while (at < packet.size() && packet[at] != 0) {
    if (packet[at] >= 0xc0) return at + 2;
    at += 1u + packet[at];
  }
  return at + 1;
}

Seen Read(std::span<const uint8_t> packet) {
  Seen seen;
  uint32_t indexes = 0;
  size_t at = SkipName(packet, kHeaderBytes) + 4;
  const int records =
      Load16(&packet[6]) + Load16(&packet[8]) + Load16(&packet[10]);
  for (int i = 0; i < records; ++i) {
    at = SkipName(packet, at);
    if (at + 10 > packet.size()) return seen;
    const uint16_t type = Load16(&packet[at]);
    const size_t size = Load16(&packet[at + 8]);
    at += 10;
    if (at + size > packet.size()) return seen;
    if (type == kTypeSrv) ++seen.srvs;
    if (type == kTypeAaaa) {
      const uint32_t generation = Load32(&packet[at + 4]);
      if (seen.addresses > 0 && generation != seen.generation) return seen;
      if (size != kAddressBytes || Load32(&packet[at]) != 0x20010db8) {
        return seen;
      }
      seen.generation = generation;
      indexes |= 1u << packet[at + kAddressBytes - 1];
      ++seen.addresses;
    }
    at += size;
  }
  seen.whole = at == packet.size() && seen.addresses == kInstances &&
               indexes == (1u << kInstances) - 1;
  return seen;
}

struct Result {
  uint64_t answers = 0;
  uint64_t broken = 0;
  uint64_t backwards = 0;
  uint64_t generations = 0;
};

void Ask(const Published<View>& published, Qsbr::Reader reader, uint64_t seed,
         const std::atomic<bool>& done, Result* result) {
  QueryOptions options;
  options.edns.emplace();
  const std::string packets[] = {
      BuildQuery("web.service.consul.", kTypeAaaa, options),
      BuildQuery("web.service.consul.", kTypeSrv, options),
      BuildQuery("v1.web.service.consul.", kTypeAny, {})};
  RespondContext context;
  context.random = Random(seed);
  std::vector<uint8_t> out(kResponseBytesMax);
  uint32_t last = 0;
  bool last_round = false;
  while (!last_round) {
    last_round = done.load(std::memory_order_acquire);
    // A batch of queries per loop turn, then offline as before epoll.
    const View* view = published.Read(reader);
    for (int i = 0; i < 8; ++i) {
      const std::string& packet = packets[i % 3];
      const Response response = Respond(
          {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()},
          Transport::kUdp, *view, &context, out.data());
      const Seen seen = Read({out.data(), response.size});
      ++result->answers;
      if (!seen.whole) ++result->broken;
      if (i % 3 == 1 && seen.srvs != kInstances) ++result->broken;
      if (seen.generation < last) ++result->backwards;
      if (seen.generation != last) ++result->generations;
      last = seen.generation;
      if (i == 3) view = published.Read(reader);  // perhaps a newer one
    }
    reader.Offline();
  }
}

BatchMaker Generation(uint32_t generation) {
  BatchMaker batch;
  for (uint32_t i = 0; i < kInstances; ++i) {
    batch.Put({"dc1", "n" + std::to_string(i)},
              MakeInstance("web", "web", Address(generation, i), 80, {"v1"}));
  }
  return batch;
}

// Adds or drops services that nobody asks for.
void Churn(uint32_t step, State* state, Dirty* dirty) {
  BatchMaker batch;
  for (uint32_t i = 0; i < 4; ++i) {
    const std::string name = "s" + std::to_string((step * 4 + i) % 256);
    if ((step / 64) % 2 == 0) {
      batch.Put({"dc1", "n0"}, MakeInstance(name, name, "10.0.0.1"));
    } else {
      batch.DropInstance({"dc1", "n0"}, name);
    }
  }
  state->Apply(batch.batch(), dirty).IgnoreError();
}

TEST(ViewStress, AnswersAreOfOneGenerationAndNeverGoBack) {
  constexpr size_t kReaders = 3;
  const uint64_t seed = TestSeed();
  State state;
  ViewLine line;
  Dirty dirty;
  for (uint32_t i = 0; i < kInstances; ++i) {
    BatchMaker()
        .Put(MakeNode("n" + std::to_string(i), "10.0.0.1"))
        .ApplyTo(&state);
  }
  dirty = state.Everything();
  state.Apply(Generation(1).batch(), &dirty).IgnoreError();
  line.Publish(state, dirty);

  std::atomic<bool> done{false};
  std::vector<Result> results(kReaders);
  std::vector<std::thread> threads;
  threads.reserve(kReaders);
  for (size_t i = 0; i < kReaders; ++i) {
    threads.emplace_back([&, i, reader = line.qsbr().Register()] {
      Ask(line.published(), reader, seed + i, done, &results[i]);
    });
  }
  const auto versions = static_cast<uint32_t>(Scaled(20000));
  for (uint32_t step = 2; step < versions; ++step) {
    dirty = {};
    state.Apply(Generation(step).batch(), &dirty).IgnoreError();
    Churn(step, &state, &dirty);
    line.Publish(state, dirty);
    if (step % 16 == 0) std::this_thread::yield();
  }
  done.store(true, std::memory_order_release);
  for (std::thread& thread : threads) thread.join();
  for (const Result& result : results) {
    EXPECT_GT(result.answers, 0u);
    EXPECT_EQ(result.broken, 0u) << "of " << result.answers << " answers";
    EXPECT_EQ(result.backwards, 0u);
    EXPECT_GE(result.generations, 1u);
  }
  EXPECT_EQ(line.qsbr().Reclaim(), 0u);
}

// The first view is compiled by several threads, later ones by one.
TEST(ViewStress, AFirstViewOfManyNamesIsAsAnyOther) {
  constexpr int kServices = 3000;
  State state;
  BatchMaker batch;
  for (int i = 0; i < 10; ++i) {
    const std::string node = "n" + std::to_string(i);
    batch.Put(MakeNode(node, "10.0.0." + std::to_string(i)));
    for (int k = i; k < kServices; k += 5) {
      const std::string id = node + "-" + std::to_string(k);
      const std::string address =
          absl::StrFormat("10.%d.%d.%d", i, k / 256, k % 256);
      batch.Put({"dc1", node},
                MakeInstance(id, "s" + std::to_string(k), address));
      if (k % 7 == 0) {
        batch.Put({"dc1", node},
                  MakeCheck("c" + id, id, HealthStatus::kCritical));
      }
    }
  }
  ViewLine later;
  later.Publish(state, {});
  later.Publish(state, batch.ApplyTo(&state));
  ViewLine first;
  first.Publish(state, {});
  EXPECT_EQ(Dump(first.view()), Dump(later.view()));
  EXPECT_EQ(first.view().content, later.view().content);
}

}  // namespace
}  // namespace dnsd
