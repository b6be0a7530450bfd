// What workers saw of queries, on its way to who tells of them.
#include "dnsd/serve/sample_ring.h"

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "tests/testing/seeds.h"
#include "zones/random.h"

namespace dnsd {
namespace {

using Bytes = std::vector<uint8_t>;

// Says its number in every byte, so that a mixed-up one shows.
Bytes Record(uint32_t number, size_t size) {
  Bytes record(size);
  for (size_t i = 0; i < size; ++i) {
    record[i] = static_cast<uint8_t>(number * 31 + i);
  }
  return record;
}

bool Push(SampleRing* ring, const Bytes& record) {
  uint8_t* const at = ring->Reserve(record.size());
  if (at == nullptr) return false;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(at) % 8, 0u);
  std::memcpy(at, record.data(), record.size());
  ring->Commit();
  return true;
}

Bytes Front(SampleRing* ring) {
  const std::span<const uint8_t> front = ring->Front();
  return {front.begin(), front.end()};
}

TEST(SampleRing, IsAQueueOfRecords) {
  SampleRing ring;
  EXPECT_TRUE(ring.Front().empty());
  ASSERT_TRUE(Push(&ring, Record(1, 1)));
  ASSERT_TRUE(Push(&ring, Record(2, 300)));
  EXPECT_EQ(Front(&ring), Record(1, 1));
  EXPECT_EQ(Front(&ring), Record(1, 1)) << "until it is popped";
  ring.Pop();
  EXPECT_EQ(Front(&ring), Record(2, 300));
  ring.Pop();
  EXPECT_TRUE(ring.Front().empty());
  EXPECT_EQ(ring.dropped(), 0u);
}

TEST(SampleRing, DropsAndCountsWhatHasNoRoom) {
  SampleRing ring;
  EXPECT_FALSE(Push(&ring, Record(0, SampleRing::kSampleBytesMax + 1)));
  EXPECT_EQ(ring.dropped(), 1u);
  uint32_t pushed = 0;
  while (Push(&ring, Record(pushed, 1000))) ++pushed;
  EXPECT_EQ(ring.dropped(), 2u);
  EXPECT_EQ(pushed, kSampleRingBytes / 1008) << "1000 bytes and 8 before them";
  // Nothing that is in it was touched, and there is room again behind it.
  for (uint32_t i = 0; i < pushed; ++i) {
    ASSERT_EQ(Front(&ring), Record(i, 1000)) << i;
    ring.Pop();
  }
  EXPECT_TRUE(ring.Front().empty());
  EXPECT_TRUE(Push(&ring, Record(7, SampleRing::kSampleBytesMax)));
  EXPECT_EQ(Front(&ring), Record(7, SampleRing::kSampleBytesMax));
}

// Random steps beside a std::deque, around the ring's end many times.
TEST(SampleRing, BehavesAsADeque) {
  Random random(testing::TestSeed());
  SampleRing ring;
  std::deque<Bytes> model;
  uint64_t dropped = 0;
  const uint32_t steps = static_cast<uint32_t>(testing::Scaled(40'000));
  for (uint32_t i = 0; i < steps; ++i) {
    if (random.Below(100) < 55) {
      const size_t size =
          1 + random.Below(random.Below(20) == 0 ? 60'000 : 400);
      Bytes record = Record(i, size);
      if (Push(&ring, record)) {
        model.push_back(std::move(record));
      } else {
        ++dropped;
      }
    } else if (!model.empty()) {
      ASSERT_EQ(Front(&ring), model.front()) << i;
      ring.Pop();
      model.pop_front();
    } else {
      ASSERT_TRUE(ring.Front().empty()) << i;
    }
  }
  EXPECT_EQ(ring.dropped(), dropped);
}

// One thread pushes while another pops: what was not dropped arrives whole and
// in order.
TEST(SampleRing, CrossesThreadsWhole) {
  const auto ring = std::make_unique<SampleRing>();
  const uint32_t count = static_cast<uint32_t>(testing::Scaled(200'000));
  const auto size_of = [](uint32_t i) { return size_t{4} + i * 7919 % 1500; };
  std::thread worker([&] {
    for (uint32_t i = 0; i < count;) {
      uint8_t* const at = ring->Reserve(size_of(i));
      if (at == nullptr) {
        std::this_thread::yield();
        continue;
      }
      std::memset(at, static_cast<int>(i % 251), size_of(i));
      std::memcpy(at, &i, sizeof(i));
      ring->Commit();
      ++i;
    }
  });
  uint32_t popped = 0;
  uint32_t wrong = 0;
  while (popped < count) {
    const std::span<const uint8_t> front = ring->Front();
    if (front.empty()) {
      std::this_thread::yield();
      continue;
    }
    uint32_t number = 0;
    std::memcpy(&number, front.data(), sizeof(number));
    if (number != popped || front.size() != size_of(popped) ||
        (front.size() > 4 && front.back() != popped % 251)) {
      ++wrong;
    }
    ring->Pop();
    ++popped;
  }
  worker.join();
  EXPECT_EQ(wrong, 0u);
}

}  // namespace
}  // namespace dnsd
