#include "dnsd/serve/udp_listener.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/dnsd/serve/serve_testing.h"

namespace dnsd {
namespace {

using testing::Answer;
using testing::Bytes;
using testing::Client;
using testing::Eventually;
using testing::FreeEndpoint;
using testing::Query;

class UdpListenerTest : public ::testing::Test {
 protected:
  void Serve(const std::string& ip) {
    endpoint_ = FreeEndpoint(ip);
    absl::StatusOr<ListenSocket> socket = ListenUdp(endpoint_);
    ASSERT_TRUE(socket.ok()) << socket.status();
    listener_ = std::make_unique<UdpListener>(&thread_.loop, *std::move(socket),
                                              &batch_, &thread_.context);
    thread_.Start();
  }
  void TearDown() override { thread_.Stop(); }

  // Asks `ip` at the server's port. A client that is connected to it hears
  // only answers from there.
  void ExpectAnswerFrom(const std::string& ip) {
    SCOPED_TRACE(ip);
    Client client({ip, endpoint_.port}, SOCK_DGRAM);
    ASSERT_TRUE(client.Send(Query(7, "web")));
    EXPECT_EQ(client.ReceiveDatagram(), Answer(Query(7, "web")));
  }

  const TransportNumbers<Counter>& stats() const { return thread_.stats.udp; }

  Endpoint endpoint_;
  testing::ServeThread thread_;
  UdpBatch batch_;
  std::unique_ptr<UdpListener> listener_;
};

TEST_F(UdpListenerTest, AnswersOverIpv4) {
  Serve("127.0.0.1");
  ExpectAnswerFrom("127.0.0.1");
  EXPECT_TRUE(Eventually([this] { return stats().sent.value() == 1; }));
  EXPECT_EQ(stats().received.value(), 1u);
  EXPECT_EQ(stats().received_bytes.value(), Query(7, "web").size());
  EXPECT_EQ(stats().sent_bytes.value(), Query(7, "web").size());
  EXPECT_EQ(stats().outcome(Outcome::kAnswered).value(), 1u);
}

TEST_F(UdpListenerTest, AnswersOverIpv6) {
  Serve("::1");
  ExpectAnswerFrom("::1");
}

TEST_F(UdpListenerTest, AnswersFromTheAddressThatWasAskedOnAWildcard) {
  Serve("0.0.0.0");
  ExpectAnswerFrom("127.0.0.1");
  ExpectAnswerFrom("127.0.0.2");
  ExpectAnswerFrom("127.1.2.3");
}

TEST_F(UdpListenerTest, AnswersOnTheIpv6Wildcard) {
  Serve("::");
  ExpectAnswerFrom("::1");
}

TEST_F(UdpListenerTest, AnswersABurstOfManyBatches) {
  Serve("127.0.0.1");
  Client client(endpoint_, SOCK_DGRAM);
  // Several batches, and few enough for the client's receive buffer.
  for (uint16_t id = 0; id < 200; ++id) {
    ASSERT_TRUE(client.Send(Query(id, "web")));
  }
  for (uint16_t id = 0; id < 200; ++id) {
    EXPECT_EQ(client.ReceiveDatagram(), Answer(Query(id, "web")));
  }
}

TEST_F(UdpListenerTest, AnUnsendableAnswerCostsOnlyItself) {
  Serve("127.0.0.1");
  Client client(endpoint_, SOCK_DGRAM);
  for (uint16_t id = 0; id < 50; ++id) {
    const bool unsendable = id % 10 == 5;
    ASSERT_TRUE(client.Send(Query(id, unsendable ? "big65535" : "web")));
  }
  for (uint16_t id = 0; id < 50; ++id) {
    if (id % 10 == 5) continue;
    EXPECT_EQ(client.ReceiveDatagram(), Answer(Query(id, "web")));
  }
  EXPECT_TRUE(Eventually([this] { return stats().send_errors.value() == 5; }));
  EXPECT_EQ(stats().sent.value(), 45u);
}

TEST_F(UdpListenerTest, BadPacketsGetNoAnswerAndAreCounted) {
  Serve("127.0.0.1");
  Client client(endpoint_, SOCK_DGRAM);
  ASSERT_TRUE(client.Send(Answer(Query(1, "response"))));
  ASSERT_TRUE(client.Send(Bytes(11)));
  ASSERT_TRUE(client.Send({}));
  ASSERT_TRUE(client.Send(Bytes(kUdpQueryBytesMax + 1)));
  ASSERT_TRUE(client.Send(Query(2, "last")));
  EXPECT_EQ(client.ReceiveDatagram(), Answer(Query(2, "last")));
  EXPECT_TRUE(Eventually([this] { return stats().sent.value() == 1; }));
  EXPECT_EQ(stats().received.value(), 5u);
  EXPECT_EQ(stats().outcome(Outcome::kDroppedResponse).value(), 1u);
  EXPECT_EQ(stats().outcome(Outcome::kDroppedShort).value(), 2u);
  EXPECT_EQ(stats().dropped_too_long.value(), 1u);
}

// Two sockets take turns on one batch.
TEST_F(UdpListenerTest, ServesSeveralAddresses) {
  const Endpoint other = FreeEndpoint("::1");
  absl::StatusOr<ListenSocket> socket = ListenUdp(other);
  ASSERT_TRUE(socket.ok()) << socket.status();
  UdpListener second(&thread_.loop, *std::move(socket), &batch_,
                     &thread_.context);
  Serve("0.0.0.0");
  Client client(other, SOCK_DGRAM);
  for (int round = 0; round < 20; ++round) {
    ExpectAnswerFrom("127.0.0.2");
    ASSERT_TRUE(client.Send(Query(9, "six")));
    EXPECT_EQ(client.ReceiveDatagram(), Answer(Query(9, "six")));
  }
  thread_.Stop();
}

}  // namespace
}  // namespace dnsd
