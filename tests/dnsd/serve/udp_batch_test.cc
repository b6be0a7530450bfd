#include "dnsd/serve/udp_batch.h"

#include <gtest/gtest.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "tests/dnsd/serve/serve_testing.h"
#include "zones/responder.h"

namespace dnsd {
namespace {

using testing::Bytes;
using testing::Client;
using testing::FreeEndpoint;

void WaitReadable(int fd) {
  pollfd ready{fd, POLLIN, 0};
  ASSERT_EQ(poll(&ready, 1, 5000), 1);
}

// A server socket and a batch.
class UdpBatchTest : public ::testing::Test {
 protected:
  void Listen(const std::string& ip) {
    endpoint_ = FreeEndpoint(ip);
    absl::StatusOr<ListenSocket> socket = ListenUdp(endpoint_);
    ASSERT_TRUE(socket.ok()) << socket.status();
    socket_ = *std::move(socket);
  }
  int Receive() {
    WaitReadable(socket_.fd.get());
    return batch_->Receive(socket_.fd.get());
  }
  void ReplyWith(size_t index, size_t size, uint8_t byte) {
    memset(batch_->room(), byte, size);
    batch_->Reply(index, size);
  }

  Endpoint endpoint_;
  ListenSocket socket_;
  std::unique_ptr<UdpBatch> batch_ = std::make_unique<UdpBatch>();
};

TEST_F(UdpBatchTest, ReceivesAtMostABatchInOrder) {
  Listen("127.0.0.1");
  Client client(endpoint_, SOCK_DGRAM);
  for (uint8_t i = 0; i < 70; ++i) ASSERT_TRUE(client.SendByte(i));
  ASSERT_EQ(Receive(), 64);
  EXPECT_EQ(batch_->packet(0)[0], 0);
  EXPECT_EQ(batch_->packet(63)[0], 63);
  ASSERT_EQ(Receive(), 6);
  EXPECT_EQ(batch_->packet(5)[0], 69);
  EXPECT_EQ(batch_->Receive(socket_.fd.get()), 0);
}

TEST_F(UdpBatchTest, ReportsABrokenDescriptor) {
  EXPECT_EQ(batch_->Receive(-1), -EBADF);
}

TEST_F(UdpBatchTest, TooLongQueriesAreRecognised) {
  Listen("127.0.0.1");
  Client client(endpoint_, SOCK_DGRAM);
  ASSERT_TRUE(client.Send(Bytes(kUdpQueryBytesMax)));
  ASSERT_TRUE(client.Send(Bytes(kUdpQueryBytesMax + 1)));
  ASSERT_EQ(Receive(), 2);
  EXPECT_EQ(batch_->Inspect(0, socket_.address), UdpArrival::kGood);
  EXPECT_EQ(batch_->packet(0).size(), kUdpQueryBytesMax);
  EXPECT_EQ(batch_->Inspect(1, socket_.address), UdpArrival::kTooLong);
}

TEST_F(UdpBatchTest, LongQueriesAreWhole) {
  Listen("127.0.0.1");
  Client client(endpoint_, SOCK_DGRAM);
  std::vector<Bytes> queries;
  for (const size_t size : {1u, 255u, 256u, 257u, 3000u, 4096u}) {
    Bytes query(size);
    for (size_t i = 0; i < size; ++i) query[i] = static_cast<uint8_t>(i % 251);
    ASSERT_TRUE(client.Send(query));
    queries.push_back(query);
  }
  ASSERT_EQ(Receive(), static_cast<int>(queries.size()));
  for (size_t i = 0; i < queries.size(); ++i) {
    const std::span<const uint8_t> packet = batch_->packet(i);
    EXPECT_EQ(Bytes(packet.begin(), packet.end()), queries[i]) << i;
  }
}

// Each is a datagram of its own for who receives it, whatever left together:
// queries of two clients in turns, answers of three sizes.
TEST_F(UdpBatchTest, AnswersOfOneSizeLeaveTogether) {
  for (const char* ip : {"127.0.0.1", "::1", "0.0.0.0", "::"}) {
    SCOPED_TRACE(ip);
    Listen(ip);
    const bool is_v6 = endpoint_.ip.find(':') != std::string::npos;
    const Endpoint server{is_v6 ? "::1" : "127.0.0.1", endpoint_.port};
    Client clients[] = {{server, SOCK_DGRAM}, {server, SOCK_DGRAM}};
    constexpr uint8_t kEach = 24;
    for (uint8_t i = 0; i < kEach; ++i) {
      for (Client& client : clients) ASSERT_TRUE(client.SendByte(i));
    }
    ASSERT_EQ(Receive(), 2 * kEach);
    for (uint8_t i = 0; i < 2 * kEach; ++i) {
      ASSERT_EQ(batch_->Inspect(i, socket_.address), UdpArrival::kGood);
      const uint8_t asked = batch_->packet(i)[0];
      // A third each; the last fits no segment.
      const size_t sizes[] = {70, 300, kUdpSegmentBytesMax + 1};
      ReplyWith(i, sizes[asked % 3], asked);
    }
    const UdpSendResult result = batch_->Send(socket_.fd.get());
    EXPECT_EQ(result.sent, 2u * kEach);
    EXPECT_EQ(result.failed, 0u);
    EXPECT_EQ(result.grouped, 2u * kEach / 3 * 2);
    EXPECT_EQ(result.sent_bytes,
              2u * kEach / 3 * (70 + 300 + kUdpSegmentBytesMax + 1));
    for (Client& client : clients) {
      std::vector<int> seen(kEach);
      for (uint8_t i = 0; i < kEach; ++i) {
        const Bytes answer = client.ReceiveDatagram();
        ASSERT_FALSE(answer.empty());
        const uint8_t asked = answer[0];
        ASSERT_LT(asked, kEach);
        ++seen[asked];
        const size_t sizes[] = {70, 300, kUdpSegmentBytesMax + 1};
        EXPECT_EQ(answer, Bytes(sizes[asked % 3], asked));
      }
      EXPECT_EQ(seen, std::vector<int>(kEach, 1));
      EXPECT_FALSE(client.HasDatagram());
    }
  }
}

// The kernel joins what a client sent as one, and tells the size.
class JoinedTest : public UdpBatchTest {
 protected:
  void Join() {
    const int on = 1;
    ASSERT_EQ(setsockopt(socket_.fd.get(), SOL_UDP, UDP_GRO, &on, sizeof(on)),
              0);
  }
  // In segments of `size` bytes; what is left is a shorter one.
  static void SendSegments(const Client& client, const Bytes& bytes, int size) {
    ASSERT_EQ(
        setsockopt(client.fd(), SOL_UDP, UDP_SEGMENT, &size, sizeof(size)), 0);
    ASSERT_EQ(send(client.fd(), bytes.data(), bytes.size(), 0),
              static_cast<ssize_t>(bytes.size()));
  }
  int ReceiveJoined() {
    WaitReadable(socket_.fd.get());
    return batch_->Receive(socket_.fd.get(), true);
  }
};

TEST_F(JoinedTest, DatagramsAreTakenApartAndAnswered) {
  for (const char* ip : {"127.0.0.1", "::1", "0.0.0.0", "::"}) {
    SCOPED_TRACE(ip);
    Listen(ip);
    Join();
    const bool is_v6 = endpoint_.ip.find(':') != std::string::npos;
    // Of 127.0.0.2 the answer must come from there.
    Client client({is_v6          ? "::1"
                   : ip[0] == '0' ? "127.0.0.2"
                                  : "127.0.0.1",
                   endpoint_.port},
                  SOCK_DGRAM);
    constexpr size_t kSize = 40;
    constexpr size_t kCount = 20;
    Bytes bytes;
    for (uint8_t i = 0; i < kCount; ++i) bytes.insert(bytes.end(), kSize, i);
    bytes.insert(bytes.end(), 7, kCount);
    SendSegments(client, bytes, kSize);
    ASSERT_TRUE(client.SendByte(kCount + 1));
    ASSERT_EQ(ReceiveJoined(), static_cast<int>(kCount) + 2);
    EXPECT_EQ(batch_->message_count(), 2u);
    for (uint8_t i = 0; i < kCount + 2; ++i) {
      ASSERT_EQ(batch_->Inspect(i, socket_.address), UdpArrival::kGood);
      const std::span<const uint8_t> packet = batch_->packet(i);
      const size_t size = i < kCount ? kSize : i == kCount ? 7 : 1;
      EXPECT_EQ(Bytes(packet.begin(), packet.end()), Bytes(size, i));
      ReplyWith(i, 100, i);
    }
    EXPECT_EQ(batch_->Send(socket_.fd.get()).sent, kCount + 2);
    for (uint8_t i = 0; i < kCount + 2; ++i) {
      EXPECT_EQ(client.ReceiveDatagram(), Bytes(100, i));
    }
    EXPECT_FALSE(client.HasDatagram());
  }
}

TEST_F(JoinedTest, MoreThanABatchOfAnswersIsSentInParts) {
  Listen("127.0.0.1");
  Join();
  Client client(endpoint_, SOCK_DGRAM);
  for (int i = 0; i < 3; ++i) SendSegments(client, Bytes(64 * 20, 1), 20);
  const int count = ReceiveJoined();
  ASSERT_EQ(count, 3 * 64);
  size_t sent = 0;
  for (int i = 0; i < count; ++i) {
    if (!batch_->has_room()) sent += batch_->Send(socket_.fd.get()).sent;
    ASSERT_TRUE(batch_->has_room());
    ReplyWith(static_cast<size_t>(i), 30, 2);
  }
  sent += batch_->Send(socket_.fd.get()).sent;
  EXPECT_EQ(sent, 3u * 64);
  for (int i = 0; i < count; ++i) {
    ASSERT_EQ(client.ReceiveDatagram(), Bytes(30, 2));
  }
  EXPECT_FALSE(client.HasDatagram());
}

TEST_F(JoinedTest, TooLongQueriesAreRecognised) {
  Listen("127.0.0.1");
  Join();
  Client client(endpoint_, SOCK_DGRAM);
  ASSERT_TRUE(client.Send(Bytes(kUdpQueryBytesMax)));
  ASSERT_TRUE(client.Send(Bytes(kUdpQueryBytesMax + 1)));
  ASSERT_TRUE(client.Send(Bytes(65'000)));
  ASSERT_EQ(ReceiveJoined(), 3);
  EXPECT_EQ(batch_->Inspect(0, socket_.address), UdpArrival::kGood);
  EXPECT_EQ(batch_->Inspect(1, socket_.address), UdpArrival::kTooLong);
  EXPECT_EQ(batch_->Inspect(2, socket_.address), UdpArrival::kTooLong);
  // And back to plain messages.
  const int off = 0;
  ASSERT_EQ(setsockopt(socket_.fd.get(), SOL_UDP, UDP_GRO, &off, sizeof(off)),
            0);
  for (uint8_t i = 0; i < 64; ++i) ASSERT_TRUE(client.SendByte(i));
  ASSERT_EQ(Receive(), 64);
  EXPECT_TRUE(batch_->is_full());
  for (uint8_t i = 0; i < 64; ++i) {
    ASSERT_EQ(batch_->Inspect(i, socket_.address), UdpArrival::kGood);
    EXPECT_EQ(batch_->packet(i)[0], i);
  }
}

// As those of a worker: one batch for all.
TEST_F(JoinedTest, SocketsOfBothKindsTakeTurns) {
  Listen("127.0.0.1");
  Join();
  const Endpoint plain_endpoint = FreeEndpoint("0.0.0.0");
  absl::StatusOr<ListenSocket> plain = ListenUdp(plain_endpoint);
  ASSERT_TRUE(plain.ok()) << plain.status();
  Client joined_client(endpoint_, SOCK_DGRAM);
  Client client({"127.0.0.1", plain_endpoint.port}, SOCK_DGRAM);
  for (uint8_t round = 0; round < 4; ++round) {
    SendSegments(joined_client, Bytes(30 * 20, round), 20);
    ASSERT_EQ(ReceiveJoined(), 30);
    for (size_t i = 0; i < 30; ++i) {
      ASSERT_EQ(batch_->Inspect(i, socket_.address), UdpArrival::kGood);
      EXPECT_EQ(batch_->packet(i).size(), 20u);
      EXPECT_TRUE(batch_->control(i).empty());
    }
    for (uint8_t i = 0; i < 5; ++i) ASSERT_TRUE(client.SendByte(i));
    WaitReadable(plain->fd.get());
    ASSERT_EQ(batch_->Receive(plain->fd.get()), 5);
    for (uint8_t i = 0; i < 5; ++i) {
      ASSERT_EQ(batch_->Inspect(i, plain->address), UdpArrival::kGood);
      EXPECT_EQ(batch_->packet(i)[0], i);
      // Equal to the last byte, or they would not leave together.
      EXPECT_TRUE(std::ranges::equal(batch_->control(i), batch_->control(0)));
      ReplyWith(i, 50, i);
    }
    EXPECT_EQ(batch_->Send(plain->fd.get()).grouped, 5u);
    for (uint8_t i = 0; i < 5; ++i) {
      EXPECT_EQ(client.ReceiveDatagram(), Bytes(50, i));
    }
  }
}

// With a checksum per packet turned off the kernel refuses to cut (EINVAL).
TEST_F(UdpBatchTest, WhatMayNotLeaveTogetherLeavesAlone) {
  Listen("127.0.0.1");
  const int on = 1;
  ASSERT_EQ(
      setsockopt(socket_.fd.get(), SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)),
      0);
  Client client(endpoint_, SOCK_DGRAM);
  for (int round = 0; round < 20; ++round) {
    for (uint8_t i = 0; i < 8; ++i) ASSERT_TRUE(client.SendByte(i));
    ASSERT_EQ(Receive(), 8);
    for (uint8_t i = 0; i < 8; ++i) ReplyWith(i, 100, i);
    const UdpSendResult result = batch_->Send(socket_.fd.get());
    EXPECT_EQ(result.sent, 8u);
    EXPECT_EQ(result.failed, 0u);
    EXPECT_EQ(result.grouped, 0u);
    EXPECT_EQ(result.sent_bytes, 800u);
    for (uint8_t i = 0; i < 8; ++i) {
      EXPECT_EQ(client.ReceiveDatagram(), Bytes(100, i));
    }
  }
}

// No datagram holds 65,535 bytes: sendmmsg stops there with EMSGSIZE.
TEST_F(UdpBatchTest, AnUnsendableAnswerIsSkipped) {
  for (const size_t unsendable : {size_t{0}, size_t{3}, size_t{7}}) {
    SCOPED_TRACE(unsendable);
    Listen("127.0.0.1");
    Client client(endpoint_, SOCK_DGRAM);
    for (uint8_t i = 0; i < 8; ++i) ASSERT_TRUE(client.SendByte(i));
    ASSERT_EQ(Receive(), 8);
    for (size_t i = 0; i < 8; ++i) {
      ASSERT_TRUE(batch_->has_room());
      ReplyWith(i, i == unsendable ? 65535 : 20, static_cast<uint8_t>(i));
    }
    const UdpSendResult result = batch_->Send(socket_.fd.get());
    EXPECT_EQ(result.failed, 1u);
    EXPECT_EQ(result.sent, 7u);
    EXPECT_EQ(result.sent_bytes, 140u);
    for (uint8_t i = 0; i < 8; ++i) {
      if (i == unsendable) continue;
      EXPECT_EQ(client.ReceiveDatagram(), Bytes(20, i));
    }
    EXPECT_FALSE(client.HasDatagram());
  }
}

TEST_F(UdpBatchTest, RoomEndsBeforeTheArenaDoes) {
  Listen("127.0.0.1");
  Client client(endpoint_, SOCK_DGRAM);
  for (uint8_t i = 0; i < 8; ++i) ASSERT_TRUE(client.SendByte(i));
  ASSERT_EQ(Receive(), 8);
  size_t answered = 0;
  while (batch_->has_room()) ReplyWith(answered++, 50'000, 1);
  EXPECT_EQ(answered, (kUdpArenaBytes - kResponseBytesMax) / 50'000 + 1);
  EXPECT_EQ(batch_->Send(socket_.fd.get()).sent, answered);
  EXPECT_TRUE(batch_->has_room());
}

// A UNIX datagram socket has the same calls and, unlike loopback UDP, fills
// up: its receiver's queue is short.
TEST_F(UdpBatchTest, CongestionDropsTheRestAndReturns) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
  const UniqueFd server(pair[0]);
  const UniqueFd client(pair[1]);
  // From the client, in turns, since its queue to the server is short too;
  // then 64 answers that nobody reads, again and again.
  size_t sent = 0;
  size_t failed = 0;
  for (int round = 0; round < 1000 && failed == 0; ++round) {
    const uint8_t byte = 7;
    size_t queued = 0;
    while (queued < kUdpBatchMessages && send(client.get(), &byte, 1, 0) == 1) {
      ++queued;
    }
    ASSERT_GT(queued, 0u);
    ASSERT_EQ(batch_->Receive(server.get()), static_cast<int>(queued));
    for (size_t i = 0; i < queued; ++i) ReplyWith(i, 1000, 7);
    const UdpSendResult result = batch_->Send(server.get());
    EXPECT_EQ(result.sent + result.failed, queued);
    sent += result.sent;
    failed += result.failed;
  }
  EXPECT_GT(failed, 0u);
  uint8_t answer[1000];
  size_t arrived = 0;
  while (recv(client.get(), answer, sizeof(answer), 0) == 1000) ++arrived;
  EXPECT_EQ(arrived, sent);
}

TEST_F(UdpBatchTest, QueriesFromOurselvesAreRefused) {
  for (const char* ip : {"127.0.0.1", "::1", "0.0.0.0", "::"}) {
    SCOPED_TRACE(ip);
    Listen(ip);
    const bool v6 = endpoint_.ip.find(':') != std::string::npos;
    const SocketAddress to =
        testing::Address({v6 ? "::1" : "127.0.0.1", endpoint_.port});
    ASSERT_EQ(sendto(socket_.fd.get(), "x", 1, 0, &to.sa, to.size()), 1);
    ASSERT_EQ(Receive(), 1);
    EXPECT_EQ(batch_->Inspect(0, socket_.address), UdpArrival::kAddress);
  }
}

TEST_F(UdpBatchTest, QueriesToABroadcastAddressAreRefused) {
  Listen("0.0.0.0");
  const UniqueFd client(socket(AF_INET, SOCK_DGRAM, 0));
  const int on = 1;
  ASSERT_EQ(setsockopt(client.get(), SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)),
            0);
  const SocketAddress to =
      testing::Address({"127.255.255.255", endpoint_.port});
  ASSERT_EQ(sendto(client.get(), "x", 1, 0, &to.sa, to.size()), 1);
  ASSERT_EQ(Receive(), 1);
  EXPECT_EQ(batch_->Inspect(0, socket_.address), UdpArrival::kAddress);
}

TEST_F(UdpBatchTest, QueriesFromPortZeroAreRefused) {
  Listen("127.0.0.1");
  const UniqueFd raw(socket(AF_INET, SOCK_RAW, IPPROTO_UDP));
  if (!raw.valid()) GTEST_SKIP() << "raw sockets need CAP_NET_RAW";
  struct {
    udphdr header;
    uint8_t payload[4];
  } datagram = {};
  datagram.header.dest = htons(endpoint_.port);
  datagram.header.len = htons(sizeof(datagram));
  SocketAddress to = testing::Address({"127.0.0.1", 0});
  ASSERT_EQ(
      sendto(raw.get(), &datagram, sizeof(datagram), 0, &to.sa, to.size()),
      static_cast<ssize_t>(sizeof(datagram)));
  ASSERT_EQ(Receive(), 1);
  EXPECT_EQ(batch_->packet(0).size(), 4u);
  EXPECT_EQ(batch_->Inspect(0, socket_.address), UdpArrival::kAddress);
}

}  // namespace
}  // namespace dnsd
