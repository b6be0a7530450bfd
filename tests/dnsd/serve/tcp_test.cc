// TcpListener and TcpConnection over real sockets, with shortened limits.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dnsd/serve/tcp_connection.h"
#include "dnsd/serve/tcp_listener.h"
#include "tests/dnsd/serve/serve_testing.h"
#include "tests/testing/on_loop.h"

namespace dnsd {
namespace {

using testing::Answer;
using testing::Bytes;
using testing::Client;
using testing::Eventually;
using testing::Frame;
using testing::FreeEndpoint;
using testing::Query;

void Append(const Bytes& bytes, Bytes* to) {
  to->insert(to->end(), bytes.begin(), bytes.end());
}

class TcpTest : public ::testing::Test {
 protected:
  void Serve(const TcpLimits& limits, const std::string& ip = "127.0.0.1") {
    endpoint_ = FreeEndpoint(ip);
    absl::StatusOr<ListenSocket> socket = ListenTcp(endpoint_);
    ASSERT_TRUE(socket.ok()) << socket.status();
    listener_.emplace(&thread_.loop, &thread_.context, limits);
    listener_->Listen(*std::move(socket));
    thread_.Start();
  }
  void TearDown() override { thread_.Stop(); }

  std::unique_ptr<Client> Connect() {
    return std::make_unique<Client>(endpoint_, SOCK_STREAM);
  }
  void ExpectServed(Client* client, uint16_t id = 7) {
    ASSERT_TRUE(client->Send(Frame(Query(id, "web"))));
    EXPECT_EQ(client->ReceiveFrame(), Answer(Query(id, "web")));
  }
  bool EventuallyClosed(TcpClose reason, uint64_t count) {
    return Eventually([&] { return stats().closed(reason).value() == count; });
  }
  const WorkerStats& stats() const { return thread_.stats; }

