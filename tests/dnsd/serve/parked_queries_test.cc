// Queries that wait, over real sockets. echo_respond.cc answers "wait5" from
// a view with serial 5 on.
#include "dnsd/serve/parked_queries.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

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
using testing::Servfail;

// For ever, as far as a test is concerned.
constexpr uint64_t kLong = 600'000;

class ParkedQueriesTest : public ::testing::Test {
 protected:
  // Serves UDP and TCP on one port.
  void Serve(const ParkedLimits& limits = {.wait_ms = kLong,
                                           .repeat_ms = kLong},
             const TcpLimits& tcp_limits = {},
             const std::string& ip = "127.0.0.1") {
    endpoint_ = FreeEndpoint(ip);
    thread_.emplace(limits);
    auto udp = ListenUdp(endpoint_);
    auto tcp = ListenTcp(endpoint_);
    ASSERT_TRUE(udp.ok() && tcp.ok());
    udp_ = std::make_unique<UdpListener>(&thread_->loop, *std::move(udp),
                                         &batch_, &thread_->context);
    tcp_.emplace(&thread_->loop, &thread_->context, tcp_limits);
    tcp_->Listen(*std::move(tcp));
    thread_->Start();
  }
  void TearDown() override {
    if (thread_) thread_->Stop();
  }

  std::unique_ptr<Client> Udp() {
    return std::make_unique<Client>(endpoint_, SOCK_DGRAM);
  }
  std::unique_ptr<Client> Tcp() {
    return std::make_unique<Client>(endpoint_, SOCK_STREAM);
  }
  void ExpectServed(Client* udp, uint16_t id = 99) {
    ASSERT_TRUE(udp->Send(Query(id, "web")));
    EXPECT_EQ(udp->ReceiveDatagram(), Answer(Query(id, "web")));
  }
  bool EventuallyParked(size_t count) {
    return Eventually([&] { return thread_->parked.count() == count; });
  }
  const WorkerStats& stats() const { return thread_->stats; }

  Endpoint endpoint_;
  std::optional<testing::ServeThread> thread_;
  UdpBatch batch_;
  std::unique_ptr<UdpListener> udp_;
  std::optional<TcpListener> tcp_;
};

TEST_F(ParkedQueriesTest, AreAnsweredByTheViewThatKnows) {
  Serve();
  const auto udp = Udp();
  const auto tcp = Tcp();
  ASSERT_TRUE(udp->Send(Query(1, "wait5")));
  ASSERT_TRUE(udp->Send(Query(2, "wait6")));
  ASSERT_TRUE(tcp->Send(Frame(Query(3, "wait5"))));
  ASSERT_TRUE(EventuallyParked(3));
  EXPECT_EQ(stats().udp.outcome(Outcome::kPending).value(), 2u);
  EXPECT_EQ(stats().tcp.outcome(Outcome::kPending).value(), 1u);
  // A view that does not know it either leaves them where they are.
  thread_->Publish(4);
  ExpectServed(udp.get());
  EXPECT_EQ(thread_->parked.count(), 3u);
  thread_->Publish(5);
  EXPECT_EQ(udp->ReceiveDatagram(), Answer(Query(1, "wait5")));
  EXPECT_EQ(tcp->ReceiveFrame(), Answer(Query(3, "wait5")));
  ASSERT_TRUE(EventuallyParked(1));
  thread_->Publish(7);
  EXPECT_EQ(udp->ReceiveDatagram(), Answer(Query(2, "wait6")));
  ASSERT_TRUE(EventuallyParked(0));
  EXPECT_EQ(stats().parked.value(), 3u);
  EXPECT_EQ(stats().parked_answered.value(), 3u);
  EXPECT_TRUE(Eventually([this] {
    return stats().udp.sent.value() == 3 && stats().tcp.sent.value() == 1;
  }));
}

// Two sockets of one worker, and clients asking different local addresses of
// a wildcard: a connected client hears only what comes from where it asked.
TEST_F(ParkedQueriesTest, TheAnswerLeavesFromTheAddressThatWasAsked) {
  Serve({.wait_ms = kLong, .repeat_ms = kLong}, {}, "0.0.0.0");
  std::vector<std::unique_ptr<Client>> clients;
  for (const char* ip : {"127.0.0.1", "127.0.0.2", "127.1.2.3"}) {
    clients.push_back(
        std::make_unique<Client>(Endpoint{ip, endpoint_.port}, SOCK_DGRAM));
    ASSERT_TRUE(clients.back()->Send(Query(1, "wait5")));
  }
  ASSERT_TRUE(EventuallyParked(3));
  thread_->Publish(5);
  for (const auto& client : clients) {
    EXPECT_EQ(client->ReceiveDatagram(), Answer(Query(1, "wait5")));
  }
}

