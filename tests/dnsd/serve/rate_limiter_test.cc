// RateLimiter: who gets how much of what.
#include "dnsd/serve/rate_limiter.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "zones/name.h"

namespace dnsd {
namespace {

constexpr uint32_t kNow = 1'700'000'000;

SocketAddress Address(const std::string& ip) {
  SocketAddress address;
  const bool is_v6 = ip.find(':') != std::string::npos;
  address.sa.sa_family = is_v6 ? AF_INET6 : AF_INET;
  EXPECT_EQ(inet_pton(address.sa.sa_family, ip.c_str(),
                      is_v6 ? static_cast<void*>(&address.v6.sin6_addr)
                            : static_cast<void*>(&address.v4.sin_addr)),
            1);
  return address;
}

RateLimitOptions Rate(uint32_t responses_per_second) {
  RateLimitOptions options;
  options.responses_per_second = responses_per_second;
  return options;
}

class Limited {
 public:
  explicit Limited(const RateLimitOptions& options)
      : limiter_(options, SipKey{{1, 2, 3}}) {}

  RateVerdict Judge(const std::string& ip, const std::string& name = "web",
                    uint32_t now_s = kNow,
                    RateClass kind = RateClass::kAnswer) {
    std::string wire;
    EXPECT_TRUE(NameToWire(name, &wire));
    return limiter_.Judge(Address(ip), kind, WireBytes(wire), now_s);
  }
  // How many of `count` are sent as they are.
  int Sent(int count, const std::string& ip, const std::string& name = "web",
           uint32_t now_s = kNow, RateClass kind = RateClass::kAnswer) {
    int sent = 0;
    for (int i = 0; i < count; ++i) {
      if (Judge(ip, name, now_s, kind) == RateVerdict::kSend) ++sent;
    }
    return sent;
  }

