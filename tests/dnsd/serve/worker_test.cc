#include "dnsd/serve/worker.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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

class WorkerTest : public ::testing::Test {
 protected:
  WorkerTest() { view_.Exchange(std::make_unique<const View>()); }

  absl::StatusOr<std::unique_ptr<Worker>> Create(
      int index, const std::vector<Endpoint>& listen) {
    Worker::Options options;
    options.index = index;
    options.listen = listen;
    options.view = &view_;
    options.reader = qsbr_.Register();
    return Worker::Create(std::move(options));
  }
  std::unique_ptr<Worker> MustCreate(int index,
                                     const std::vector<Endpoint>& listen) {
    auto worker = Create(index, listen);
    EXPECT_TRUE(worker.ok()) << worker.status();
    return worker.ok() ? *std::move(worker) : nullptr;
  }

  Qsbr qsbr_;
  Published<View> view_{&qsbr_};
};

void ExpectServed(const Endpoint& endpoint) {
  SCOPED_TRACE(EndpointText(endpoint));
  Client udp(endpoint, SOCK_DGRAM);
  ASSERT_TRUE(udp.Send(Query(1, "web")));
  EXPECT_EQ(udp.ReceiveDatagram(), Answer(Query(1, "web")));
  Client tcp(endpoint, SOCK_STREAM);
  ASSERT_TRUE(tcp.Send(Frame(Query(2, "web"))));
  EXPECT_EQ(tcp.ReceiveFrame(), Answer(Query(2, "web")));
}

TEST_F(WorkerTest, ServesUdpAndTcpOnEveryAddress) {
  const auto worker =
      MustCreate(0, {{"127.0.0.1", 0}, {"127.0.0.2", 0}, {"::1", 0}});
  ASSERT_NE(worker, nullptr);
  ASSERT_EQ(worker->listening().size(), 3u);
  EXPECT_EQ(worker->listening()[1].ip, "127.0.0.2");
  worker->Start();
  for (const Endpoint& endpoint : worker->listening()) ExpectServed(endpoint);
  EXPECT_EQ(worker->stats().udp.received.value(), 3u);
  EXPECT_EQ(worker->stats().tcp.received.value(), 3u);
  worker->Stop(0);
  EXPECT_EQ(worker->stats().tcp_open.value(), 0u);
}

TEST_F(WorkerTest, WorkersShareTheFirstOnesPort) {
  const auto first = MustCreate(0, {{"127.0.0.1", 0}});
  ASSERT_NE(first, nullptr);
  const auto second = MustCreate(1, first->listening());
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(second->listening(), first->listening());
  first->Start();
  second->Start();
  // The kernel spreads clients by their port: 64 of them go to one worker
  // only once in 2^63.
  for (int i = 0; i < 64; ++i) ExpectServed(first->listening()[0]);
  const uint64_t first_count = first->stats().udp.received.value();
  const uint64_t second_count = second->stats().udp.received.value();
  EXPECT_GT(first_count, 0u);
  EXPECT_GT(second_count, 0u);
  EXPECT_EQ(first_count + second_count, 64u);
  const WorkerStats* all[] = {&first->stats(), &second->stats()};
  const WorkerTotals totals = SumStats(all);
  EXPECT_EQ(totals.udp.received, 64u);
  EXPECT_EQ(totals.tcp.received, 64u);
  EXPECT_EQ(totals.tcp_accepted, 64u);
  EXPECT_EQ(totals.udp.outcome(Outcome::kAnswered), 64u);
}