  Endpoint endpoint_;
  testing::ServeThread thread_;
  std::optional<TcpListener> listener_;
};

TEST_F(TcpTest, AnswersQueriesOneAfterAnother) {
  Serve({});
  const auto client = Connect();
  for (uint16_t id = 0; id < 20; ++id) ExpectServed(client.get(), id);
  EXPECT_EQ(stats().tcp.received.value(), 20u);
  EXPECT_EQ(stats().tcp.sent.value(), 20u);
  EXPECT_EQ(stats().tcp.outcome(Outcome::kAnswered).value(), 20u);
  EXPECT_EQ(stats().tcp_accepted.value(), 1u);
  EXPECT_EQ(stats().tcp_open.value(), 1u);
}

TEST_F(TcpTest, AnswersOverIpv6) {
  Serve({}, "::1");
  ExpectServed(Connect().get());
}

TEST_F(TcpTest, AnswersAThousandPipelinedQueriesInOrder) {
  Serve({});
  const auto client = Connect();
  Bytes queries;
  for (uint16_t id = 0; id < 1000; ++id)
    Append(Frame(Query(id, "web")), &queries);
  ASSERT_TRUE(client->Send(queries));
  for (uint16_t id = 0; id < 1000; ++id) {
    ASSERT_EQ(client->ReceiveFrame(), Answer(Query(id, "web")));
  }
  EXPECT_EQ(stats().tcp.received_bytes.value(), queries.size());
  // Counted once the kernel has them, and then so has the client.
  EXPECT_TRUE(Eventually(
      [&] { return stats().tcp.sent_bytes.value() == queries.size(); }));
}

TEST_F(TcpTest, AnswersQueriesThatArriveByteByByte) {
  Serve({});
  const auto client = Connect();
  for (uint16_t id = 1; id <= 3; ++id) {
    for (const uint8_t byte : Frame(Query(id, "slow"))) {
      ASSERT_TRUE(client->SendByte(byte));
    }
    EXPECT_EQ(client->ReceiveFrame(), Answer(Query(id, "slow")));
  }
}

// Cuts a stream of queries at every place once.
TEST_F(TcpTest, FramesMayBeCutAnywhere) {
  Serve({});
  const auto client = Connect();
  Bytes queries;
  for (uint16_t id = 0; id < 4; ++id) Append(Frame(Query(id, "cut")), &queries);
  for (size_t cut = 1; cut < queries.size(); ++cut) {
    const auto middle = queries.begin() + static_cast<ptrdiff_t>(cut);
    ASSERT_TRUE(client->Send(Bytes(queries.begin(), middle)));
    // The server has read the first part when it has counted its bytes.
    const uint64_t want = (cut - 1) * queries.size() + cut;
    ASSERT_TRUE(
        Eventually([&] { return stats().tcp.received_bytes.value() == want; }));
    ASSERT_TRUE(client->Send(Bytes(middle, queries.end())));
    for (uint16_t id = 0; id < 4; ++id) {
      ASSERT_EQ(client->ReceiveFrame(), Answer(Query(id, "cut")));
    }
  }
}

TEST_F(TcpTest, AnswersTheLongestFrame) {
  Serve({});
  const auto client = Connect();
  Bytes query = Query(3, "long");
  query.resize(65535, 0x5a);
  ASSERT_TRUE(client->Send(Frame(query)));
  ASSERT_TRUE(client->Send(Frame(query)));
  EXPECT_EQ(client->ReceiveFrame(), Answer(query));
  EXPECT_EQ(client->ReceiveFrame(), Answer(query));
}

TEST_F(TcpTest, FramesShorterThanAHeaderCloseTheConnection) {
  Serve({});
  uint64_t closed = 0;
  for (const size_t length : {size_t{0}, size_t{1}, size_t{11}}) {
    SCOPED_TRACE(length);
    const auto client = Connect();
    // The query before is answered all the same.
    Bytes bytes = Frame(Query(1, "good"));
    Append(Frame(Bytes(length)), &bytes);
    ASSERT_TRUE(client->Send(bytes));
    EXPECT_EQ(client->ReceiveFrame(), Answer(Query(1, "good")));
    EXPECT_TRUE(client->AtEnd());
    EXPECT_TRUE(EventuallyClosed(TcpClose::kBadFrame, ++closed));
  }
  // At once, not when the length is complete in one piece.
  const auto client = Connect();
  ASSERT_TRUE(client->SendByte(0));
  ASSERT_TRUE(Eventually([this] { return stats().tcp_open.value() == 1; }));
  ASSERT_TRUE(client->SendByte(5));
  EXPECT_TRUE(client->AtEnd());
  EXPECT_TRUE(EventuallyClosed(TcpClose::kBadFrame, ++closed));
}

TEST_F(TcpTest, MessagesThatMustNotBeAnsweredAreNot) {
  Serve({});
  const auto client = Connect();
  ASSERT_TRUE(client->Send(Frame(Answer(Query(1, "response")))));
  ExpectServed(client.get(), 2);
  EXPECT_EQ(stats().tcp.outcome(Outcome::kDroppedResponse).value(), 1u);
}

TEST_F(TcpTest, HalfClosedClientsGetTheirAnswers) {
  Serve({});
  const auto client = Connect();
  for (uint16_t id = 0; id < 10; ++id) {
    ASSERT_TRUE(client->Send(Frame(Query(id, "nc"))));
  }
  client->EndSending();
  for (uint16_t id = 0; id < 10; ++id) {
    EXPECT_EQ(client->ReceiveFrame(), Answer(Query(id, "nc")));
  }
  EXPECT_TRUE(client->AtEnd());
  EXPECT_TRUE(EventuallyClosed(TcpClose::kClient, 1));
}

// 600 answers of 60,000 bytes: far more than the kernel takes at once.
TEST_F(TcpTest, AnswersBeyondAllBuffersArriveComplete) {
  Serve({});
  const auto client = Connect();
  constexpr uint16_t kCount = 600;
  Bytes queries;
  for (uint16_t id = 0; id < kCount; ++id) {
    Append(Frame(Query(id, "big60000")), &queries);
  }
  ASSERT_TRUE(client->Send(queries));
  client->EndSending();
  // Let it fill up before anything is read.
  uint64_t before = 0;
  ASSERT_TRUE(Eventually([&] {
    const uint64_t sent = stats().tcp.sent_bytes.value();
    const bool same = sent == before && sent > 0;
    before = sent;
    return same;
  }));
  EXPECT_LT(stats().tcp.sent.value(), kCount);
  for (uint16_t id = 0; id < kCount; ++id) {
    const Bytes answer = client->ReceiveFrame();
    ASSERT_EQ(answer.size(), 60'000u);
    ASSERT_EQ(answer[0] << 8 | answer[1], id);
  }
  EXPECT_TRUE(client->AtEnd());
  EXPECT_EQ(stats().tcp.sent.value(), kCount);
}

TEST_F(TcpTest, ClientsThatDoNotReadAreClosed) {
  TcpLimits limits;
  limits.not_reading_ms = 100;
  Serve(limits);
  const auto client = Connect();
  Bytes queries;
  for (uint16_t id = 0; id < 1000; ++id) {
    Append(Frame(Query(id, "big60000")), &queries);
  }
  ASSERT_TRUE(client->Send(queries));
  EXPECT_TRUE(EventuallyClosed(TcpClose::kNotReading, 1));
  EXPECT_LT(stats().tcp.sent.value(), 1000u);
}

TEST_F(TcpTest, HalfSentFramesAreClosedEvenWhenTheyTrickle) {
  TcpLimits limits;
  limits.frame_ms = 100;
  Serve(limits);
  const auto client = Connect();
  ExpectServed(client.get());
  // A byte at a time, for ever: what counts is the frame's first byte.
  ASSERT_TRUE(client->Send({0x40, 0x00}));
  EXPECT_TRUE(Eventually([&] {
    client->SendByte('x');
    return stats().closed(TcpClose::kPartialFrame).value() == 1;
  }));
}

TEST_F(TcpTest, AConnectionEndsAfterItsLastQuery) {
  TcpLimits limits;
  limits.queries_max = 3;
  Serve(limits);
  const auto client = Connect();
  for (uint16_t id = 0; id < 3; ++id) ExpectServed(client.get(), id);
  EXPECT_TRUE(client->AtEnd());
  ExpectServed(Connect().get());
}

TEST_F(TcpTest, ALowerLimitEndsWhoIsBeyondIt) {
  Serve({});
  const auto client = Connect();
  for (uint16_t id = 0; id < 3; ++id) ExpectServed(client.get(), id);
  TcpLimits limits;
  limits.queries_max = 2;
  testing::OnLoop(&thread_.loop, [&] { listener_->SetLimits(limits); });
  ASSERT_TRUE(client->Send({0, 1, 'x'}));
  EXPECT_TRUE(client->AtEnd());
}

TEST_F(TcpTest, NewLimitsCloseTheLongestIdle) {
  Serve({});
  const auto first = Connect();
  ExpectServed(first.get());
  const auto second = Connect();
  ExpectServed(second.get());
  TcpLimits limits;
  limits.connections_max = 1;
  thread_.loop.Post([&] { listener_->SetLimits(limits); });
  EXPECT_TRUE(first->AtEnd());
  EXPECT_TRUE(EventuallyClosed(TcpClose::kEvicted, 1));
  ExpectServed(second.get());
}

TEST_F(TcpTest, IdleConnectionsAreClosedAndOthersStay) {
  TcpLimits limits;
  limits.idle_ms = 300;
  Serve(limits);
  const auto idle = Connect();
  const auto busy = Connect();
  // The busy one is asked until the idle one is gone.
  EXPECT_TRUE(Eventually([&] {
    ExpectServed(busy.get());
    return stats().closed(TcpClose::kIdle).value() >= 1;
  }));
  EXPECT_TRUE(idle->AtEnd());
  EXPECT_EQ(stats().tcp_open.value(), 1u);
}

TEST_F(TcpTest, TheLongestIdleConnectionMakesRoom) {
  TcpLimits limits;
  limits.connections_max = 3;
  Serve(limits);
  const auto first = Connect();
  ExpectServed(first.get());
  const auto second = Connect();
  ExpectServed(second.get());
  const auto third = Connect();
  ExpectServed(third.get());
  // Order of use has the loop's millisecond as its unit; the list keeps the
  // order of the events themselves.
  ExpectServed(first.get());
  const auto fourth = Connect();
  ExpectServed(fourth.get());
  EXPECT_TRUE(second->AtEnd());
  ExpectServed(first.get());
  ExpectServed(third.get());
  EXPECT_EQ(stats().closed(TcpClose::kEvicted).value(), 1u);
  EXPECT_EQ(stats().tcp_open.value(), 3u);
}

TEST_F(TcpTest, OneClientCannotTakeAllConnections) {
  TcpLimits limits;
  limits.connections_per_client_max = 2;
  Serve(limits, "0.0.0.0");
  const auto first = Connect();
  auto second = Connect();
  ExpectServed(first.get());
  ExpectServed(second.get());
  const auto refused = Connect();
  EXPECT_TRUE(refused->AtEnd());
  EXPECT_TRUE(EventuallyClosed(TcpClose::kClientCap, 1));
  ExpectServed(first.get());
  // Another address is another client: what connects to 127.0.0.1 from
  // 127.0.0.9 counts on its own.
  const UniqueFd other(socket(AF_INET, SOCK_STREAM, 0));
  const SocketAddress from = testing::Address({"127.0.0.9", 0});
  const SocketAddress to = testing::Address({"127.0.0.1", endpoint_.port});
  ASSERT_EQ(bind(other.get(), &from.sa, from.size()), 0);
  ASSERT_EQ(connect(other.get(), &to.sa, to.size()), 0);
  EXPECT_TRUE(Eventually([this] { return stats().tcp_accepted.value() == 3; }));
  // And a connection that ends makes room.
  second.reset();
  EXPECT_TRUE(EventuallyClosed(TcpClose::kClient, 1));
  ExpectServed(Connect().get());
}

TEST(TcpClient, Ipv6ClientsAreCountedByTheir64) {
  const auto of = [](const char* ip) {
    return TcpClient::Of(testing::Address({ip, 1}));
  };
  EXPECT_EQ(of("2001:db8::1"), of("2001:db8::ffff:2"));
  EXPECT_FALSE(of("2001:db8::1") == of("2001:db8:0:1::1"));
  EXPECT_FALSE(of("10.0.0.1") == of("10.0.0.2"));
  EXPECT_FALSE(of("0.0.0.0") == of("::"));
}

TEST_F(TcpTest, BuffersOfAllConnectionsTogetherAreBounded) {
  TcpLimits limits;
  limits.buffered_bytes_max = 100'000;
  Serve(limits);
  // Each promises 65,535 bytes and sends most of them.
  Bytes partial(60'000, 'x');
  partial[0] = partial[1] = 0xff;
  const auto first = Connect();
  const auto second = Connect();
  ASSERT_TRUE(first->Send(partial));
  ASSERT_TRUE(Eventually(
      [&] { return stats().tcp.received_bytes.value() >= partial.size(); }));
  second->Send(partial);
  EXPECT_TRUE(EventuallyClosed(TcpClose::kMemory, 1));
  EXPECT_EQ(stats().tcp_open.value(), 1u);
  // What is given back can be used again.
  ASSERT_TRUE(first->Send(Bytes(65'537 - partial.size(), 'x')));
  EXPECT_EQ(first->ReceiveFrame().size(), 65'535u);
  const auto third = Connect();
  ASSERT_TRUE(third->Send(partial));
  ASSERT_TRUE(third->Send(Bytes(65'537 - partial.size(), 'x')));
  EXPECT_EQ(third->ReceiveFrame().size(), 65'535u);
}

// Makes the process run out of descriptors for as long as it lives.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit limit = before_;
    const UniqueFd next(dup(0));
    limit.rlim_cur = static_cast<rlim_t>(next.get());
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  ~NoDescriptorsLeft() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(TcpTest, AcceptingPausesWithoutDescriptorsAndGoesOn) {
  Serve({});
  std::unique_ptr<Client> client;
  {
    // The client's descriptor comes first; the kernel completes the
    // connection without the server.
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
    std::optional<NoDescriptorsLeft> limit;
    limit.emplace();
    const SocketAddress to = testing::Address(endpoint_);
    ASSERT_EQ(connect(fd.get(), &to.sa, to.size()), 0);
    // Several pauses and not thousands: it does not spin.
    const uint64_t before = stats().tcp_accept_pauses.value();
    EXPECT_TRUE(Eventually(
        [&] { return stats().tcp_accept_pauses.value() >= before + 3; }));
    EXPECT_LT(stats().tcp_accept_pauses.value(), before + 10);
    EXPECT_EQ(stats().tcp_open.value(), 0u);
    limit.reset();
    EXPECT_TRUE(Eventually([this] { return stats().tcp_open.value() == 1; }));
  }
  ExpectServed(Connect().get());
}

TEST_F(TcpTest, WithoutDescriptorsTheLongestIdleConnectionMakesRoom) {
  Serve({});
  const auto old = Connect();
  ExpectServed(old.get());
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
  const NoDescriptorsLeft limit;
  const SocketAddress to = testing::Address(endpoint_);
  ASSERT_EQ(connect(fd.get(), &to.sa, to.size()), 0);
  EXPECT_TRUE(EventuallyClosed(TcpClose::kEvicted, 1));
  EXPECT_TRUE(Eventually([this] { return stats().tcp_accepted.value() == 2; }));
  EXPECT_TRUE(old->AtEnd());
}

}  // namespace
}  // namespace dnsd