 private:
  RateLimiter limiter_;
};

TEST(RateLimiter, LetsTheRateThroughAndSlipsEverySecondOfTheRest) {
  Limited limited(Rate(5));
  std::map<RateVerdict, int> verdicts;
  for (int i = 0; i < 25; ++i) ++verdicts[limited.Judge("192.0.2.1")];
  EXPECT_EQ(verdicts[RateVerdict::kSend], 5);
  EXPECT_EQ(verdicts[RateVerdict::kDrop], 10);
  EXPECT_EQ(verdicts[RateVerdict::kSlip], 10);
}

TEST(RateLimiter, SlipIsEachSoManieth) {
  for (uint32_t slip : {0u, 1u, 3u}) {
    RateLimitOptions options = Rate(1);
    options.slip = slip;
    Limited limited(options);
    int slipped = 0;
    for (int i = 0; i < 31; ++i) {
      if (limited.Judge("192.0.2.1") == RateVerdict::kSlip) ++slipped;
    }
    EXPECT_EQ(slipped, slip == 0 ? 0 : 30 / static_cast<int>(slip)) << slip;
  }
}

TEST(RateLimiter, NetworksNamesAndKindsAreCountedEachByItself) {
  Limited limited(Rate(5));
  EXPECT_EQ(limited.Sent(9, "192.0.2.1"), 5);
  EXPECT_EQ(limited.Sent(9, "192.0.2.200"), 0) << "the same /24";
  EXPECT_EQ(limited.Sent(9, "192.0.2.1", "WEB"), 0) << "the same name";
  EXPECT_EQ(limited.Sent(9, "192.0.3.1"), 5);
  EXPECT_EQ(limited.Sent(9, "192.0.2.1", "db"), 5);
  EXPECT_EQ(limited.Sent(9, "192.0.2.1", "web", kNow, RateClass::kNxdomain), 5);
  EXPECT_EQ(limited.Sent(9, "192.0.2.1", "web", kNow, RateClass::kError), 5);
  EXPECT_EQ(limited.Sent(9, "2001:db8:0:100::1"), 5);
  EXPECT_EQ(limited.Sent(9, "2001:db8:0:1ff::2"), 0) << "the same /56";
  EXPECT_EQ(limited.Sent(9, "2001:db8:0:200::1"), 5);
}

TEST(RateLimiter, PrefixesNeedNotEndAtBytes) {
  RateLimitOptions options = Rate(5);
  options.ipv4_prefix = 20;
  options.ipv6_prefix = 128;
  Limited limited(options);
  EXPECT_EQ(limited.Sent(9, "192.0.16.1"), 5);
  EXPECT_EQ(limited.Sent(9, "192.0.31.255"), 0);
  EXPECT_EQ(limited.Sent(9, "192.0.32.1"), 5);
  EXPECT_EQ(limited.Sent(9, "2001:db8::1"), 5);
  EXPECT_EQ(limited.Sent(9, "2001:db8::2"), 5);
  options.ipv4_prefix = 0;
  Limited all(options);
  EXPECT_EQ(all.Sent(9, "192.0.2.1"), 5);
  EXPECT_EQ(all.Sent(9, "10.0.0.1"), 0);
}

TEST(RateLimiter, GivesTheRateBackEachSecond) {
  RateLimitOptions options = Rate(5);
  options.window_s = 3;
  Limited limited(options);
  EXPECT_EQ(limited.Sent(5, "192.0.2.1"), 5);
  EXPECT_EQ(limited.Sent(5, "192.0.2.1", "web", kNow + 1), 5);
  EXPECT_EQ(limited.Sent(100, "192.0.2.1", "web", kNow + 2), 5);
  // Now it owes for the whole window, and no longer than that.
  EXPECT_EQ(limited.Sent(1, "192.0.2.1", "web", kNow + 5), 0);
  EXPECT_EQ(limited.Sent(9, "192.0.2.1", "web", kNow + 6), 4);
  // A pause saves up no more than a second's.
  EXPECT_EQ(limited.Sent(99, "192.0.2.1", "web", kNow + 1000), 5);
}

TEST(RateLimiter, AClockThatIsSetBackLimitsNobodyLonger) {
  Limited limited(Rate(5));
  EXPECT_EQ(limited.Sent(5, "192.0.2.1"), 5);
  EXPECT_EQ(limited.Sent(1, "192.0.2.1", "web", kNow - 3600), 0);
  EXPECT_EQ(limited.Sent(9, "192.0.2.1", "web", kNow - 3598), 5);
}

TEST(RateLimiter, ExemptNetworksAreNotCounted) {
  RateLimitOptions options = Rate(1);
  options.exempt = {*IpNetwork::Parse("192.0.2.0/25"),
                    *IpNetwork::Parse("::1")};
  Limited limited(options);
  EXPECT_EQ(limited.Sent(50, "192.0.2.1"), 50);
  EXPECT_EQ(limited.Sent(50, "::1"), 50);
  EXPECT_EQ(limited.Sent(50, "192.0.2.129"), 1);
}

TEST(RateLimiter, LogOnlySendsAll) {
  RateLimitOptions options = Rate(1);
  options.log_only = true;
  Limited limited(options);
  EXPECT_EQ(limited.Judge("192.0.2.1"), RateVerdict::kSend);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(limited.Judge("192.0.2.1"), RateVerdict::kExceeded);
  }
}

// More names than buckets: those that are asked too much are remembered.
TEST(RateLimiter, AFullTableForgetsTheQuietOnes) {
  RateLimitOptions options = Rate(5);
  options.table_size = 4;
  Limited limited(options);
  EXPECT_EQ(limited.Sent(20, "192.0.2.1", "flood"), 5);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(limited.Sent(1, "192.0.2.1", "n" + std::to_string(i)), 1);
    EXPECT_EQ(limited.Sent(1, "192.0.2.1", "flood"), 0);
  }
}

}  // namespace
}  // namespace dnsd