TEST_F(ParkedQueriesTest, OverIpv6Too) {
  Serve({.wait_ms = kLong, .repeat_ms = kLong}, {}, "::");
  Client client({"::1", endpoint_.port}, SOCK_DGRAM);
  ASSERT_TRUE(client.Send(Query(1, "wait5")));
  ASSERT_TRUE(EventuallyParked(1));
  thread_->Publish(5);
  EXPECT_EQ(client.ReceiveDatagram(), Answer(Query(1, "wait5")));
}

TEST_F(ParkedQueriesTest, WhoWaitsTooLongGetsServfail) {
  Serve({.wait_ms = 50, .repeat_ms = kLong});
  const auto udp = Udp();
  const auto tcp = Tcp();
  ASSERT_TRUE(udp->Send(Query(1, "wait5")));
  ASSERT_TRUE(tcp->Send(Frame(Query(2, "wait5"))));
  EXPECT_EQ(udp->ReceiveDatagram(), Servfail(Query(1, "wait5")));
  EXPECT_EQ(tcp->ReceiveFrame(), Servfail(Query(2, "wait5")));
  ASSERT_TRUE(EventuallyParked(0));
  EXPECT_EQ(stats().parked_expired.value(), 2u);
  EXPECT_EQ(stats().parked_answered.value(), 0u);
}

TEST_F(ParkedQueriesTest, WhoFindsNoRoomGetsServfailAtOnce) {
  Serve({.queries_max = 2, .wait_ms = kLong, .repeat_ms = kLong});
  const auto udp = Udp();
  const auto tcp = Tcp();
  ASSERT_TRUE(udp->Send(Query(1, "wait5")));
  ASSERT_TRUE(udp->Send(Query(2, "wait5")));
  ASSERT_TRUE(EventuallyParked(2));
  ASSERT_TRUE(udp->Send(Query(3, "wait5")));
  EXPECT_EQ(udp->ReceiveDatagram(), Servfail(Query(3, "wait5")));
  ASSERT_TRUE(tcp->Send(Frame(Query(4, "wait5"))));
  EXPECT_EQ(tcp->ReceiveFrame(), Servfail(Query(4, "wait5")));
  // Retransmissions of those that have a place are not refused.
  ASSERT_TRUE(udp->Send(Query(1, "wait5")));
  ExpectServed(udp.get());
  EXPECT_EQ(stats().parked_refused.value(), 2u);
  thread_->Publish(5);
  EXPECT_EQ(udp->ReceiveDatagram(), Answer(Query(1, "wait5")));
  EXPECT_EQ(udp->ReceiveDatagram(), Answer(Query(2, "wait5")));
  ASSERT_TRUE(EventuallyParked(0));
  // There is room again.
  ASSERT_TRUE(udp->Send(Query(5, "wait9")));
  EXPECT_TRUE(EventuallyParked(1));
}

TEST_F(ParkedQueriesTest, LongQueriesDoNotWait) {
  Serve();
  const auto tcp = Tcp();
  Bytes query = Query(1, "wait5");
  query.resize(kUdpQueryBytesMax + 1);
  ASSERT_TRUE(tcp->Send(Frame(query)));
  EXPECT_EQ(tcp->ReceiveFrame(), Servfail(query));
  query.resize(kUdpQueryBytesMax);
  ASSERT_TRUE(tcp->Send(Frame(query)));
  EXPECT_TRUE(EventuallyParked(1));
}

TEST_F(ParkedQueriesTest, RetransmissionsAreParkedOnce) {
  Serve();
  const auto udp = Udp();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(udp->Send(Query(1, "wait5")));
  ASSERT_TRUE(udp->Send(Query(2, "wait5")));  // another id: another query
  const auto other = Udp();                   // another port: another client
  ASSERT_TRUE(other->Send(Query(1, "wait5")));
  ASSERT_TRUE(Eventually(
      [this] { return stats().udp.outcome(Outcome::kPending).value() == 7; }));
  EXPECT_TRUE(EventuallyParked(3));
  thread_->Publish(5);
  EXPECT_EQ(udp->ReceiveDatagram(), Answer(Query(1, "wait5")));
  EXPECT_EQ(udp->ReceiveDatagram(), Answer(Query(2, "wait5")));
  EXPECT_EQ(other->ReceiveDatagram(), Answer(Query(1, "wait5")));
  ExpectServed(udp.get());
  EXPECT_EQ(stats().parked.value(), 3u);
  // Once answered it is a new query.
  ASSERT_TRUE(udp->Send(Query(2, "wait9")));
  EXPECT_TRUE(EventuallyParked(1));
}

