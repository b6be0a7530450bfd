// Passthrough between two servers of ours on one loop: `front`, which the
// clients ask, and `consul`, whose answers each test writes.
#include "dnsd/http/passthrough.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/http/hop_headers.h"
#include "dnsd/http/http_server.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/http_server_fixture.h"
#include "tests/testing/on_loop.h"

namespace dnsd {
namespace {

using Client = HttpTestClient;

TEST(HopHeaders, StayWhereTheyAre) {
  const HttpHeaders kept = EndToEndHeaders({{"connection", "X-Mine , close"},
                                            {"accept", "*/*"},
                                            {"x-mine", "1"},
                                            {"keep-alive", "5"},
                                            {"proxy-authorization", "a"},
                                            {"proxy-connection", "b"},
                                            {"te", "trailers"},
                                            {"trailer", "x"},
                                            {"transfer-encoding", "chunked"},
                                            {"upgrade", "h2c"},
                                            {"x-consul-token", "t"},
                                            {"connection", "other"},
                                            {"other", "2"}});
  EXPECT_EQ(kept, (HttpHeaders{{"accept", "*/*"}, {"x-consul-token", "t"}}));
  EXPECT_EQ(GoHeaderName("x-consul-knownleader"), "X-Consul-Knownleader");
  EXPECT_EQ(GoHeaderName("etag"), "Etag");
  EXPECT_EQ(JoinedHeader({{"a", "1"}, {"b", "2"}, {"a", ""}, {"a", "3"}}, "a"),
            "1, 3");
}

class PassthroughTest : public ::testing::Test {
 protected:
  PassthroughTest()
      : consul_(
            &loop_,
            [this](const HttpRequest& request, HttpReply reply) {
              seen_.push_back(request);
              answer_(request, std::move(reply));
            },
            QuickLimits()),
        fetcher_(&loop_, {}) {}

  void Start(PassthroughOptions options = {}) {
    ASSERT_TRUE(consul_.Listen({{"127.0.0.1", 0}}).ok());
    target_.url = absl::StrCat("http://127.0.0.1:", Port(consul_));
    passthrough_ = std::make_unique<Passthrough>(
        &fetcher_, [this] { return target_; }, options);
    front_ = std::make_unique<HttpServer>(
        &loop_,
        [this](const HttpRequest& request, HttpReply reply) {
          passthrough_->Handle(request, std::move(reply));
        },
        QuickLimits());
    ASSERT_TRUE(front_->Listen({{"127.0.0.1", 0}}).ok());
    thread_ = std::thread([this] { loop_.Run(); });
  }

  void TearDown() override {
    if (!thread_.joinable()) return;
    loop_.Stop();
    thread_.join();
    parked_.clear();
    front_.reset();
    passthrough_.reset();
  }

  static HttpLimits QuickLimits() {
    HttpLimits limits;
    limits.half_close_ms = 50;
    return limits;
  }
  static uint16_t Port(const HttpServer& server) {
    return server.listening()[0].port;
  }
  const Endpoint& address() const { return front_->listening()[0]; }

  template <typename Function>
  void OnLoop(Function function) {
    testing::OnLoop(&loop_, function);
  }

