// Which queries are told of.
#include "dnsd/serve/query_sampler.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "dnsd/querylog/sample_view.h"
#include "tests/dnsd/serve/serve_testing.h"
#include "zones/name.h"

namespace dnsd {
namespace {

using testing::Bytes;

// A query for a dotted name, and a response with this rcode.
Bytes Message(const std::string& name, uint16_t flags) {
  std::string wire;
  EXPECT_TRUE(NameToWire(name, &wire)) << name;
  Bytes bytes = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  Store16(&bytes[2], flags);
  bytes.insert(bytes.end(), wire.begin(), wire.end());
  bytes.insert(bytes.end(), {0, 28, 0, 1});
  return bytes;
}

SocketAddress Client(const std::string& ip, uint16_t port) {
  SocketAddress address;
  address.v4.sin_family = AF_INET;
  address.v4.sin_port = htons(port);
  inet_pton(AF_INET, ip.c_str(), &address.v4.sin_addr);
  return address;
}

class QuerySamplerTest : public ::testing::Test {
 protected:
  // Whether the query is taken, by rule `use` or by any.
  uint8_t Ask(const std::string& name, uint16_t rcode = 0,
              const std::string& ip = "127.0.0.1") {
    const Bytes query = Message(name, kFlagRd);
    const Bytes response = Message(name, kFlagQr | kFlagAa | rcode);
    return AskBytes(query, response, ip);
  }
  uint8_t AskBytes(const Bytes& query, const Bytes& response,
                   const std::string& ip = "127.0.0.1") {
    if (!sampler_.IsDue()) return 0;
    sampler_.Take({query, response, Client(ip, 5353), Transport::kTcp});
    const auto record = ring_.Front();
    if (record.empty()) return 0;
    kept_.assign(record.begin(), record.end());
    ring_.Pop();
    const auto sample = SampleView::Read(kept_);
    EXPECT_TRUE(sample.has_value());
    return sample ? sample->head.uses : 0;
  }
  void Use(SampleUse use, SampleRule rule) {
    rules_[static_cast<size_t>(use)] = std::move(rule);
    sampler_.SetRing(&ring_, 1);
    sampler_.SetRules(rules_);
  }

  static constexpr uint8_t kLogBit = 1;
  static constexpr uint8_t kTapBit = 2;
  static constexpr uint8_t kTopBit = 4;

