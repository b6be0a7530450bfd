// Blocking queries over sockets: clients that leave, answers that are long, and
// very many at once. The clients of the last are a process of their own, for
// both ends together need more descriptors than one process may have.
#include <malloc.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/api_fixture.h"
#include "tests/dnsd/http/http_server_fixture.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/process.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

using testing::Scaled;
using testing::WaitUntil;

std::string Get(const std::string& target) {
  return absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: h\r\n\r\n");
}

TEST(ParkedClients, AClientThatLeavesIsForgotten) {
  ApiFixture api;
  api.Apply({NodeIs("a"), InstanceIs("a", "w", "web")});
  api.Serve();
  {
    HttpTestClient leaves(api.address());
    HttpTestClient stays(api.address());
    leaves.Send(Get("/v1/health/service/web?index=1"));
    stays.Send(Get("/v1/catalog/nodes?index=1"));
    ASSERT_TRUE(WaitUntil([&] { return api.Counts().parked == 2; }));
    // Its FIN is taken for half a close, so it resets.
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(leaves.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    shutdown(leaves.fd(), SHUT_RDWR);
    ASSERT_TRUE(WaitUntil([&] { return api.Counts().left == 1; }));
    EXPECT_EQ(api.Counts().parked, 1u);
    api.OnLoop([&] {
      api.Apply({NodeIs("b"), InstanceIs("a", "w", "web", 81)});
    });
    const std::string answer = stays.Receive();
    EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(absl::StrContains(answer, "X-Consul-Index: 2\r\n"));
  }
  EXPECT_EQ(api.Counts().parked, 0u);
}

TEST(ParkedClients, LongAnswersAreSharedAndWhole) {
  ApiFixture api;
  std::vector<Change> changes = {NodeIs("a")};
  for (int i = 0; i < 4000; ++i) {
    changes.push_back(InstanceIs("a", absl::StrCat("w", i), "web"));
  }
  api.Apply(changes);
  api.Serve();
  std::vector<std::unique_ptr<HttpTestClient>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<HttpTestClient>(api.address()));
    clients.back()->Send(Get("/v1/health/service/web?index=1"));
  }
  ASSERT_TRUE(WaitUntil([&] { return api.Counts().parked == 8; }));
  std::string expected;
  api.OnLoop([&] {
    api.Apply({InstanceIs("a", "w0", "web", 81)});
    expected = api.Ask("/v1/health/service/web")->body();
  });
  EXPECT_GT(expected.size(), 1u << 20);
  for (const auto& client : clients) {
    const std::string answer = client->Receive();
    EXPECT_TRUE(absl::EndsWith(answer, expected)) << answer.size();
  }
  // They were made once; expected is another.
  EXPECT_EQ(api.Counts().renders, 2u);
}

// --- very many ---

// Reads `size` bytes of a pipe.
bool ReadAll(int fd, void* out, size_t size) {
  auto* at = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t got = read(fd, at, size);
    if (got <= 0) return false;
    at += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

// The clients: connect, say so, wait for the word to ask, ask, and count the
// answers that are whole and have the index.
int RunClients(int in, int out, size_t count) {
  Endpoint server{"127.0.0.1", 0};
  if (!ReadAll(in, &server.port, sizeof(server.port))) return 1;
  std::vector<std::unique_ptr<HttpTestClient>> clients;
  for (size_t i = 0; i < count; ++i) {
    // From some addresses: the kernel finds a free port of one ever more
    // slowly.
    const std::string source = absl::StrCat("127.0.1.", 1 + i % 16);
    clients.push_back(std::make_unique<HttpTestClient>(server, source.c_str()));
  }
  char word = 'c';
  if (write(out, &word, 1) != 1 || !ReadAll(in, &word, 1)) return 1;
  for (const auto& client : clients) {
    client->Send(Get("/v1/health/service/web?index=1&wait=10m"));
  }
  size_t good = 0;
  for (const auto& client : clients) {
    // As long as it takes to get the word and for all to be parked.
    const timeval limit{.tv_sec = 120, .tv_usec = 0};
    setsockopt(client->fd(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    const std::string answer = client->Receive();
    if (absl::StartsWith(answer, "HTTP/1.1 200 OK\r\n") &&
        absl::StrContains(answer, "X-Consul-Index: 2\r\n") &&
        absl::EndsWith(answer, "]}]")) {
      ++good;
    }
  }
  return write(out, &good, sizeof(good)) == sizeof(good) ? 0 : 1;
}

size_t HeapBytes() { return mallinfo2().uordblks; }

TEST(ParkedClients, VeryManyAreWokenByOneChange) {
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  files.rlim_cur = files.rlim_max;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
  const size_t count =
      std::min<size_t>(static_cast<size_t>(Scaled(20'000)),
                       static_cast<size_t>(files.rlim_max) - 100);
  int to[2];
  int from[2];
  ASSERT_EQ(pipe(to), 0);
  ASSERT_EQ(pipe(from), 0);
  // Before there are threads.
  const pid_t child = fork();
  if (child == 0) _exit(RunClients(to[0], from[1], count));
  ASSERT_GT(child, 0);
  close(from[1]);
  ApiFixture api;
  api.Apply({NodeIs("a"), InstanceIs("a", "w", "web"),
             CheckIs("a", "c", "w", HealthStatus::kPassing)});
  HttpLimits limits;
  limits.connections_per_client_max = count + 10;
  // Who is parked is no work in flight.
  limits.requests_max = 1;
  limits.requests_per_client_max = 1;
  limits.idle_ms = 600'000;
  limits.head_ms = 600'000;
  api.Serve(limits);
  const uint16_t port = api.address().port;
  ASSERT_EQ(write(to[1], &port, sizeof(port)), 2);
  char word = 0;
  ASSERT_TRUE(ReadAll(from[0], &word, 1));
  api.OnLoop([] {});
  const size_t connected = HeapBytes();
  ASSERT_EQ(write(to[1], &word, 1), 1);
  ASSERT_TRUE(WaitUntil([&] { return api.Counts().parked == count; },
                        4 * testing::kPatience))
      << api.Counts().parked;
  const size_t parked = HeapBytes();
  EXPECT_EQ(api.Counts().queries, 1u);
  const uint64_t renders = api.Counts().renders;
  const auto began = std::chrono::steady_clock::now();
  api.OnLoop([&] { api.Apply({InstanceIs("a", "w", "web", 81)}); });
  size_t good = 0;
  ASSERT_TRUE(ReadAll(from[0], &good, sizeof(good)));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - began);
  EXPECT_EQ(good, count);
  EXPECT_EQ(api.Counts().renders, renders + 1);
  EXPECT_EQ(api.Counts().woken, count);
  std::printf(
      "%zu parked requests, %zu bytes each beside their connection, "
      "all answered %lld ms after one change\n",
      count, (parked - connected) / count,
      static_cast<long long>(took.count()));
  EXPECT_LT((parked - connected) / count, 3000u);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  for (const int fd : {to[0], to[1], from[0]}) close(fd);
}

}  // namespace
}  // namespace dnsd
