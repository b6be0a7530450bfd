// What is counted of answers: by type, RCODE and family, and how long they
// took; at the sockets, with answers of echo_respond.cc.
#include "dnsd/serve/answer_numbers.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>

#include "dnsd/serve/tcp_listener.h"
#include "dnsd/serve/udp_listener.h"
#include "tests/dnsd/serve/serve_testing.h"

namespace dnsd {
namespace {

using testing::Answer;
using testing::Bytes;
using testing::Client;
using testing::Eventually;
using testing::Frame;
using testing::FreeEndpoint;
using testing::Query;

Bytes QueryOf(const std::string& label, uint16_t qtype) {
  Bytes query = Query(7, label);
  query[query.size() - 4] = static_cast<uint8_t>(qtype >> 8);
  query[query.size() - 3] = static_cast<uint8_t>(qtype & 0xff);
  return query;
}

TEST(AnswerNumbers, EachCountedTypeHasARowAndAllOthersOne) {
  for (size_t i = 1; i < kCountedTypes.size(); ++i) {
    EXPECT_EQ(CountedType(kCountedTypes[i]), i) << kTypeNames[i];
  }
  size_t other_count = 0;
  for (uint32_t qtype = 0; qtype <= 0xffff; ++qtype) {
    other_count += CountedType(static_cast<uint16_t>(qtype)) == 0 ? 1 : 0;
  }
  EXPECT_EQ(other_count, 0x10000 - (kCountedTypes.size() - 1));
}

TEST(AnswerNumbers, EachRcodeHasAColumn) {
  std::set<size_t> seen;
  for (uint8_t rcode = 0; rcode < 16; ++rcode) {
    const uint8_t header[] = {0, 0, 0x80, static_cast<uint8_t>(0xf0 | rcode)};
    const size_t column = CountedRcode(header, Outcome::kAnswered);
    EXPECT_EQ(column, rcode < kCountedBadVers ? rcode : kCountedOther);
    seen.insert(column);
    EXPECT_EQ(CountedRcode(header, Outcome::kBadVers), kCountedBadVers);
    EXPECT_EQ(CountedRcode(header, Outcome::kBadCookie), kCountedBadCookie);
  }
  EXPECT_EQ(seen.size() + 2, kRcodeNames.size());
}

TEST(AnswerNumbers, ReadsTheTypeOfNoMoreThanThereIs) {
  const Bytes query = QueryOf("web", 0x1234);
  EXPECT_EQ(QuestionType(query), 0x1234);
  for (size_t size = 0; size + 2 < query.size(); ++size) {
    EXPECT_EQ(QuestionType({query.data(), size}), 0) << size;
  }
}

class AnswerCountTest : public ::testing::Test {
 protected:
  void Serve(const std::string& ip) {
    udp_ = FreeEndpoint(ip);
    tcp_ = FreeEndpoint(ip);
    absl::StatusOr<ListenSocket> udp = ListenUdp(udp_);
    absl::StatusOr<ListenSocket> tcp = ListenTcp(tcp_);
    ASSERT_TRUE(udp.ok() && tcp.ok());
    udp_listener_ = std::make_unique<UdpListener>(
        &thread_.loop, *std::move(udp), &batch_, &thread_.context);
    tcp_listener_.emplace(&thread_.loop, &thread_.context, TcpLimits());
    tcp_listener_->Listen(*std::move(tcp));
    thread_.Start();
  }
  void TearDown() override { thread_.Stop(); }

  static uint64_t Count(const TransportNumbers<Counter>& numbers, bool is_v6,
                        uint16_t qtype, size_t rcode) {
    return numbers.answers[is_v6].at(CountedType(qtype), rcode).value();
  }
  static uint64_t All(const TransportNumbers<Counter>& numbers) {
    WorkerTotals totals;
    AddTo(numbers, &totals.udp);
    uint64_t sum = 0;
    for (const AnswerTotals& family : totals.udp.answers) {
      for (const auto& row : family.rows) {
        sum = std::accumulate(row.begin(), row.end(), sum);
      }
    }
    return sum;
  }
  static uint64_t Timed(const TransportNumbers<Counter>& numbers) {
    DurationTotals delay;
    AddTo(numbers.delay, &delay);
    return std::accumulate(delay.counts.begin(), delay.counts.end(),
                           uint64_t{0});
  }

