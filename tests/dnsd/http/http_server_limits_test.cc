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

// The connection of who is refused goes on.
TEST_F(HttpServerLimitsTest, TooManyRequestsInFlightOfOneClientGet429) {
  HttpLimits limits;
  limits.requests_per_client_max = 2;
  Start(limits);
  Client one(address());
  Client two(address());
  Client three(address());
  one.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
  two.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
  WaitForParked(2);
  three.Send("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nb");
  const std::string refused = three.Receive();
  EXPECT_TRUE(absl::StartsWith(refused, "HTTP/1.1 429 Too Many Requests\r\n"))
      << refused;
  EXPECT_TRUE(absl::StrContains(refused, "\r\nRetry-After: 1\r\n")) << refused;
  EXPECT_TRUE(absl::EndsWith(refused,
                             "\r\n\r\nYour IP has too many requests in "
                             "flight, please rate limit your calls"))
      << refused;
  // Another address is another client.
  Client other(address(), "127.0.0.9");
  other.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::EndsWith(other.Receive(), "GET/x:0"));
  // What only waits is none; the answer to it is not counted twice.
  OnLoop([this] {
    parked_[0].Waits();
    parked_[0].Waits();
    EXPECT_EQ(server_->counts().requests_in_flight, 1u);
    EXPECT_EQ(server_->counts().requests_refused, 1u);
  });
  three.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::EndsWith(three.Receive(), "GET/x:0"));
  OnLoop([this] {
    parked_[0](HttpResponse());
    parked_[1](HttpResponse());
    EXPECT_EQ(server_->counts().requests_in_flight, 0u);
  });
}

TEST_F(HttpServerLimitsTest, TooManyRequestsInFlightGet503) {
  HttpLimits limits;
  limits.requests_max = 2;
  Start(limits);
  Client one(address());
  Client other(address(), "127.0.0.9");
  Client third(address(), "127.0.0.10");
  one.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
  other.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
  WaitForParked(2);
  third.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string refused = third.Receive();
  EXPECT_TRUE(absl::StartsWith(refused, "HTTP/1.1 503 Service Unavailable\r\n"))
      << refused;
  EXPECT_TRUE(absl::EndsWith(
      refused, "Too many requests are in flight, please try again later"))
      << refused;
  // A stream is in flight to its end, and who leaves is not.
  OnLoop([this] {
    parked_[0].Begin(HttpResponse());
    EXPECT_TRUE(parked_[0].Write("x"));
    EXPECT_EQ(server_->counts().requests_in_flight, 2u);
    parked_[0].End();
    EXPECT_EQ(server_->counts().requests_in_flight, 1u);
    parked_[1].Abort();
    EXPECT_EQ(server_->counts().requests_in_flight, 0u);
    server_->SetRequestsMax(/*count=*/0, /*per_client=*/1);
  });
  third.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::StrContains(third.Receive(), " 503 "));
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
