// Published<T> and Qsbr under load: one writer publishes versions that carry
// a generation and a hash over it; readers go online and offline in many
// rhythms and check that no version they hold is torn, lost or freed. A
// version poisons itself when it is freed, so a reader that still holds it
// finds the poison instead of a crash that may not come.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "catalog/published.h"
#include "catalog/qsbr.h"
#include "tests/testing/seeds.h"
#include "zones/random.h"

namespace dnsd {
namespace {

using testing::Scaled;
using testing::TestSeed;

constexpr size_t kWords = 16;

// What is published: words that all follow from the generation.
struct Version {
  explicit Version(uint64_t g) : generation(g) {
    Random random(g);
    for (auto& word : words) word = random.Next();
  }
  ~Version() {
    // Volatile: stores to a dying object are else left out.
    volatile uint64_t* poison = words.data();
    for (size_t i = 0; i < kWords; ++i) poison[i] = 0xdeaddeaddeaddead;
  }
  Version(const Version&) = delete;
  Version& operator=(const Version&) = delete;

  [[nodiscard]] bool IsWhole() const {
    Random random(generation);
    for (uint64_t word : words) {
      if (word != random.Next()) return false;
    }
    return true;
  }

  uint64_t generation;
  std::array<uint64_t, kWords> words;
};

struct Shared {
  Qsbr qsbr;
  Published<Version> published{&qsbr};
  std::atomic<bool> done{false};
};

struct ReaderResult {
  uint64_t reads = 0;
  uint64_t generations = 0;  // how many different ones it saw
  uint64_t torn = 0;
  uint64_t backwards = 0;
  uint64_t changed_while_held = 0;
  uint64_t missing = 0;
};

void CheckHeld(const std::vector<const Version*>& held,
               const std::vector<uint64_t>& generations, ReaderResult* result) {
  for (size_t i = 0; i < held.size(); ++i) {
    if (!held[i]->IsWhole()) ++result->torn;
    if (held[i]->generation != generations[i]) ++result->changed_while_held;
  }
}

// Reads until the writer is done; each online phase holds every version it
// got until its end.
ReaderResult Read(Shared* shared, Qsbr::Reader reader, uint64_t seed) {
  ReaderResult result;
  Random random(seed);
  uint64_t last = 0;
  std::vector<const Version*> held;
  std::vector<uint64_t> generations;
  bool last_round = false;
  while (!last_round) {
    // The last round begins after the last publication.
    last_round = shared->done.load(std::memory_order_acquire);
    held.clear();
    generations.clear();
    for (uint32_t i = random.Below(8); i < 8; ++i) {
      const Version* version = shared->published.Read(reader);
      ++result.reads;
      if (version == nullptr) {
        ++result.missing;
        continue;
      }
      if (version->generation < last) ++result.backwards;
      if (version->generation != last) ++result.generations;
      last = version->generation;
      held.push_back(version);
      generations.push_back(last);
      if (random.Below(4) == 0) std::this_thread::yield();
    }
    CheckHeld(held, generations, &result);
    reader.Offline();
    if (random.Below(16) == 0) std::this_thread::yield();
  }
  return result;
}

void Stress(int readers, int versions) {
  Shared shared;
  Random random(TestSeed());
  shared.published.Exchange(std::make_unique<const Version>(1));

  std::vector<ReaderResult> results(static_cast<size_t>(readers));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&shared, &results, i, seed = random.Next(),
                          reader = shared.qsbr.Register()] {
      results[i] = Read(&shared, reader, seed);
    });
  }
  for (int i = 0; i < versions; ++i) {
    shared.published.Exchange(
        std::make_unique<const Version>(static_cast<uint64_t>(i) + 2));
    // Several publications before one Reclaim() must be as safe.
    if (random.Below(3) != 0) shared.qsbr.Reclaim();
    if (random.Below(64) == 0) std::this_thread::yield();
  }
  shared.done.store(true, std::memory_order_release);
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(shared.qsbr.Reclaim(), 0u) << "with all readers offline";
  EXPECT_EQ(shared.published.current()->generation,
            static_cast<uint64_t>(versions) + 1);
  for (const ReaderResult& result : results) {
    EXPECT_EQ(result.torn, 0u);
    EXPECT_EQ(result.backwards, 0u);
    EXPECT_EQ(result.changed_while_held, 0u);
    EXPECT_EQ(result.missing, 0u);
    EXPECT_GT(result.reads, 0u);
    EXPECT_GE(result.generations, 1u);
  }
}

TEST(QsbrStress, OneReader) { Stress(1, Scaled(1000000)); }

TEST(QsbrStress, ManyReadersInManyRhythms) { Stress(6, Scaled(1000000)); }

// A reader that never goes offline keeps what it saw, however many versions
// follow, and nobody else's work stops for it.
TEST(QsbrStress, AReaderThatNeverSleepsKeepsItsVersion) {
  Shared shared;
  shared.published.Exchange(std::make_unique<const Version>(1));
  Qsbr::Reader reader = shared.qsbr.Register();
  const Version* held = shared.published.Read(reader);
  const int versions = Scaled(20000);
  std::thread writer([&] {
    for (int i = 0; i < versions; ++i) {
      shared.published.Exchange(
          std::make_unique<const Version>(static_cast<uint64_t>(i) + 2));
      shared.qsbr.Reclaim();
    }
    shared.done.store(true, std::memory_order_release);
  });
  uint64_t torn = 0;
  while (!shared.done.load(std::memory_order_acquire)) {
    if (!held->IsWhole() || held->generation != 1) ++torn;
  }
  writer.join();
  EXPECT_EQ(torn, 0u);
  EXPECT_EQ(shared.qsbr.waiting(), static_cast<size_t>(versions));
  reader.Offline();
  EXPECT_EQ(shared.qsbr.Reclaim(), 0u);
}

}  // namespace
}  // namespace dnsd