TEST_F(ParkedQueriesTest, OthersOvertakeThemOnOneConnection) {
  Serve();
  const auto tcp = Tcp();
  Bytes queries;
  for (const Bytes& query : {Query(1, "wait5"), Query(2, "web"),
                             Query(3, "wait6"), Query(4, "web")}) {
    const Bytes frame = Frame(query);
    queries.insert(queries.end(), frame.begin(), frame.end());
  }
  ASSERT_TRUE(tcp->Send(queries));
  EXPECT_EQ(tcp->ReceiveFrame(), Answer(Query(2, "web")));
  EXPECT_EQ(tcp->ReceiveFrame(), Answer(Query(4, "web")));
  ASSERT_TRUE(EventuallyParked(2));
  thread_->Publish(6);
  EXPECT_EQ(tcp->ReceiveFrame(), Answer(Query(1, "wait5")));
  EXPECT_EQ(tcp->ReceiveFrame(), Answer(Query(3, "wait6")));
}

TEST_F(ParkedQueriesTest, AConnectionThatWaitsIsNotIdle) {
  Serve({.wait_ms = kLong, .repeat_ms = kLong}, {.idle_ms = 60});
  const auto waiting = Tcp();
  ASSERT_TRUE(waiting->Send(Frame(Query(1, "wait5"))));
  ASSERT_TRUE(EventuallyParked(1));
  const auto idle = Tcp();
  EXPECT_TRUE(idle->AtEnd());
  EXPECT_EQ(stats().closed(TcpClose::kIdle).value(), 1u);
  EXPECT_EQ(stats().tcp_open.value(), 1u);
  thread_->Publish(5);
  EXPECT_EQ(waiting->ReceiveFrame(), Answer(Query(1, "wait5")));
  EXPECT_TRUE(waiting->AtEnd());
  EXPECT_EQ(stats().closed(TcpClose::kIdle).value(), 2u);
}