  bool WaitFor(const std::function<bool()>& condition) {
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (std::chrono::steady_clock::now() < end) {
      bool met = false;
      OnLoop([&] { met = condition(); });
      if (met) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

  // The whole answer to one request with these lines behind its first one.
  std::string Ask(const std::string& first_line, const std::string& headers,
                  const std::string& body = "") {
    Client client(address());
    client.Send(absl::StrCat(first_line, "\r\nHost: front\r\n", headers,
                             "Connection: close\r\n\r\n", body));
    return client.ReceiveAll();
  }

  EventLoop loop_;
  // The loop's thread, or before it runs.
  std::function<void(const HttpRequest&, HttpReply)> answer_ =
      [](const HttpRequest&, const HttpReply& reply) { reply({}); };
  std::vector<HttpRequest> seen_;
  std::vector<HttpReply> parked_;
  PassthroughTarget target_;
  HttpServer consul_;
  HttpFetcher fetcher_;
  std::unique_ptr<Passthrough> passthrough_;
  std::unique_ptr<HttpServer> front_;
  std::thread thread_;
};

std::string Body(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

TEST_F(PassthroughTest, HandsTheRequestOnAsItIs) {
  Start();
  const std::string binary("\0\r\n\xff", 4);
  const std::string answer =
      Ask("PUT /v1/kv/a%2Fb/../c//d?cas=0&flags=%20+ HTTP/1.1",
          "X-Consul-Token: secret\r\nAccept-Encoding: gzip\r\nEmpty:\r\n"
          "Twice: 1\r\nTwice: 2\r\nKeep-Alive: 5\r\nX-Hop: 1\r\n"
          "Connection: x-hop\r\nContent-Length: 4\r\n"
          "X-Forwarded-For: 10.0.0.1\r\nContent-Type: a/b\r\n",
          binary);
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 200 OK\r\n")) << answer;
  ASSERT_EQ(seen_.size(), 1u);
  const HttpRequest& seen = seen_[0];
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.target, "/v1/kv/a%2Fb/../c//d?cas=0&flags=%20+");
  EXPECT_EQ(seen.body, binary);
  HttpHeaders headers = seen.headers;
  ASSERT_GE(headers.size(), 1u);
  EXPECT_EQ(headers.back().first, "content-length");
  EXPECT_EQ(headers.back().second, "4");
  headers.pop_back();
  ASSERT_FALSE(headers.empty());
  EXPECT_EQ(headers.back().first, "x-dnsd-passthrough");
  EXPECT_EQ(headers.back().second.size(), 32u);
  headers.pop_back();
  EXPECT_EQ(headers,
            (HttpHeaders{{"host", absl::StrCat("127.0.0.1:", Port(consul_))},
                         {"x-consul-token", "secret"},
                         {"accept-encoding", "gzip"},
                         {"empty", ""},
                         {"twice", "1"},
                         {"twice", "2"},
                         {"content-type", "a/b"},
                         {"x-forwarded-for", "10.0.0.1, 127.0.0.1"}}));
}

TEST_F(PassthroughTest, AddsNothingToAPlainRequest) {
  Start();
  for (const char* method : {"GET", "DELETE", "HEAD", "OPTIONS", "POST"}) {
    Ask(absl::StrCat(method, " http://front/v1/status/leader HTTP/1.1"), "");
  }
  ASSERT_EQ(seen_.size(), 5u);
  for (const HttpRequest& seen : seen_) {
    EXPECT_EQ(seen.target, "/v1/status/leader");
    std::string names;
    for (const auto& header : seen.headers) {
      absl::StrAppend(&names, header.first, " ");
    }
    EXPECT_EQ(names,
              absl::StrCat("host x-forwarded-for x-dnsd-passthrough ",
                           seen.method == "POST" ? "content-length " : ""))
        << seen.method;
  }
  EXPECT_EQ(seen_[0].method, "GET");
  EXPECT_EQ(seen_[1].method, "DELETE");
  EXPECT_EQ(seen_[2].method, "HEAD");
  EXPECT_EQ(seen_[3].method, "OPTIONS");
}

TEST_F(PassthroughTest, HandsTheAnswerBackAsItIs) {
  answer_ = [](const HttpRequest& request, const HttpReply& reply) {
    HttpResponse response;
    response.headers_are_whole = true;
    response.status = request.method == "GET" ? 404 : 418;
    response.headers = {
        {"x-consul-index", "42"},     {"Content-Type", "application/json"},
        {"Content-Encoding", "gzip"}, {"Vary", "Accept-Encoding"},
        {"Keep-Alive", "timeout=5"},  {"Set-Cookie", "a"},
        {"Set-Cookie", "b"}};
    response.body = "\x1f\x8b not really";
    reply(std::move(response));
  };
  Start();
  EXPECT_EQ(Ask("GET /v1/x HTTP/1.1", ""),
            "HTTP/1.1 404 Not Found\r\nX-Consul-Index: 42\r\n"
            "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
            "Vary: Accept-Encoding\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
            "Content-Length: 13\r\nConnection: close\r\n\r\n"
            "\x1f\x8b not really");
  // HEAD says how long it would be.
  const std::string head = Ask("HEAD /v1/x HTTP/1.1", "");
  EXPECT_TRUE(absl::StartsWith(head, "HTTP/1.1 418 ")) << head;
  EXPECT_TRUE(absl::StrContains(head, "\r\nContent-Length: 13\r\n"));
  EXPECT_TRUE(absl::EndsWith(head, "\r\n\r\n"));
}

TEST_F(PassthroughTest, StreamsAsItComes) {
  answer_ = [this](const HttpRequest&, const HttpReply& reply) {
    reply.Begin({});
    parked_.push_back(reply);
  };
  Start();
  Client client(address());
  client.Send("GET /v1/agent/monitor HTTP/1.1\r\nHost: x\r\n\r\n");
  std::string got = client.Receive();  // the head: there is no length
  EXPECT_TRUE(absl::StrContains(got, "Transfer-Encoding: chunked\r\n")) << got;
  for (int i = 0; i < 3; ++i) {
    OnLoop([&] { EXPECT_TRUE(parked_[0].Write(absl::StrCat("line ", i))); });
    char bytes[100];
    const ssize_t size = recv(client.fd(), bytes, sizeof(bytes), 0);
    ASSERT_GT(size, 0);
    EXPECT_EQ(std::string(bytes, static_cast<size_t>(size)),
              absl::StrCat("6\r\nline ", i, "\r\n"));
  }
  OnLoop([&] { parked_[0].End(); });
  EXPECT_TRUE(WaitFor([&] { return passthrough_->counts().active == 0; }));
  // The connection is there for the next one.
  OnLoop([&] {
    answer_ = [](const HttpRequest&, const HttpReply& reply) { reply({}); };
  });
  client.Send("GET /v1/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  got = client.ReceiveAll();
  EXPECT_TRUE(absl::StartsWith(got, "0\r\n\r\nHTTP/1.1 200 OK\r\n")) << got;
  OnLoop([&] { EXPECT_EQ(passthrough_->counts().left, 0u); });
}

TEST_F(PassthroughTest, TakesNoMoreFromConsulThanTheClientTakes) {
  constexpr size_t kBytes = 64u << 20;
  size_t left = kBytes;
  std::function<void()> write;
  answer_ = [&](const HttpRequest&, const HttpReply& reply) {
    HttpResponse head;
    head.headers = {{"Content-Length", absl::StrCat(left)}};
    write = [&, reply] {
      const std::string piece(64u << 10, 'x');
      while (left > 0) {
        left -= piece.size();
        if (!reply.Write(piece)) return;
      }
      reply.End();
    };
    reply.OnDrained([&] { write(); });
    reply.Begin(std::move(head));
    write();
  };
  Start();
  Client client(address());
  client.Send("GET /v1/snapshot HTTP/1.1\r\nHost: x\r\n\r\n");
  // It comes to rest with most of it unsent.
  size_t before = 0;
  bool rests = false;
  for (int i = 0; i < 100 && !rests; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    OnLoop([&] {
      rests = left == before && left < kBytes;
      before = left;
    });
  }
  EXPECT_TRUE(rests);
  EXPECT_GT(before, kBytes / 2);
  const std::string body = Body(client.Receive());
  EXPECT_EQ(body.size(), kBytes);
  EXPECT_EQ(body.find_first_not_of('x'), std::string::npos);
  EXPECT_TRUE(WaitFor([&] { return passthrough_->counts().active == 0; }));
  OnLoop([&] { write = nullptr; });
}

TEST_F(PassthroughTest, AClientThatLeavesTakesItsRequestWithIt) {
  int closed = 0;
  answer_ = [&](const HttpRequest& request, const HttpReply& reply) {
    reply.OnClosed([&] { ++closed; });
    if (request.path == "/v1/stream") reply.Begin({});
    parked_.push_back(reply);
  };
  Start();
  int expected = 0;
  for (const char* path : {"/v1/park", "/v1/stream"}) {
    {
      Client client(address());
      client.Send(absl::StrCat("GET ", path, " HTTP/1.1\r\nHost: x\r\n\r\n"));
      ++expected;
      EXPECT_TRUE(WaitFor(
          [&] { return parked_.size() == static_cast<size_t>(expected); }));
    }
    EXPECT_TRUE(WaitFor([&] { return closed == expected; })) << path;
  }
  OnLoop([&] {
    EXPECT_EQ(passthrough_->counts().left, 2u);
    EXPECT_EQ(passthrough_->counts().active, 0u);
    EXPECT_EQ(fetcher_.active_count(), 0u);
  });
}

TEST_F(PassthroughTest, AnAnswerCutByConsulIsCutHere) {
  answer_ = [](const HttpRequest& request, const HttpReply& reply) {
    HttpResponse head;
    if (request.path == "/v1/length") head.headers = {{"Content-Length", "9"}};
    reply.Begin(std::move(head));
    EXPECT_TRUE(reply.Write("abc"));
    reply.Abort();
  };
  Start();
  Client chunked(address());
  chunked.Send("GET /v1/chunked HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(Body(chunked.ReceiveAll()), "3\r\nabc\r\n");
  Client sized(address());
  sized.Send("GET /v1/length HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(Body(sized.ReceiveAll()), "abc");
  OnLoop([&] {
    EXPECT_EQ(passthrough_->counts().cut, 2u);
    EXPECT_EQ(passthrough_->counts().unreachable, 0u);
  });
}

TEST_F(PassthroughTest, SaysThatConsulIsNotReachable) {
  answer_ = [](const HttpRequest&, const HttpReply& reply) { reply.Abort(); };
  Start();
  // It hangs up without a word.
  std::string answer = Ask("GET /v1/x?token=secret HTTP/1.1", "");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 500 ")) << answer;
  EXPECT_TRUE(absl::StartsWith(Body(answer), "dnsd: Consul is not reachable: "))
      << answer;
  EXPECT_FALSE(absl::StrContains(answer, "secret"));
  EXPECT_EQ(seen_.size(), 1u);  // not tried again: it was sent
  // Nobody is there.
  OnLoop([&] { target_.url = "http://127.0.0.1:1"; });
  answer = Ask("PUT /v1/x HTTP/1.1", "Content-Length: 1\r\n", "x");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 500 ")) << answer;
  EXPECT_TRUE(absl::StrContains(
      answer, "\r\n\r\ndnsd: Consul is not reachable: http://127.0.0.1:1/v1/x"))
      << answer;
  OnLoop([&] {
    EXPECT_EQ(passthrough_->counts().unreachable, 2u);
    // The next request goes where the target says.
    target_.url = absl::StrCat("http://127.0.0.1:", Port(consul_));
    answer_ = [](const HttpRequest&, const HttpReply& reply) { reply({}); };
  });
  EXPECT_TRUE(absl::StartsWith(Ask("GET /v1/x HTTP/1.1", ""), "HTTP/1.1 200 "));
}

TEST_F(PassthroughTest, RefusesWhatIsTooMuchAtATime) {
  answer_ = [this](const HttpRequest&, const HttpReply& reply) {
    parked_.push_back(reply);
  };
  PassthroughOptions options;
  options.requests_max = 2;
  Start(options);
  Client one(address());
  Client two(address());
  one.Send("GET /v1/1 HTTP/1.1\r\nHost: x\r\n\r\n");
  two.Send("GET /v1/2 HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(WaitFor([&] { return parked_.size() == 2; }));
  const std::string answer = Ask("GET /v1/3 HTTP/1.1", "");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 429 ")) << answer;
  EXPECT_EQ(Body(answer),
            "Your IP is issuing too many concurrent connections, please rate "
            "limit your calls");
  OnLoop([&] {
    EXPECT_EQ(passthrough_->counts().refused, 1u);
    parked_[0]({});
    answer_ = [](const HttpRequest&, const HttpReply& reply) { reply({}); };
  });
  EXPECT_TRUE(absl::StartsWith(one.Receive(), "HTTP/1.1 200 "));
  EXPECT_TRUE(absl::StartsWith(Ask("GET /v1/4 HTTP/1.1", ""), "HTTP/1.1 200 "));
}

TEST_F(PassthroughTest, EndsALoop) {
  Start();
  // Consul's address leads back here, perhaps by way of another dnsd.
  OnLoop(
      [&] { target_.url = absl::StrCat("http://127.0.0.1:", address().port); });
  const std::string answer =
      Ask("GET /v1/x HTTP/1.1", "X-Dnsd-Passthrough: another\r\n");
  EXPECT_TRUE(absl::StartsWith(answer, "HTTP/1.1 508 Loop Detected\r\n"))
      << answer;
  EXPECT_TRUE(absl::StartsWith(Body(answer), "dnsd: "));
  OnLoop([&] {
    EXPECT_EQ(passthrough_->counts().loops, 1u);
    EXPECT_EQ(passthrough_->counts().requests, 1u);
  });
}

TEST_F(PassthroughTest, ItsEndAnswersWhatIsOpen) {
  answer_ = [this](const HttpRequest& request, const HttpReply& reply) {
    if (request.path == "/v1/stream") reply.Begin({});
    parked_.push_back(reply);
  };
  Start();
  Client waiting(address());
  waiting.Send("GET /v1/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  Client streaming(address());
  streaming.Send("GET /v1/stream HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(streaming.Receive(), "");
  EXPECT_TRUE(WaitFor([&] { return parked_.size() == 2; }));
  OnLoop([&] { passthrough_.reset(); });
  EXPECT_TRUE(absl::StartsWith(waiting.ReceiveAll(), "HTTP/1.1 500 "));
  EXPECT_EQ(streaming.ReceiveAll(), "");  // no last chunk
  OnLoop([&] { EXPECT_EQ(fetcher_.active_count(), 0u); });
}

}  // namespace
}  // namespace dnsd