  SampleRing ring_;
  SampleRules rules_;
  QuerySampler sampler_;
  Bytes kept_;
};

SampleRule Every(uint32_t every) {
  SampleRule rule;
  rule.every = every;
  return rule;
}

TEST_F(QuerySamplerTest, WithoutRulesNothingIsDue) {
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(sampler_.IsDue());
  sampler_.SetRing(&ring_, 1);
  sampler_.SetRules({});
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(sampler_.IsDue());
}

TEST_F(QuerySamplerTest, TakesAllOrOneOfSoMany) {
  Use(SampleUse::kLog, Every(1));
  for (int i = 0; i < 100; ++i) ASSERT_EQ(Ask("web.consul."), kLogBit) << i;
  Use(SampleUse::kLog, Every(0));
  Use(SampleUse::kTop, Every(50));
  int taken = 0;
  int taken_even = 0;
  for (int i = 0; i < 100'000; ++i) {
    if (Ask("web.consul.") == 0) continue;
    ++taken;
    if (i % 2 == 0) ++taken_even;
  }
  EXPECT_NEAR(taken, 2000, 200);
  EXPECT_NEAR(taken_even, taken / 2, 150) << "of pairs it takes both";
}

TEST_F(QuerySamplerTest, RulesDoNotDisturbEachOther) {
  Use(SampleUse::kLog, Every(7));
  Use(SampleUse::kTap, Every(3));
  Use(SampleUse::kTop, Every(64));
  int taken[3] = {};
  constexpr int kCount = 100'000;
  for (int i = 0; i < kCount; ++i) {
    const uint8_t uses = Ask("web.consul.");
    for (int use = 0; use < 3; ++use) taken[use] += uses >> use & 1;
  }
  EXPECT_NEAR(taken[0], kCount / 7, kCount / 70);
  EXPECT_NEAR(taken[1], kCount / 3, kCount / 30);
  EXPECT_NEAR(taken[2], kCount / 64, kCount / 400);
}

TEST_F(QuerySamplerTest, FiltersByName) {
  SampleRule rule = Every(1);
  rule.names = {std::string("\3web\6consul\0", 12)};
  Use(SampleUse::kLog, rule);
  EXPECT_EQ(Ask("web.consul."), kLogBit);
  EXPECT_EQ(Ask("WEB.Consul."), kLogBit);
  EXPECT_EQ(Ask("a.b.web.consul."), kLogBit);
  EXPECT_EQ(Ask("xweb.consul."), 0);
  EXPECT_EQ(Ask("consul."), 0);
  EXPECT_EQ(Ask("web.consul.org."), 0);
  // The same bytes in the middle of a label.
  std::string trap = "a";
  trap += std::string("\3web\6consul", 11);
  std::string wire(1, static_cast<char>(trap.size()));
  wire += trap + std::string(1, '\0');
  Bytes query = {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0};
  query.insert(query.end(), wire.begin(), wire.end());
  query.insert(query.end(), {0, 1, 0, 1});
  EXPECT_EQ(AskBytes(query, query), 0);
  rule.names = {std::string("\0", 1)};
  Use(SampleUse::kLog, rule);
  EXPECT_EQ(Ask("anything.example."), kLogBit) << "the root is above all";
}

TEST_F(QuerySamplerTest, FiltersByRcodeAndClient) {
  SampleRule rule = Every(1);
  rule.rcodes = 1u << kNxDomain | 1u << kBadVers;
  rule.clients = {*IpNetwork::Parse("10.0.0.0/8")};
  Use(SampleUse::kTap, rule);
  EXPECT_EQ(Ask("a.", kNxDomain, "10.1.2.3"), kTapBit);
  EXPECT_EQ(Ask("a.", kNxDomain, "11.1.2.3"), 0);
  EXPECT_EQ(Ask("a.", kServFail, "10.1.2.3"), 0);
  // BADVERS stands in the OPT record.
  Bytes response = Message("a.", kFlagQr);
  response[11] = 1;
  response.insert(response.end(), {0, 0, 41, 4, 208, 1, 0, 0, 0, 0, 0});
  EXPECT_EQ(RcodeOf(response), kBadVers);
  EXPECT_EQ(AskBytes(Message("a.", 0), response, "10.1.2.3"), kTapBit);
}

TEST_F(QuerySamplerTest, KeepsWhatIsNeeded) {
  Use(SampleUse::kLog, Every(1));
  Bytes query = Message("web.consul.", kFlagRd);
  query.insert(query.end(), 500, 7);  // more than the question
  Bytes response = Message("web.consul.", kFlagQr);
  response.insert(response.end(), 900, 9);
  ASSERT_EQ(AskBytes(query, response), kLogBit);
  auto sample = SampleView::Read(kept_);
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->head.answer_size, response.size());
  EXPECT_EQ(sample->head.client.port(), 5353);
  EXPECT_EQ(sample->head.transport, Transport::kTcp);
  EXPECT_EQ(sample->query.size(), query.size() - 500);
  EXPECT_LT(sample->response.size(), 100u);
  EXPECT_GT(sample->head.unix_ns, 1'700'000'000'000'000'000);
  EXPECT_EQ(NameToText(WireBytes(sample->Name(true))), "web.consul.");

  Use(SampleUse::kTap, Every(1));
  ASSERT_EQ(AskBytes(query, response), kLogBit | kTapBit);
  sample = SampleView::Read(kept_);
  ASSERT_TRUE(sample);
  EXPECT_EQ(Bytes(sample->query.begin(), sample->query.end()), query);
  EXPECT_EQ(Bytes(sample->response.begin(), sample->response.end()), response);
  // Whatever clients send is a sample too: cut off anywhere.
  for (size_t size = 0; size <= query.size(); ++size) {
    const Bytes cut(query.begin(), query.begin() + static_cast<long>(size));
    EXPECT_NE(AskBytes(cut, response), 0) << size;
    EXPECT_TRUE(SampleView::Read(kept_)) << size;
  }
}

}  // namespace
}  // namespace dnsd
