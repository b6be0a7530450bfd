// Streams over real sockets: slow readers, clients that leave, timeouts.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/http/http_server.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/http_server_fixture.h"

namespace dnsd {
namespace {

using Client = HttpTestClient;

constexpr char kPark[] = "GET /park HTTP/1.1\r\nHost: x\r\n\r\n";

class HttpServerStreamTest : public HttpServerTest {
 protected:
  // Parks a request of `client`; its place among the parked ones.
  size_t Park(Client* client, const char* request = kPark) {
    const size_t index = ParkedCount();
    client->Send(request);
    WaitForParked(index + 1);
    return index;
  }

  void CountClosed(size_t index) {
    OnLoop([&] { parked_[index].OnClosed([this] { ++closed_; }); });
  }

  // True as soon as that many clients were seen to leave.
  bool WaitForClosed(int count) {
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < end) {
      int closed = 0;
      OnLoop([&] { closed = closed_; });
      if (closed == count) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

  int closed_ = 0;  // the loop's thread
};

TEST_F(HttpServerStreamTest, WaitsForSlowReaders) {
  Start();
  Client client(address());
  const size_t index = Park(&client);
  constexpr size_t kPieceBytes = 50'000;
  constexpr int kPieces = 400;  // 20 MB: more than the kernel holds
  int left = kPieces;
  int waits = 0;
  std::function<void()> write;
  OnLoop([&] {
    HttpResponse head;
    head.headers = {{"Content-Length", absl::StrCat(kPieces * kPieceBytes)}};
    write = [&, reply = parked_[index]] {
      while (left > 0) {
        const char letter = static_cast<char>('a' + left % 26);
        --left;
        if (!reply.Write(std::string(kPieceBytes, letter))) {
          ++waits;
          return;
        }
      }
      reply.End();
    };
    parked_[index].OnDrained([&] { write(); });
    parked_[index].Begin(std::move(head));
    write();
  });
  int left_before_reading = 0;
  OnLoop([&] { left_before_reading = left; });
  EXPECT_GT(left_before_reading, 0);
  const std::string answer = client.Receive();
  const std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
  ASSERT_EQ(body.size(), kPieces * kPieceBytes);
  for (int i = 0; i < kPieces; ++i) {
    const char letter = static_cast<char>('a' + (kPieces - i) % 26);
    ASSERT_EQ(body[i * kPieceBytes], letter);
    ASSERT_EQ(body[(i + 1) * kPieceBytes - 1], letter);
  }
  OnLoop([&] {
    EXPECT_EQ(left, 0);
    EXPECT_GT(waits, 10);
    write = nullptr;
  });
  // The connection goes on.
  client.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::EndsWith(client.Receive(), "GET/x:0"));
}

TEST_F(HttpServerStreamTest, NoticesThatAParkedClientLeft) {
  HttpLimits limits;
  limits.half_close_ms = 50;
  Start(limits);
  {
    Client client(address());
    CountClosed(Park(&client));
    EXPECT_TRUE(WaitForClosed(0));
  }
  EXPECT_TRUE(WaitForClosed(1));
  // By a reset it is noticed at once, whatever the half-close time.
  {
    Client client(address());
    CountClosed(Park(&client));
    const linger reset{.l_onoff = 1, .l_linger = 0};
    setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  }
  EXPECT_TRUE(WaitForClosed(2));
  // Behind pipelined requests too.
  {
    Client client(address());
    const size_t index = Park(&client);
    CountClosed(index);
    client.Send(absl::StrCat(kPark, kPark));
  }
  EXPECT_TRUE(WaitForClosed(3));
}

TEST_F(HttpServerStreamTest, NoticesThatAStreamsClientLeftWhenItWrites) {
  Start();  // half_close_ms is 2 s: the write is faster
  size_t index = 0;
  {
    Client client(address());
    index = Park(&client);
    CountClosed(index);
    OnLoop([&] { parked_[index].Begin({}); });
  }
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) {
    int closed = 0;
    OnLoop([&] {
      // Full or not: all is thrown away once the client is gone.
      if (!parked_[index].Write("x")) closed = 0;
      closed = closed_;
    });
    if (closed != 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_TRUE(WaitForClosed(1));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(2));
}

TEST_F(HttpServerStreamTest, AHalfClosedClientReadsAStreamToItsEnd) {
  HttpLimits limits;
  limits.half_close_ms = 200;
  Start(limits);
  Client client(address());
  const size_t index = Park(&client);
  CountClosed(index);
  OnLoop([&] { parked_[index].Begin({}); });
  shutdown(client.fd(), SHUT_WR);
  // In all longer than the half-close time, but never silent for so long.
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    OnLoop([&] { EXPECT_TRUE(parked_[index].Write("x")); });
  }
  OnLoop([&] { parked_[index].End(); });
  EXPECT_TRUE(absl::EndsWith(client.ReceiveAll(), "1\r\nx\r\n0\r\n\r\n"));
  EXPECT_TRUE(WaitForClosed(0));
}

TEST_F(HttpServerStreamTest, IdleTimesAreNotForStreams) {
  HttpLimits limits;
  limits.idle_ms = 50;
  limits.head_ms = 50;
  Start(limits);
  Client client(address());
  const size_t index = Park(&client);
  CountClosed(index);
  OnLoop([&] { parked_[index].Begin({}); });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  OnLoop([&] {
    EXPECT_TRUE(parked_[index].Write("late"));
    EXPECT_EQ(closed_, 0);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  OnLoop([&] { parked_[index].End(); });
  EXPECT_TRUE(absl::EndsWith(client.ReceiveAll(), "4\r\nlate\r\n0\r\n\r\n"));
}

// A client that takes nothing is no reader any more.
TEST_F(HttpServerStreamTest, AStuckReaderIsLeft) {
  HttpLimits limits;
  limits.idle_ms = 100;
  Start(limits);
  Client client(address());
  const size_t index = Park(&client);
  CountClosed(index);
  OnLoop([&] {
    parked_[index].Begin({});
    EXPECT_FALSE(parked_[index].Write(std::string(16u << 20, 'x')));
  });
  EXPECT_TRUE(WaitForClosed(1));
}

TEST_F(HttpServerStreamTest, AnAbortIsSeen) {
  Start();
  Client chunked(address());
  size_t index = Park(&chunked);
  OnLoop([&] {
    parked_[index].Begin({});
    EXPECT_TRUE(parked_[index].Write("abc"));
    parked_[index].Abort();
  });
  EXPECT_TRUE(absl::EndsWith(chunked.ReceiveAll(), "\r\n\r\n3\r\nabc\r\n"));

  Client old(address());
  index = Park(&old, "GET /park HTTP/1.0\r\n\r\n");
  OnLoop([&] {
    parked_[index].Begin({});
    EXPECT_TRUE(parked_[index].Write("abc"));
    parked_[index].Abort();
  });
  char bytes[4096];
  ssize_t size = 0;
  while ((size = recv(old.fd(), bytes, sizeof(bytes), 0)) > 0) {
  }
  EXPECT_EQ(size, -1);
  EXPECT_EQ(errno, ECONNRESET);

  Client parked(address());
  index = Park(&parked);
  OnLoop([&] { parked_[index].Abort(); });
  EXPECT_EQ(parked.ReceiveAll(), "");
}

// A handler that is told of one client's end may end others'.
TEST_F(HttpServerStreamTest, OneEndMayLeadToOthers) {
  HttpLimits limits;
  limits.half_close_ms = 20;
  limits.linger_ms = 20;
  Start(limits);
  std::vector<std::unique_ptr<Client>> clients;
  for (size_t i = 0; i < 12; ++i) {
    clients.push_back(std::make_unique<Client>(address()));
    EXPECT_EQ(Park(clients.back().get()), i);
    CountClosed(i);
  }
  OnLoop([&] {
    parked_[9].OnClosed([this] {
      ++closed_;
      for (const HttpReply& reply : parked_) reply.Abort();
    });
  });
  shutdown(clients[9]->fd(), SHUT_WR);
  for (const auto& client : clients) EXPECT_EQ(client->ReceiveAll(), "");
  EXPECT_TRUE(WaitForClosed(1));  // who aborts knows
}

TEST_F(HttpServerStreamTest, ItsEndTellsTheHandlers) {
  Start();
  Client client(address());
  CountClosed(Park(&client));
  loop_.Stop();
  thread_.join();
  server_.reset();
  EXPECT_EQ(closed_, 1);
  parked_.clear();
}

TEST_F(HttpServerStreamTest, RequestsSayWhoAsksAndWhat) {
  std::string seen;
  HttpServer server(
      &loop_, [&](const HttpRequest& request, const HttpReply& reply) {
        seen = absl::StrCat(request.client_ip, " ", request.target);
        reply({});
      });
  ASSERT_TRUE(server.Listen({{"127.0.0.1", 0}}).ok());
  if (HasIPv6()) {
    ASSERT_TRUE(server.Listen({{"::", 0}}).ok());
  }
  std::thread thread([this] { loop_.Run(); });
  for (Endpoint endpoint : server.listening()) {
    // A wildcard socket of both families sees a mapped address.
    endpoint.ip = "127.0.0.1";
    Client client(endpoint, "127.0.0.7");
    client.Send("GET /a%2Fb//c?d=%20 HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(client.Receive(), "");
    OnLoop([&] { EXPECT_EQ(seen, "127.0.0.7 /a%2Fb//c?d=%20"); });
  }
  loop_.Stop();
  thread.join();
}

}  // namespace
}  // namespace dnsd
