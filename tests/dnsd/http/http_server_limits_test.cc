// What the server does to clients that are too many or too slow.
#include <poll.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/http/http_server.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/http_server_fixture.h"

namespace dnsd {
namespace {

using Client = HttpTestClient;
class HttpServerLimitsTest : public HttpServerTest {};

TEST_F(HttpServerLimitsTest, ParkedClientsThatGoAwayDoNotHoldTheirPlace) {
  HttpLimits limits;
  limits.connections_per_client_max = 2;
  limits.half_close_ms = 20;
  Start(limits);
  for (size_t round = 0; round < 5; ++round) {
    {
      Client one(address());
      Client two(address());
      one.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
      two.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
      WaitForParked(2 * (round + 1));
    }
    // A place is free as soon as the half-close time is over.
    std::string answer;
    for (int i = 0; i < 1000 && !absl::StrContains(answer, " 200 "); ++i) {
      Client next(address());
      next.Send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      answer = next.ReceiveAll();
    }
    EXPECT_TRUE(absl::StrContains(answer, " 200 ")) << answer;
    // Wait for both: the next round needs two places.
    for (int i = 0; i < 1000; ++i) {
      Client one(address());
      Client two(address());
      one.Send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      two.Send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
      const bool both = absl::StrContains(one.ReceiveAll(), " 200 ");
      if (absl::StrContains(two.ReceiveAll(), " 200 ") && both) break;
    }
  }
}

TEST_F(HttpServerLimitsTest, TooManyConnectionsGetConsuls429) {
  HttpLimits limits;
  limits.connections_per_client_max = 3;
  Start(limits);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(address()));
    clients.back()->Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(absl::EndsWith(clients.back()->Receive(), "GET/x:0"));
  }
  {
    Client refused(address());
    refused.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::string answer = refused.ReceiveAll();
    EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 429 Too Many Requests\r\n"))
        << answer;
    EXPECT_TRUE(absl::EndsWith(
        answer,
        "\r\n\r\nYour IP is issuing too many concurrent connections, please "
        "rate limit your calls"))
        << answer;
  }
  // Another address is another client.
  Client other(address(), "127.0.0.9");
  other.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::EndsWith(other.Receive(), "GET/x:0"));
  // Who leaves makes room: its FIN is seen before the newcomer's request.
  clients.pop_back();
  std::string answer;
  for (int i = 0; i < 1000 && !absl::StrContains(answer, " 200 "); ++i) {
    Client next(address());
    next.Send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    answer = next.ReceiveAll();
  }
  EXPECT_TRUE(absl::StrContains(answer, " 200 ")) << answer;
}

// The refusal must arrive although the client is still sending: no reset.
TEST_F(HttpServerLimitsTest, A413IsReadableWhileTheBodyIsUnderWay) {
  Start();
  Client client(address());
  std::thread sender([&] {
    client.Send(absl::StrCat(
        "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n",
        std::string(4'000'000, 'b')));
  });
  const std::string answer = client.Receive();
  sender.join();
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 413 ")) << answer;
}

TEST_F(HttpServerLimitsTest, TimesOutWhoIsSlow) {
  HttpLimits limits;
  limits.head_ms = 60;
  limits.idle_ms = 120;
  Start(limits);
  // Nothing at all, a head that does not end, a body that does not come.
  Client silent(address());
  EXPECT_EQ(silent.ReceiveAll(), "");
  Client head(address());
  head.Send("GET / HTTP/1.1\r\nHos");
  EXPECT_TRUE(absl::StartsWith(head.ReceiveAll(), "HTTP/1.1 408 "));
  Client body(address());
  body.Send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc");
  EXPECT_TRUE(absl::StartsWith(body.ReceiveAll(), "HTTP/1.1 408 "));
  // Idle after an answer.
  Client idle(address());
  idle.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::EndsWith(idle.ReceiveAll(), "GET/x:0"));
  EXPECT_TRUE(idle.closed());
  // A parked request has all the time it wants.
  Client parked(address());
  parked.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
  pollfd readable{parked.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&readable, 1, 400), 0);
  OnLoop([this] { parked_[0](HttpResponse()); });
  EXPECT_TRUE(absl::StartsWith(parked.Receive(), "HTTP/1.1 200 "));
}

TEST_F(HttpServerLimitsTest, ClosesWhoDoesNotReadItsAnswer) {
  HttpLimits limits;
  limits.idle_ms = 100;
  limits.connections_per_client_max = 1;
  Start(limits);
  Client stuck(address());
  // 32 MiB of answers are more than the kernel holds.
  for (int i = 0; i < 4; ++i) {
    stuck.Send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  std::string answer;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!absl::StrContains(answer, " 200 ") &&
         std::chrono::steady_clock::now() < end) {
    Client next(address());
    next.Send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    answer = next.ReceiveAll();
  }
  EXPECT_TRUE(absl::StrContains(answer, " 200 ")) << answer;
}

}  // namespace
}  // namespace dnsd