  testing::ServeThread thread_;
  Endpoint udp_;
  Endpoint tcp_;
  UdpBatch batch_;
  std::unique_ptr<UdpListener> udp_listener_;
  std::optional<TcpListener> tcp_listener_;
};

TEST_F(AnswerCountTest, CountsWhatLeavesOverUdpAndTcp) {
  Serve("127.0.0.1");
  Client udp(udp_, SOCK_DGRAM);
  Client tcp(tcp_, SOCK_STREAM);
  const std::pair<const char*, uint16_t> asked[] = {
      {"web", 1},    {"web", 1},     {"web", 28},    {"rcode3", 33},
      {"rcode5", 6}, {"rcode11", 1}, {"rcode12", 1}, {"web", 4711}};
  for (const auto& [label, qtype] : asked) {
    ASSERT_TRUE(udp.Send(QueryOf(label, qtype)));
    EXPECT_FALSE(udp.ReceiveDatagram().empty());
    ASSERT_TRUE(tcp.Send(Frame(QueryOf(label, qtype))));
    EXPECT_FALSE(tcp.ReceiveFrame().empty());
  }
  // What gets no answer is not counted.
  ASSERT_TRUE(udp.Send(Bytes(11)));
  ASSERT_TRUE(udp.Send(QueryOf("last", 16)));
  EXPECT_FALSE(udp.ReceiveDatagram().empty());
  const WorkerStats& stats = thread_.stats;
  ASSERT_TRUE(Eventually(
      [&] { return Timed(stats.udp) == 9 && Timed(stats.tcp) == 8; }));
  for (const TransportNumbers<Counter>* numbers : {&stats.udp, &stats.tcp}) {
    EXPECT_EQ(Count(*numbers, false, 1, 0), 2u);
    EXPECT_EQ(Count(*numbers, false, 28, 0), 1u);
    EXPECT_EQ(Count(*numbers, false, 33, 3), 1u);
    EXPECT_EQ(Count(*numbers, false, 6, 5), 1u);
    EXPECT_EQ(Count(*numbers, false, 1, kCountedBadVers), 1u);
    EXPECT_EQ(Count(*numbers, false, 1, kCountedBadCookie), 1u);
    EXPECT_EQ(Count(*numbers, false, 4711, 0), 1u);
    EXPECT_EQ(All(*numbers), numbers->sent.value());
  }
  EXPECT_EQ(stats.udp.sent.value(), 9u);
}

TEST_F(AnswerCountTest, TellsTheFamiliesApart) {
  Serve("::1");
  Client udp(udp_, SOCK_DGRAM);
  Client tcp(tcp_, SOCK_STREAM);
  ASSERT_TRUE(udp.Send(Query(1, "web")));
  EXPECT_FALSE(udp.ReceiveDatagram().empty());
  ASSERT_TRUE(tcp.Send(Frame(Query(1, "web"))));
  EXPECT_FALSE(tcp.ReceiveFrame().empty());
  EXPECT_EQ(Count(thread_.stats.udp, true, 1, 0), 1u);
  EXPECT_EQ(Count(thread_.stats.tcp, true, 1, 0), 1u);
  EXPECT_EQ(Count(thread_.stats.udp, false, 1, 0), 0u);
}

TEST_F(AnswerCountTest, WhatWaitedCountsWhenItIsAnswered) {
  Serve("127.0.0.1");
  Client udp(udp_, SOCK_DGRAM);
  Client tcp(tcp_, SOCK_STREAM);
  const WorkerStats& stats = thread_.stats;
  ASSERT_TRUE(udp.Send(QueryOf("wait5", 33)));
  ASSERT_TRUE(tcp.Send(Frame(QueryOf("wait5", 33))));
  ASSERT_TRUE(Eventually([&] { return stats.parked.value() == 2; }));
  EXPECT_EQ(All(stats.udp) + All(stats.tcp), 0u);
  const uint64_t published_ns = MonotonicNs();
  thread_.Publish(5);
  EXPECT_FALSE(udp.ReceiveDatagram().empty());
  EXPECT_FALSE(tcp.ReceiveFrame().empty());
  ASSERT_TRUE(Eventually(
      [&] { return Timed(stats.udp) == 1 && Timed(stats.tcp) == 1; }));
  EXPECT_EQ(Count(stats.udp, false, 33, 0), 1u);
  EXPECT_EQ(Count(stats.tcp, false, 33, 0), 1u);
  // From when it was received, not from when it was asked again.
  EXPECT_GT(stats.udp.delay.sum_ns.value(), 0u);
  EXPECT_LT(stats.udp.delay.sum_ns.value(), MonotonicNs());
  EXPECT_GT(MonotonicNs(), published_ns);
}

// What is written per query shares no cache line, nor the pair of lines that is
// fetched together, with anything else, wherever it is allocated.
TEST(WorkerStatsTest, ShareNoLineWithOthers) {
  constexpr size_t kLines = 128;
  static_assert(alignof(WorkerStats) % kLines == 0);
  static_assert(sizeof(WorkerStats) % kLines == 0);
  struct Holder {
    char before = 0;
    WorkerStats stats;
    char behind = 0;
  };
  const auto one = std::make_unique<Holder>();
  const auto two = std::make_unique<Holder>();
  for (const Holder* holder : {one.get(), two.get()}) {
    const auto begin = reinterpret_cast<uintptr_t>(&holder->stats);
    EXPECT_EQ(begin % kLines, 0u);
    EXPECT_GE(begin - reinterpret_cast<uintptr_t>(&holder->before), kLines);
    EXPECT_GE(reinterpret_cast<uintptr_t>(&holder->behind) - begin,
              sizeof(WorkerStats));
  }
}

}  // namespace
}  // namespace dnsd