TEST_F(ParkedQueriesTest, HalfClosedClientsGetTheirAnswers) {
  Serve();
  const auto tcp = Tcp();
  ASSERT_TRUE(tcp->Send(Frame(Query(1, "wait5"))));
  ASSERT_TRUE(tcp->Send(Frame(Query(2, "wait6"))));
  ASSERT_TRUE(tcp->Send(Frame(Query(3, "web"))));
  ASSERT_TRUE(tcp->SendByte(0));  // the begin of a frame that never comes
  tcp->EndSending();
  EXPECT_EQ(tcp->ReceiveFrame(), Answer(Query(3, "web")));
  ASSERT_TRUE(EventuallyParked(2));
  // A loop that spins on the end of file would take all of a core.
  rusage before{};
  getrusage(RUSAGE_SELF, &before);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  rusage after{};
  getrusage(RUSAGE_SELF, &after);
  const auto cpu_us = [](const rusage& usage) {
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1'000'000 +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
  };
  EXPECT_LT(cpu_us(after) - cpu_us(before), 100'000);
  thread_->Publish(5);
  EXPECT_EQ(tcp->ReceiveFrame(), Answer(Query(1, "wait5")));
  EXPECT_EQ(stats().tcp_open.value(), 1u);
  thread_->Publish(6);
  EXPECT_EQ(tcp->ReceiveFrame(), Answer(Query(2, "wait6")));
  EXPECT_TRUE(tcp->AtEnd());
  EXPECT_TRUE(Eventually(
      [&] { return stats().closed(TcpClose::kClient).value() == 1; }));
}

TEST_F(ParkedQueriesTest, ConnectionsThatEndTakeTheirQueriesAlong) {
  Serve({.wait_ms = kLong, .repeat_ms = kLong}, {.connections_max = 2});
  const auto first = Tcp();
  const auto second = Tcp();
  for (uint16_t id = 0; id < 3; ++id) {
    ASSERT_TRUE(first->Send(Frame(Query(id, "wait5"))));
  }
  ASSERT_TRUE(EventuallyParked(3));
  ASSERT_TRUE(second->Send(Frame(Query(7, "wait5"))));
  ASSERT_TRUE(EventuallyParked(4));
  const auto third = Tcp();  // pushes out the first
  EXPECT_TRUE(first->AtEnd());
  ASSERT_TRUE(EventuallyParked(1));
  EXPECT_EQ(stats().parked_dropped.value(), 3u);
  thread_->Publish(5);
  EXPECT_EQ(second->ReceiveFrame(), Answer(Query(7, "wait5")));
  EXPECT_EQ(stats().parked_answered.value(), 1u);
}

// Clients that are gone when the answers come: the first of them ends the
// connection, while others of it are still in the table.
TEST_F(ParkedQueriesTest, AnsweringSurvivesConnectionsThatBreakMeanwhile) {
  Serve();
  const auto udp = Udp();
  for (int round = 0; round < 20; ++round) {
    {
      const auto gone = Tcp();
      for (uint16_t id = 0; id < 50; ++id) {
        ASSERT_TRUE(gone->Send(Frame(Query(id, "wait5"))));
      }
      ASSERT_TRUE(EventuallyParked(50));
      ASSERT_TRUE(udp->Send(Query(77, "wait5")));
      ASSERT_TRUE(EventuallyParked(51));
      // A half-close is not read as an end: the reset comes with the answers.
      gone->EndSending();
      const linger reset{1, 0};
      setsockopt(gone->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    }
    thread_->Publish(5);
    EXPECT_EQ(udp->ReceiveDatagram(), Answer(Query(77, "wait5")));
    ASSERT_TRUE(EventuallyParked(0));
    thread_->Publish(1);
  }
  EXPECT_TRUE(Eventually([this] { return stats().tcp_open.value() == 0; }));
  EXPECT_EQ(stats().parked.value(),
            stats().parked_answered.value() + stats().parked_dropped.value());
}

// Answers of several queries at once, more than the client takes.
TEST_F(ParkedQueriesTest, AnswersBeyondTheSocketsBuffersArriveComplete) {
  Serve();
  const auto tcp = Tcp();
  const int small = 64 << 10;
  setsockopt(tcp->fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
  Bytes query = Query(0, "wait5");
  query.resize(kUdpQueryBytesMax);
  constexpr uint16_t kCount = 1000;  // 4 MiB
  for (uint16_t id = 0; id < kCount; ++id) {
    query[0] = static_cast<uint8_t>(id >> 8);
    query[1] = static_cast<uint8_t>(id & 0xff);
    ASSERT_TRUE(tcp->Send(Frame(query)));
  }
  ASSERT_TRUE(EventuallyParked(kCount));
  thread_->Publish(5);
  ASSERT_TRUE(EventuallyParked(0));
  EXPECT_LT(stats().tcp.sent_bytes.value(), kCount * query.size());
  tcp->EndSending();
  for (uint16_t id = 0; id < kCount; ++id) {
    const Bytes answer = tcp->ReceiveFrame();
    ASSERT_EQ(answer.size(), query.size());
    ASSERT_EQ(answer[0] << 8 | answer[1], id);
  }
  EXPECT_TRUE(tcp->AtEnd());
}

TEST_F(ParkedQueriesTest, WhatTheyWaitForIsReportedAtOnceAndAgain) {
  Serve({.wait_ms = kLong, .repeat_ms = 100});
  const auto udp = Udp();
  ASSERT_TRUE(udp->Send(Query(1, "wait5")));
  AskedName name;
  const auto pop = [&] { return thread_->asked.Pop(&name); };
  ASSERT_TRUE(Eventually(pop));
  EXPECT_EQ(name.kind, AskedName::kDatacenter);
  EXPECT_EQ(name.datacenter, 5);
  EXPECT_EQ(name.size, 0);
  EXPECT_TRUE(Eventually([this] { return thread_->wakes.load() >= 1; }));
  // The same again, for it has not come.
  name = {};
  ASSERT_TRUE(Eventually(pop));
  EXPECT_EQ(name.kind, AskedName::kDatacenter);
  EXPECT_EQ(name.datacenter, 5);
  thread_->Publish(5);
  EXPECT_EQ(udp->ReceiveDatagram(), Answer(Query(1, "wait5")));
  ASSERT_TRUE(EventuallyParked(0));
  while (pop()) {
  }
  ASSERT_TRUE(udp->Send(Query(2, "ask9")));
  ASSERT_TRUE(Eventually(pop));
  EXPECT_EQ(name.kind, AskedName::kQuery);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(name.name), name.size),
            "\4ask9");
}

// Ten clients wait for one thing: each repetition reports it once.
TEST_F(ParkedQueriesTest, RepetitionsReportEachThingOnce) {
  Serve({.wait_ms = kLong, .repeat_ms = 200});
  const auto udp = Udp();
  for (uint16_t id = 0; id < 10; ++id) {
    ASSERT_TRUE(udp->Send(Query(id, id % 2 == 0 ? "wait5" : "ask9")));
  }
  ASSERT_TRUE(EventuallyParked(10));
  AskedName name;
  // Newly parked ones are always reported.
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(Eventually([&] { return thread_->asked.Pop(&name); }));
  }
  int datacenters = 0;
  int queries = 0;
  const int before = thread_->wakes.load();
  ASSERT_TRUE(Eventually([&] { return thread_->wakes.load() >= before + 3; }));
  while (thread_->asked.Pop(&name)) {
    ++(name.kind == AskedName::kDatacenter ? datacenters : queries);
  }
  // Parked at different moments they may fall into two ticks at first.
  EXPECT_GE(datacenters, 1);
  EXPECT_GE(queries, 1);
  EXPECT_LE(datacenters, 5);
  EXPECT_LE(queries, 5);
}