TEST_F(WorkerTest, TheFirstWorkerNoticesAnotherServer) {
  const auto other = MustCreate(0, {{"127.0.0.1", 0}});
  ASSERT_NE(other, nullptr);
  const auto worker = Create(0, other->listening());
  ASSERT_EQ(worker.status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_NE(worker.status().message().find("is another DNS server running"),
            absl::string_view::npos);
}

TEST_F(WorkerTest, OverlappingAddressesOfOurOwnAreFine) {
  const auto port = ProbePort({"0.0.0.0", 0});
  ASSERT_TRUE(port.ok());
  const auto worker = MustCreate(0, {{"0.0.0.0", *port}, {"127.0.0.1", *port}});
  ASSERT_NE(worker, nullptr);
  worker->Start();
  ExpectServed({"127.0.0.1", *port});
  ExpectServed({"127.0.0.3", *port});
}

TEST_F(WorkerTest, ABadAddressIsAnError) {
  EXPECT_EQ(Create(0, {{"localhost", 0}}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Create(0, {{"192.0.2.1", 0}}).status().code(),
            absl::StatusCode::kNotFound);
}

// What was asked before the worker ran, and what it was told to stop with,
// is answered: sockets are bound by Create().
TEST_F(WorkerTest, StopAnswersWhatIsQueued) {
  const auto worker = MustCreate(0, {{"127.0.0.1", 0}});
  ASSERT_NE(worker, nullptr);
  const Endpoint endpoint = worker->listening()[0];
  Client udp(endpoint, SOCK_DGRAM);
  for (uint16_t id = 0; id < 150; ++id) {
    ASSERT_TRUE(udp.Send(Query(id, "web")));
  }
  Client tcp(endpoint, SOCK_STREAM);
  for (uint16_t id = 0; id < 10; ++id) {
    ASSERT_TRUE(tcp.Send(Frame(Query(id, "web"))));
  }
  worker->Start();
  worker->Stop(5000);
  for (uint16_t id = 0; id < 150; ++id) {
    ASSERT_TRUE(udp.HasDatagram());
    EXPECT_EQ(udp.ReceiveDatagram(), Answer(Query(id, "web")));
  }
  for (uint16_t id = 0; id < 10; ++id) {
    EXPECT_EQ(tcp.ReceiveFrame(), Answer(Query(id, "web")));
  }
  EXPECT_TRUE(tcp.AtEnd());
  EXPECT_EQ(worker->stats().tcp_open.value(), 0u);
}

std::unique_ptr<const View> ViewWithSerial(uint32_t serial) {
  auto view = std::make_unique<View>();
  view->serial = serial;
  return view;
}

// All a sync thread needs to have queries wait for it: a ring, a call that
// wakes it, a count and Poke().
TEST_F(WorkerTest, QueriesWaitForThePublicationTheyAskedFor) {
  AskedNames asked;
  std::atomic<int> wakes{0};
  Worker::Options options;
  options.listen = {{"127.0.0.1", 0}};
  options.view = &view_;
  options.reader = qsbr_.Register();
  options.asked = &asked;
  options.wake = [&] { wakes.fetch_add(1); };
  auto created = Worker::Create(std::move(options));
  ASSERT_TRUE(created.ok()) << created.status();
  const std::unique_ptr<Worker> worker = *std::move(created);
  worker->Start();
  EXPECT_EQ(worker->parked_count(), 0u);
  Client udp(worker->listening()[0], SOCK_DGRAM);
  Client tcp(worker->listening()[0], SOCK_STREAM);
  ASSERT_TRUE(udp.Send(Query(1, "wait5")));
  ASSERT_TRUE(tcp.Send(Frame(Query(2, "ask5"))));
  ASSERT_TRUE(Eventually([&] { return worker->parked_count() == 2; }));
  ASSERT_TRUE(Eventually([&] { return wakes.load() >= 2; }));
  AskedName name;
  EXPECT_TRUE(asked.Pop(&name));
  EXPECT_TRUE(asked.Pop(&name));
  view_.Exchange(ViewWithSerial(5));
  qsbr_.Reclaim();
  worker->Poke();
  EXPECT_EQ(udp.ReceiveDatagram(), Answer(Query(1, "wait5")));
  EXPECT_EQ(tcp.ReceiveFrame(), Answer(Query(2, "ask5")));
  const WorkerStats* all[] = {&worker->stats()};
  EXPECT_EQ(SumStats(all).parked, 2u);
  EXPECT_EQ(SumStats(all).parked_answered, 2u);
  worker->Stop(0);
  worker->Poke();  // as a publication after the end may
}

TEST_F(WorkerTest, StopTellsThoseThatWait) {
  const auto worker = MustCreate(0, {{"127.0.0.1", 0}});
  ASSERT_NE(worker, nullptr);
  Client udp(worker->listening()[0], SOCK_DGRAM);
  Client tcp(worker->listening()[0], SOCK_STREAM);
  worker->Start();
  ASSERT_TRUE(udp.Send(Query(1, "wait5")));
  ASSERT_TRUE(tcp.Send(Frame(Query(2, "wait5"))));
  ASSERT_TRUE(Eventually([&] { return worker->parked_count() == 2; }));
  worker->Stop(2000);
  EXPECT_EQ(udp.ReceiveDatagram(), Servfail(Query(1, "wait5")));
  EXPECT_EQ(tcp.ReceiveFrame(), Servfail(Query(2, "wait5")));
  EXPECT_TRUE(tcp.AtEnd());
  EXPECT_EQ(worker->stats().parked_expired.value(), 2u);
  EXPECT_EQ(worker->parked_count(), 0u);
}

TEST_F(WorkerTest, StopWaitsForClientsToReadButNotForEver) {
  const auto worker = MustCreate(0, {{"127.0.0.1", 0}});
  ASSERT_NE(worker, nullptr);
  worker->Start();
  Client reading(worker->listening()[0], SOCK_STREAM);
  Client stuck(worker->listening()[0], SOCK_STREAM);
  Client idle(worker->listening()[0], SOCK_STREAM);
  constexpr uint16_t kCount = 200;
  Bytes queries;
  for (uint16_t id = 0; id < kCount; ++id) {
    const Bytes frame = Frame(Query(id, "big60000"));
    queries.insert(queries.end(), frame.begin(), frame.end());
  }
  ASSERT_TRUE(reading.Send(queries));
  ASSERT_TRUE(stuck.Send(queries));
  ASSERT_TRUE(Eventually([&] {
    return worker->stats().tcp.received_bytes.value() == 2 * queries.size();
  }));
  std::thread reader([&reading] {
    for (uint16_t id = 0; id < kCount; ++id) {
      ASSERT_EQ(reading.ReceiveFrame().size(), 60'000u) << id;
    }
    EXPECT_TRUE(reading.AtEnd());
  });
  worker->Stop(2000);
  reader.join();
  EXPECT_TRUE(idle.AtEnd());
  EXPECT_EQ(worker->stats().tcp_open.value(), 0u);
  // Stopping again does nothing.
  worker->Stop(2000);
}

// Has more answers than the kernel holds for it, and reads none.
std::unique_ptr<Client> StuckClient(const Worker& worker) {
  auto client = std::make_unique<Client>(worker.listening()[0], SOCK_STREAM);
  Bytes queries;
  for (uint16_t id = 0; id < 200; ++id) {
    const Bytes frame = Frame(Query(id, "big60000"));
    queries.insert(queries.end(), frame.begin(), frame.end());
  }
  EXPECT_TRUE(client->Send(queries));
  EXPECT_TRUE(Eventually([&] {
    return worker.stats().tcp.received_bytes.value() == queries.size();
  }));
  return client;
}

constexpr uint64_t kForEverMs = 3'600'000;

TEST_F(WorkerTest, SeveralStopAtOnce) {
  const auto slow = MustCreate(0, {{"127.0.0.1", 0}});
  const auto quick = MustCreate(0, {{"127.0.0.1", 0}});
  ASSERT_NE(slow, nullptr);
  ASSERT_NE(quick, nullptr);
  slow->Start();
  quick->Start();
  std::unique_ptr<Client> stuck = StuckClient(*slow);
  Client idle(quick->listening()[0], SOCK_STREAM);
  ExpectServed(quick->listening()[0]);
  slow->BeginStop(kForEverMs);
  quick->BeginStop(kForEverMs);
  // Before anybody waits for the slow one.
  EXPECT_TRUE(idle.AtEnd());
  quick->Stop(kForEverMs);
  EXPECT_EQ(slow->stats().tcp_open.value(), 1u);
  stuck.reset();
  slow->Stop(kForEverMs);
  EXPECT_EQ(slow->stats().tcp_open.value(), 0u);
}

// The socket gets its share of queries until the process that made it closes
// it: as long as the worker runs for others, it answers.
TEST_F(WorkerTest, APassedSocketIsAnsweredUntilTheEnd) {
  const Endpoint endpoint = FreeEndpoint("127.0.0.1");
  auto udp = ListenUdp(endpoint);
  auto tcp = ListenTcp(endpoint);
  ASSERT_TRUE(udp.ok() && tcp.ok());
  const UniqueFd kept(dup(udp->fd.get()));
  Worker::Options options;
  options.listen = {endpoint};
  options.sockets.udp.push_back(*std::move(udp));
  options.sockets.tcp.push_back(*std::move(tcp));
  options.view = &view_;
  options.reader = qsbr_.Register();
  auto created = Worker::Create(std::move(options));
  ASSERT_TRUE(created.ok()) << created.status();
  const std::unique_ptr<Worker> worker = *std::move(created);
  worker->Start();
  std::unique_ptr<Client> stuck = StuckClient(*worker);
  Client idle(endpoint, SOCK_STREAM);
  ExpectServed(endpoint);
  worker->BeginStop(kForEverMs);
  EXPECT_TRUE(idle.AtEnd());  // so it has begun
  Client late(endpoint, SOCK_DGRAM);
  ASSERT_TRUE(late.Send(Query(7, "web")));
  EXPECT_EQ(late.ReceiveDatagram(), Answer(Query(7, "web")));
  ASSERT_TRUE(late.Send(Query(8, "wait5")));
  EXPECT_EQ(late.ReceiveDatagram(), Servfail(Query(8, "wait5")));
  stuck.reset();
  worker->Stop(kForEverMs);
  // What comes now waits for the next server.
  ASSERT_TRUE(late.Send(Query(9, "web")));
  EXPECT_TRUE(Eventually([&] {
    uint8_t byte;
    return recv(kept.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 1;
  }));
}

TEST_F(WorkerTest, AWorkerThatNeverStartedCanGo) {
  const auto worker = MustCreate(0, {{"127.0.0.1", 0}});
  ASSERT_NE(worker, nullptr);
  worker->Stop(1000);
}

// Field `name` of a thread's status file; empty if the thread is gone.
std::string ThreadStatus(const std::string& thread, const std::string& name) {
  std::ifstream file("/proc/self/task/" + thread + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":\t")) return line.substr(name.size() + 2);
  }
  return {};
}

TEST_F(WorkerTest, ItsThreadHasANameAndTakesNoSignals) {
  const auto worker = MustCreate(7, {{"127.0.0.1", 0}});
  ASSERT_NE(worker, nullptr);
  worker->Start();
  ExpectServed(worker->listening()[0]);
  std::string blocked;
  DIR* tasks = opendir("/proc/self/task");
  ASSERT_NE(tasks, nullptr);
  while (const dirent* task = readdir(tasks)) {
    if (ThreadStatus(task->d_name, "Name") == "dnsd-w7") {
      blocked = ThreadStatus(task->d_name, "SigBlk");
    }
  }
  closedir(tasks);
  ASSERT_FALSE(blocked.empty());
  const uint64_t mask = std::stoull(blocked, nullptr, 16);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
    EXPECT_NE(mask >> (signal - 1) & 1, 0u) << signal;
  }
  sigset_t own;
  sigemptyset(&own);
  pthread_sigmask(SIG_SETMASK, nullptr, &own);
  EXPECT_EQ(sigismember(&own, SIGTERM), 0);
}

// Publishes views while two workers answer. What a worker reads must stay
// alive until it is done (AddressSanitizer), without a race (ThreadSanitizer),
// and nothing may wait for a worker that sleeps.
TEST_F(WorkerTest, ViewsChangeUnderLoadAndIdleWorkersHoldNone) {
  const auto first = MustCreate(0, {{"127.0.0.1", 0}});
  ASSERT_NE(first, nullptr);
  const auto second = MustCreate(1, first->listening());
  ASSERT_NE(second, nullptr);
  first->Start();
  second->Start();
  std::atomic<int> running{2};
  std::vector<std::thread> clients;
  for (int i = 0; i < 2; ++i) {
    clients.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        ExpectServed(first->listening()[0]);
      }
      running.fetch_sub(1);
    });
  }
  size_t published = 0;
  while (running.load() > 0) {
    view_.Exchange(std::make_unique<const View>());
    qsbr_.Reclaim();
    ++published;
  }
  for (std::thread& client : clients) client.join();
  EXPECT_GT(published, 0u);
  // No query comes any more, so no worker will ever be quiescent again: it
  // has to be offline.
  view_.Exchange(std::make_unique<const View>());
  EXPECT_TRUE(Eventually([this] { return qsbr_.Reclaim() == 0; }));
}

}  // namespace
}  // namespace dnsd
