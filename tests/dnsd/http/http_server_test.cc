// The server on real loopback sockets: its loop runs in a thread, the clients
// are plain blocking sockets with a time limit.
#include "dnsd/http/http_server.h"

#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/http/routes.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/http_server_fixture.h"

namespace dnsd {
namespace {

using Client = HttpTestClient;

TEST_F(HttpServerTest, KeepsConnectionsOpenAndAnswersInOrder) {
  Start();
  EXPECT_NE(address().port, 0);
  Client client(address());
  for (int i = 0; i < 3; ++i) {
    client.Send(absl::StrCat("GET /", i, " HTTP/1.1\r\nHost: x\r\n\r\n"));
    EXPECT_TRUE(
        absl::EndsWith(client.Receive(), absl::StrCat("GET/", i, ":0")));
  }
  std::string many;
  for (int i = 0; i < 500; ++i) {
    absl::StrAppend(&many, "PUT /", i,
                    " HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  }
  client.Send(many);
  for (int i = 0; i < 500; ++i) {
    EXPECT_TRUE(
        absl::EndsWith(client.Receive(), absl::StrCat("PUT/", i, ":3")));
  }
}

TEST_F(HttpServerTest, ServesIPv4AndIPv6) {
  if (!HasIPv6()) GTEST_SKIP() << "no IPv6 here";
  Start({}, {{"127.0.0.1", 0}, {"::1", 0}});
  ASSERT_EQ(server_->listening().size(), 2u);
  EXPECT_EQ(address(0).ip, "127.0.0.1");
  EXPECT_EQ(address(1).ip, "::1");
  for (size_t i = 0; i < 2; ++i) {
    Client client(address(i));
    client.Send("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(absl::EndsWith(client.ReceiveAll(), "GET/x:0"));
  }
}

TEST_F(HttpServerTest, ListenSaysWhichAddressAndWhy) {
  Start();
  EventLoop other_loop;
  HttpServer other(&other_loop, [](const HttpRequest&, HttpServer::Reply) {});
  absl::Status status =
      other.Listen({{"127.0.0.1", 0}, {"127.0.0.1", address().port}});
  EXPECT_EQ(status.message(),
            absl::StrCat("cannot listen on 127.0.0.1:", address().port,
                         ": address already in use"));
  EXPECT_TRUE(other.listening().empty());  // all or none
  status = other.Listen({{"no address", 80}});
  EXPECT_EQ(status.message(),
            "cannot listen on no address:80: invalid argument");
  if (!HasIPv6()) return;
  status = other.Listen({{"2001:db8::1", 80}});
  EXPECT_EQ(status.message(),
            "cannot listen on [2001:db8::1]:80: address not available");
}

TEST_F(HttpServerTest, IPv6WildcardServesIPv4UnlessItHasItsOwn) {
  if (!HasIPv6()) GTEST_SKIP() << "no IPv6 here";
  Start({}, {{"::", 0}});
  Client mapped({"127.0.0.1", address().port});
  mapped.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::EndsWith(mapped.Receive(), "GET/x:0"));

  EventLoop other_loop;
  HttpServer other(&other_loop, [](const HttpRequest&, HttpServer::Reply) {});
  ASSERT_TRUE(other.Listen({{"127.0.0.1", 0}}).ok());
  const uint16_t port = other.listening()[0].port;
  // Its own IPv4 socket holds the port, so the wildcard must leave IPv4 out.
  HttpServer both(&other_loop, [](const HttpRequest&, HttpServer::Reply) {});
  EXPECT_FALSE(both.Listen({{"::", port}}).ok());
  EXPECT_TRUE(both.Listen({{"::", port}, {"127.0.0.2", port}}).ok());
}

TEST_F(HttpServerTest, ParkedRequestsAreAnsweredLater) {
  Start();
  Client client(address());
  client.Send(
      "GET /park HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  WaitForParked(1);
  // Others are served meanwhile.
  Client other(address());
  other.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::EndsWith(other.Receive(), "GET/x:0"));
  OnLoop([this] {
    HttpResponse response;
    response.body = "woken";
    parked_[0](std::move(response));
  });
  EXPECT_TRUE(absl::EndsWith(client.Receive(), "woken"));
  EXPECT_TRUE(absl::EndsWith(client.Receive(), "GET/next:0"));
}

TEST_F(HttpServerTest, AnsweringAClientThatWentAwayDoesNothing) {
  HttpLimits limits;
  limits.half_close_ms = 20;
  Start(limits);
  {
    Client client(address());
    client.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
    WaitForParked(1);
  }
  // The server notices by itself; its end is when the address may be counted
  // anew, which the next test looks at. Here: both answers are harmless.
  OnLoop([this] { parked_[0](HttpResponse()); });
  OnLoop([this] { parked_[0](HttpResponse()); });
  Client after(address());
  after.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::EndsWith(after.Receive(), "GET/x:0"));
}

TEST_F(HttpServerTest, AHalfClosedClientGetsItsAnswer) {
  Start();
  Client client(address());
  client.Send("PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab");
  shutdown(client.fd(), SHUT_WR);
  EXPECT_TRUE(absl::EndsWith(client.ReceiveAll(), "PUT/x:2"));

  Client parked(address());
  parked.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
  shutdown(parked.fd(), SHUT_WR);
  WaitForParked(1);
  OnLoop([this] {
    HttpResponse response;
    response.body = "in time";
    parked_[0](std::move(response));
  });
  EXPECT_TRUE(absl::EndsWith(parked.ReceiveAll(), "in time"));
}

TEST_F(HttpServerTest, TakesTheLargestBody) {
  Start();
  Client client(address());
  client.Send(absl::StrCat(
      "PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: ", kHttpBodyBytesMax,
      "\r\nExpect: 100-continue\r\n\r\n"));
  EXPECT_EQ(client.Receive(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send(std::string(kHttpBodyBytesMax, 'b'));
  EXPECT_TRUE(absl::EndsWith(client.Receive(),
                             absl::StrCat("PUT/x:", kHttpBodyBytesMax)));
}

TEST_F(HttpServerTest, SendsLargeAnswersWholeToSlowReaders) {
  Start();
  Client client(address());
  client.Send(
      "GET /big HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /big HTTP/1.1\r\nHost: x\r\n\r\n"
      "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  for (int i = 0; i < 2; ++i) {
    const std::string answer = client.Receive();
    EXPECT_GT(answer.size(), 8u << 20);
    EXPECT_EQ(answer.find_first_not_of('x', answer.find("\r\n\r\n") + 4),
              std::string::npos);
  }
  EXPECT_TRUE(absl::EndsWith(client.Receive(), "GET/x:0"));
}

TEST_F(HttpServerTest, ItsEndClosesConnectionsWhateverTheyDo) {
  Start();
  Client idle(address());
  idle.Send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(idle.Receive(), "");
  Client parked(address());
  parked.Send("GET /park HTTP/1.1\r\nHost: x\r\n\r\n");
  WaitForParked(1);
  Client writing(address());
  writing.Send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  pollfd readable{writing.fd(), POLLIN, 0};
  EXPECT_EQ(poll(&readable, 1, 10'000), 1);
  loop_.Stop();
  thread_.join();
  server_.reset();
  // A Reply may outlive the server.
  parked_[0](HttpResponse());
  parked_.clear();
  // libuv closes the sockets when the loop turns once more.
  uv_run(loop_.uv(), UV_RUN_NOWAIT);
  EXPECT_EQ(idle.Receive(), "");
  EXPECT_TRUE(idle.closed());
}

TEST_F(HttpServerTest, RoutesAnswerOverSockets) {
  int reloads = 0;
  const Routes routes(
      AgentRoutes({[&](AgentHooks::ReloadDone done) {
                     ++reloads;
                     done({});
                   },
                   [](AgentHooks::TextDone done) { done("m 1\n"); }}));
  HttpServer server(&loop_,
                    [&](const HttpRequest& request, HttpServer::Reply reply) {
                      routes.Handle(request, std::move(reply));
                    });
  ASSERT_TRUE(server.Listen({{"127.0.0.1", 0}}).ok());
  std::thread thread([this] { loop_.Run(); });
  Client client(server.listening()[0]);
  client.Send("PUT /v1/agent/reload HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(absl::StartsWith(client.Receive(), "HTTP/1.1 200 OK\r\n"));
  client.Send("HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  // Without a body: the next answer follows at once.
  client.Send("GET /v1/agent/reload HTTP/1.1\r\nHost: x\r\n\r\n");
  client.Send("GET /nope HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string rest = client.ReceiveAll();
  EXPECT_TRUE(absl::StrContains(rest, "Content-Length: 4\r\n")) << rest;
  EXPECT_FALSE(absl::StrContains(rest, "m 1")) << rest;
  EXPECT_TRUE(absl::StrContains(rest, "\r\nAllow: OPTIONS,PUT\r\n")) << rest;
  EXPECT_TRUE(absl::StrContains(rest, "HTTP/1.1 404 Not Found\r\n")) << rest;
  EXPECT_EQ(reloads, 1);
  loop_.Stop();
  thread.join();
}

}  // namespace
}  // namespace dnsd