// A worker that was not poked finds out by itself, with the repetition.
TEST_F(ParkedQueriesTest, AForgottenPokeCostsTimeOnly) {
  Serve({.wait_ms = kLong, .repeat_ms = 40});
  thread_->Publish(4);
  const auto udp = Udp();
  ASSERT_TRUE(udp->Send(Query(1, "ask5")));
  ASSERT_TRUE(EventuallyParked(1));
  auto view = std::make_unique<View>();
  view->serial = 5;
  thread_->PublishSilently(std::move(view));
  EXPECT_EQ(udp->ReceiveDatagram(), Answer(Query(1, "ask5")));
}

// The publication falls between Respond() and Park(): who published saw nobody
// waiting, so the query has to notice by itself.
TEST_F(ParkedQueriesTest, APublicationJustBeforeParkingIsNoticed) {
  Serve();
  const auto udp = Udp();
  const UniqueFd server(socket(AF_INET, SOCK_DGRAM, 0));
  SocketAddress client;
  socklen_t size = sizeof(client);
  ASSERT_EQ(getsockname(udp->fd(), &client.sa, &size), 0);
  const SocketAddress own = testing::Address(endpoint_);
  // The answer must come from the address that `udp` is connected to.
  const int on = 1;
  setsockopt(server.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  ASSERT_EQ(bind(server.get(), &own.sa, own.size()), 0);
  thread_->loop.Post([&] {
    ServeContext& context = thread_->context;
    const View& before = context.BeginBatch();
    const Bytes query = Query(1, "wait5");
    std::vector<uint8_t> out(kResponseBytesMax);
    const Response response =
        Respond(query, Transport::kUdp, before, &context.respond, out.data());
    ASSERT_EQ(response.outcome, Outcome::kPending);
    ASSERT_EQ(thread_->parked.count(), 0u);
    thread_->Publish(5);
    EXPECT_EQ(thread_->parked.Park({nullptr, server.get(), client, {}}, query,
                                   before),
              ParkResult::kParked);
  });
  EXPECT_EQ(udp->ReceiveDatagram(), Answer(Query(1, "wait5")));
  ASSERT_TRUE(EventuallyParked(0));
}

// The same by chance, for ThreadSanitizer: the view that a query needs comes
// once, at any moment while it is received and parked.
TEST_F(ParkedQueriesTest, NoWakeUpIsLost) {
  Serve();
  const auto udp = Udp();
  for (uint32_t round = 1; round <= 500; ++round) {
    const Bytes query =
        Query(static_cast<uint16_t>(round), "wait" + std::to_string(round));
    ASSERT_TRUE(udp->Send(query));
    for (uint32_t spin = 0; spin < round % 256; ++spin) {
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
    thread_->Publish(round);
    ASSERT_EQ(udp->ReceiveDatagram(), Answer(query)) << "round " << round;
  }
  EXPECT_EQ(stats().parked_answered.value(), stats().parked.value());
}

}  // namespace
}  // namespace dnsd
