// What clients ask for, on its way to the sync thread.
#include "dnsd/serve/asked_names.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "dnsd/serve/asked_filter.h"
#include "dnsd/serve/udp_listener.h"
#include "tests/dnsd/serve/serve_testing.h"

namespace dnsd {
namespace {

AskedName NameOf(uint32_t number) {
  AskedName name{};
  name.kind = AskedName::kQuery;
  name.datacenter = static_cast<uint8_t>(number % 251);
  name.size = static_cast<uint8_t>(number % 253 + 2);
  std::memset(name.name, static_cast<int>(number % 255), name.size);
  return name;
}

bool Same(const AskedName& a, const AskedName& b) {
  return a.kind == b.kind && a.datacenter == b.datacenter && a.size == b.size &&
         std::memcmp(a.name, b.name, a.size) == 0;
}

TEST(AskedNames, KeepsTheOrderAndRefusesWhatDoesNotFit) {
  AskedNames names;
  AskedName name;
  EXPECT_FALSE(names.Pop(&name));
  // Around the ring's end several times, full each time.
  for (uint32_t round = 0; round < 5; ++round) {
    for (uint32_t i = 0; i < kAskedNamesMax; ++i) {
      ASSERT_TRUE(names.Push(NameOf(round * 1000 + i)));
    }
    EXPECT_FALSE(names.Push(NameOf(1)));
    for (uint32_t i = 0; i < kAskedNamesMax; ++i) {
      ASSERT_TRUE(names.Pop(&name));
      ASSERT_TRUE(Same(name, NameOf(round * 1000 + i)));
    }
    EXPECT_FALSE(names.Pop(&name));
    ASSERT_TRUE(names.Push(NameOf(7)));
    ASSERT_TRUE(names.Pop(&name));
  }
}

// One thread pushes while another pops: all of it arrives, in order and whole.
TEST(AskedNames, CrossThreadsWhole) {
  const auto names = std::make_unique<AskedNames>();
  constexpr uint32_t kCount = 100'000;
  std::thread worker([&] {
    for (uint32_t i = 0; i < kCount;) {
      if (names->Push(NameOf(i))) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  uint32_t popped = 0;
  uint32_t wrong = 0;
  while (popped < kCount) {
    AskedName name;
    if (!names->Pop(&name)) {
      std::this_thread::yield();
      continue;
    }
    if (!Same(name, NameOf(popped))) ++wrong;
    ++popped;
  }
  worker.join();
  EXPECT_EQ(wrong, 0u);
}

TEST(AskedFilter, LetsANameThroughOncePerPeriod) {
  AskedFilter filter;
  constexpr uint32_t kPeriod = kAskedRepeatMs / 1000;
  constexpr uint32_t kNow = 1'700'000'000;
  const uint64_t hash = 0x1234'5678'9abc'def0;
  ASSERT_TRUE(filter.IsDue(hash, kNow));
  EXPECT_TRUE(filter.IsDue(hash, kNow)) << "it has not been reported";
  filter.Mark(hash, kNow);
  for (uint32_t s = 0; s < kPeriod; ++s) {
    EXPECT_FALSE(filter.IsDue(hash, kNow + s)) << s;
  }
  EXPECT_TRUE(filter.IsDue(hash, kNow + kPeriod));
  EXPECT_TRUE(filter.IsDue(hash, kNow - 1)) << "the clock was set back";
  // Another name, in another slot.
  EXPECT_TRUE(filter.IsDue(hash + 1, kNow));
}

TEST(AskedFilter, NamesThatShareASlotTakeTurns) {
  AskedFilter filter;
  constexpr uint32_t kNow = 1'700'000'000;
  const uint64_t a = 0x1111'1111'0000'0005;
  const uint64_t b = 0x2222'2222'0000'0005;
  // Both are asked for all the time, the first one always first.
  int reported_a = 0;
  int reported_b = 0;
  for (uint32_t tenth = 0; tenth < 600; ++tenth) {
    const uint32_t now = kNow + tenth / 10;
    if (filter.IsDue(a, now)) {
      filter.Mark(a, now);
      ++reported_a;
    }
    if (filter.IsDue(b, now)) {
      filter.Mark(b, now);
      ++reported_b;
    }
  }
  EXPECT_GE(reported_a, 6);
  EXPECT_GE(reported_b, 6);
  EXPECT_LE(reported_a + reported_b, 61);
}

TEST(AskedFilter, ManyNamesAreBounded) {
  AskedFilter filter;
  Random random(1);
  std::vector<uint64_t> hashes(20'000);
  for (uint64_t& hash : hashes) hash = random.Next();
  size_t reported = 0;
  for (uint32_t s = 0; s < 10; ++s) {
    for (const uint64_t hash : hashes) {
      if (!filter.IsDue(hash, 1'700'000'000 + s)) continue;
      filter.Mark(hash, 1'700'000'000 + s);
      ++reported;
    }
  }
  EXPECT_LE(reported, 10 * kAskedSlots);
  EXPECT_GE(reported, kAskedSlots);
}

class AskedServicesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    endpoint_ = testing::FreeEndpoint("127.0.0.1");
    auto socket = ListenUdp(endpoint_);
    ASSERT_TRUE(socket.ok());
    listener_ = std::make_unique<UdpListener>(&thread_.loop, *std::move(socket),
                                              &batch_, &thread_.context);
    thread_.Start();
  }
  void TearDown() override { thread_.Stop(); }

  Endpoint endpoint_;
  testing::ServeThread thread_;
  UdpBatch batch_;
  std::unique_ptr<UdpListener> listener_;
};

TEST_F(AskedServicesTest, AreReportedOnceIfSomebodyWantsToKnow) {
  testing::Client client(endpoint_, SOCK_DGRAM);
  const auto ask = [&] {
    ASSERT_TRUE(client.Send(testing::Query(1, "web")));
    ASSERT_EQ(client.ReceiveDatagram(),
              testing::Answer(testing::Query(1, "web")));
  };
  ask();
  thread_.Publish(1, true);
  for (int i = 0; i < 100; ++i) ask();
  thread_.Stop();
  // echo_respond.cc calls everything "web" of datacenter 3.
  AskedName name;
  ASSERT_TRUE(thread_.asked.Pop(&name));
  EXPECT_EQ(name.kind, AskedName::kService);
  EXPECT_EQ(name.datacenter, 3);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(name.name), name.size),
            "\3web");
  EXPECT_FALSE(thread_.asked.Pop(&name));
  EXPECT_EQ(thread_.wakes.load(), 0) << "it has time";
}

TEST_F(AskedServicesTest, AFullRingDoesNotSilenceThem) {
  testing::Client client(endpoint_, SOCK_DGRAM);
  thread_.Publish(1, true);
  AskedName name{};
  while (thread_.asked.Push(name)) {
  }
  ASSERT_TRUE(client.Send(testing::Query(1, "web")));
  EXPECT_FALSE(client.ReceiveDatagram().empty());
  while (thread_.asked.Pop(&name)) EXPECT_EQ(name.size, 0);
  ASSERT_TRUE(client.Send(testing::Query(2, "web")));
  EXPECT_FALSE(client.ReceiveDatagram().empty());
  thread_.Stop();
  ASSERT_TRUE(thread_.asked.Pop(&name));
  EXPECT_EQ(name.kind, AskedName::kService);
}

}  // namespace
}  // namespace dnsd
