// The proxy between a plain client and a server that answers as it is told:
// what must pass unchanged does, and each fault does what it says and no more.
#include "tests/testing/fault_proxy.h"

#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/http_framing.h"
#include "tests/testing/http_wire.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;

std::string WithLength(const std::string& body) {
  return absl::StrCat("HTTP/1.1 200 OK\r\nX-Consul-Index: 7\r\n",
                      "Content-Length: ", body.size(), "\r\n\r\n", body);
}

// Long enough to come in many parts.
std::string LongBody() {
  std::string body;
  for (int i = 0; body.size() < 300'000; ++i) {
    absl::StrAppend(&body, "line ", i, "\n");
  }
  return body;
}

std::string Chunked() {
  return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
         "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n";
}

std::string Respond(const std::string& head, const std::string& body) {
  const auto asks = [&](const char* path) {
    return absl::StrContains(head.substr(0, head.find('\r')), path);
  };
  if (asks("/chunked")) return Chunked();
  if (asks("/long")) return WithLength(LongBody());
  if (asks("/silent")) return "";
  if (asks("/until-end")) return "HTTP/1.1 200 OK\r\n\r\nall of itCLOSE";
  if (asks("/half")) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalfCLOSE";
  }
  if (asks("/none")) return "HTTP/1.1 204 No Content\r\n\r\n";
  if (asks("/continue")) {
    return absl::StrCat("HTTP/1.1 100 Continue\r\n\r\n", WithLength("late"));
  }
  if (absl::StartsWith(head, "HEAD")) {
    return "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  }
  return WithLength(absl::StrCat("hello ", body));
}

class FaultProxyTest : public ::testing::Test {
 protected:
  ScriptedServer server_{Respond};
  FaultProxy proxy_{"127.0.0.1", server_.port()};
};

TEST_F(FaultProxyTest, PassesEveryKindOfAnswerUnchangedInOneConnection) {
  HttpWire direct(server_.port());
  HttpWire wire(proxy_.port());
  for (const char* target : {"/v1/a?x=1", "/chunked", "/long", "/none",
                             "/continue", "/chunked", "/b", "/until-end"}) {
    for (HttpWire* each : {&direct, &wire}) {
      each->Get(target);
      each->ReadAnswer();
    }
    EXPECT_EQ(wire.answered(), !absl::StrContains(target, "end")) << target;
  }
  EXPECT_EQ(wire.bytes(), direct.bytes());
  EXPECT_EQ(proxy_.connections_total(), 1u);
  // The longest part of an answer without a length is its end.
  EXPECT_TRUE(absl::EndsWith(wire.bytes(), "all of it"));
}

TEST_F(FaultProxyTest, PassesRequestBodiesAndHead) {
  HttpWire wire(proxy_.port());
  wire.Send("PUT /v1/kv/x HTTP/1.1\r\nContent-Length: 3\r\n\r\nab");
  wire.Send("cPUT /v1/kv/y HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n");
  wire.Send("3\r\ndef\r\n0\r\n\r\n");
  wire.ReadAnswer();
  EXPECT_EQ(wire.body(), "hello abc");
  wire.ReadAnswer();
  EXPECT_EQ(wire.body(), "hello def");
  wire.Head("/x");
  wire.ReadAnswer();
  EXPECT_EQ(wire.body(), "");
  EXPECT_EQ(HeaderValue(wire.head(), "Content-Length"), "5");
  wire.Get("/after");
  wire.ReadAnswer();
  EXPECT_TRUE(absl::EndsWith(wire.bytes(), "hello "));
}

TEST_F(FaultProxyTest, RefusesAndListensAgainOnTheSamePort) {
  HttpWire open(proxy_.port());
  open.Get("/silent");
  ASSERT_TRUE(WaitUntil([&] { return proxy_.RequestsWaiting("/") == 1; }));
  proxy_.SetMode(FaultProxy::Mode::kRefuse);
  EXPECT_EQ(open.Read(), HttpWire::State::kReset);
  EXPECT_EQ(proxy_.connections_open(), 0u);
  EXPECT_FALSE(HttpWire(proxy_.port()).connected());
  EXPECT_FALSE(HttpWire(proxy_.port()).connected());
  for (int i = 0; i < 3; ++i) {
    proxy_.SetMode(FaultProxy::Mode::kPass);
    HttpWire again(proxy_.port());
    ASSERT_TRUE(again.connected());
    again.Get("/x");
    again.ReadAnswer();
    EXPECT_EQ(again.body(), "hello ");
    proxy_.SetMode(FaultProxy::Mode::kRefuse);
    EXPECT_FALSE(HttpWire(proxy_.port()).connected());
  }
}

TEST_F(FaultProxyTest, BlackHoleAnswersNothingUntilItPasses) {
  HttpWire before(proxy_.port());
  before.Get("/x");
  before.ReadAnswer();
  proxy_.SetMode(FaultProxy::Mode::kBlackHole);
  before.Get("/long");
  HttpWire during(proxy_.port());
  ASSERT_TRUE(during.connected());
  during.Get("/x");
  EXPECT_EQ(before.ReadAnswer(milliseconds(100)), HttpWire::State::kOpen);
  EXPECT_EQ(during.ReadAnswer(milliseconds(100)), HttpWire::State::kOpen);
  EXPECT_FALSE(before.answered() || during.answered());
  {
    const HttpWire gone(proxy_.port());
    EXPECT_TRUE(WaitUntil([&] { return proxy_.connections_open() == 3; }));
  }
  EXPECT_TRUE(WaitUntil([&] { return proxy_.connections_open() == 2; }));
  proxy_.SetMode(FaultProxy::Mode::kPass);
  before.ReadAnswer();
  EXPECT_EQ(before.body(), LongBody());
  during.ReadAnswer();
  EXPECT_EQ(during.body(), "hello ");
}

TEST_F(FaultProxyTest, CutsOnceBehindSoManyBytes) {
  const std::string whole = WithLength(LongBody());
  for (const size_t bytes :
       {size_t{0}, size_t{1}, size_t{70'000}, whole.size() - 1}) {
    proxy_.CutAfter(bytes);
    HttpWire wire(proxy_.port());
    wire.Get("/long");
    EXPECT_EQ(wire.Read(), HttpWire::State::kReset);
    EXPECT_EQ(wire.bytes(), whole.substr(0, bytes));
    HttpWire next(proxy_.port());
    next.Get("/long");
    next.ReadAnswer();
    EXPECT_TRUE(next.answered());
  }
}

TEST_F(FaultProxyTest, CutsEachAnswerThatIsLongerAndFits) {
  proxy_.CutAfter(200, -1, "/long");
  HttpWire kept(proxy_.port());
  for (int i = 0; i < 3; ++i) {
    HttpWire wire(proxy_.port());
    wire.Get("/long?a");
    EXPECT_EQ(wire.Read(), HttpWire::State::kReset);
    EXPECT_EQ(wire.bytes().size(), 200u);
    kept.Get("/chunked");
    kept.ReadAnswer();
    EXPECT_EQ(kept.body(), "hello world");
  }
  proxy_.ClearRules();
  // Short answers do not use a cut up.
  proxy_.CutAfter(1000);
  kept.Get("/chunked");
  kept.ReadAnswer();
  EXPECT_TRUE(kept.answered());
  kept.Get("/long");
  EXPECT_EQ(kept.ReadAnswer(), HttpWire::State::kReset);
}

TEST_F(FaultProxyTest, AnswersThatBreakOffBreakOffBehindTheProxyToo) {
  HttpWire wire(proxy_.port());
  wire.Get("/half");
  EXPECT_EQ(wire.ReadAnswer(), HttpWire::State::kClosed);
  EXPECT_EQ(wire.body(), "half");
  EXPECT_EQ(proxy_.Counts("/half").answers, 0u);
  EXPECT_EQ(proxy_.Counts("/half").requests, 1u);
}

TEST_F(FaultProxyTest, DelaysEachDirection) {
  using Clock = std::chrono::steady_clock;
  HttpWire wire(proxy_.port());
  const auto ask = [&] {
    const auto start = Clock::now();
    wire.Get("/chunked");
    wire.ReadAnswer();
    EXPECT_EQ(wire.body(), "hello world");
    return Clock::now() - start;
  };
  proxy_.SetDelay(milliseconds(80), milliseconds(0));
  EXPECT_GE(ask(), milliseconds(80));
  proxy_.SetDelay(milliseconds(0), milliseconds(80));
  EXPECT_GE(ask(), milliseconds(80));
  proxy_.SetDelay(milliseconds(80), milliseconds(80));
  EXPECT_GE(ask(), milliseconds(160));
  proxy_.SetDelay(milliseconds(0), milliseconds(0));
  ask();
}

TEST_F(FaultProxyTest, CorruptsContentAndNeitherHeadsNorChunkLines) {
  proxy_.Corrupt("/chunked", 1);
  HttpWire wire(proxy_.port());
  wire.Get("/chunked");
  wire.ReadAnswer();
  ASSERT_TRUE(wire.answered());
  std::string inverted = "hello world";
  for (char& c : inverted) c = static_cast<char>(~c);
  EXPECT_EQ(wire.body(), inverted);
  EXPECT_EQ(wire.bytes().size(), Chunked().size());
  wire.Get("/x");
  wire.ReadAnswer();
  EXPECT_EQ(wire.body(), "hello ");
  proxy_.Corrupt("/x", 4);
  wire.Get("/x");
  wire.ReadAnswer();
  EXPECT_EQ(wire.body(),
            "\x97"
            "ell\x90 ");
}

TEST_F(FaultProxyTest, AnswersInPlaceOfTheServer) {
  proxy_.Answer("dc=dc2", 429, "Your IP is issuing too many requests");
  FaultRule once;
  once.path_contains = "/once";
  once.times = 2;
  once.answer.emplace();
  once.answer->body = "[]";
  once.answer->headers = {{"X-Consul-Index", "3"}};
  proxy_.AddRule(once);
  HttpWire wire(proxy_.port());
  wire.Send("PUT /v1/kv/x?dc=dc2 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc");
  wire.ReadAnswer();
  EXPECT_EQ(StatusOf(wire.head()), 429);
  EXPECT_EQ(wire.body(), "Your IP is issuing too many requests");
  for (const char* body : {"[]", "[]", "hello "}) {
    wire.Get("/once");
    wire.ReadAnswer();
    EXPECT_EQ(wire.body(), body);
    EXPECT_EQ(HeaderValue(wire.head(), "x-consul-index"),
              body[0] == '[' ? "3" : "7");
  }
  proxy_.ClearRules();
  wire.Get("/v1/x?dc=dc2");
  wire.ReadAnswer();
  EXPECT_EQ(wire.body(), "hello ");
}

TEST_F(FaultProxyTest, AnswersWhenTheServerIsAway) {
  proxy_.SetUpstream("127.0.0.1", 1);
  proxy_.Answer("/v1/status", 500, "No cluster leader");
  HttpWire wire(proxy_.port());
  wire.Get("/v1/status/leader");
  wire.ReadAnswer();
  EXPECT_EQ(StatusOf(wire.head()), 500);
  wire.Get("/v1/other");
  EXPECT_EQ(wire.ReadAnswer(), HttpWire::State::kReset);
}

TEST_F(FaultProxyTest, ReplacesBodiesAndEditsHeads) {
  FaultRule rule;
  rule.path_contains = "/chunked";
  rule.body = "{";
  rule.set_headers = {{"X-Consul-KnownLeader", "false"}};
  rule.times = 1;
  proxy_.AddRule(rule);
  proxy_.SetHeader("/v1/", "X-Consul-Index", "1");
  FaultRule strip;
  strip.path_contains = "/stripped";
  strip.strip_headers = {"x-consul-index"};
  proxy_.AddRule(strip);
  HttpWire wire(proxy_.port());
  wire.Get("/chunked");
  wire.ReadAnswer();
  EXPECT_EQ(wire.body(), "{");
  EXPECT_EQ(HeaderValue(wire.head(), "X-Consul-Knownleader"), "false");
  EXPECT_EQ(HeaderValue(wire.head(), "Transfer-Encoding"), "");
  wire.Get("/chunked");
  wire.ReadAnswer();
  EXPECT_EQ(wire.body(), "hello world");
  wire.Get("/v1/x");
  wire.ReadAnswer();
  EXPECT_EQ(HeaderValue(wire.head(), "X-Consul-Index"), "1");
  EXPECT_EQ(wire.body(), "hello ");
  wire.Get("/stripped");
  wire.ReadAnswer();
  EXPECT_EQ(wire.head(), "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
}

TEST_F(FaultProxyTest, CountsConnectionsRequestsAndBytes) {
  const std::string ask = "GET /v1/b?c HTTP/1.1\r\nHost: h\r\n\r\n";
  {
    HttpWire one(proxy_.port());
    HttpWire two(proxy_.port());
    one.Send(ask);
    one.ReadAnswer();
    two.Send(ask);
    two.ReadAnswer();
    two.Get("/silent");
    EXPECT_TRUE(
        WaitUntil([&] { return proxy_.RequestsWaiting("/silent") == 1; }));
    EXPECT_EQ(proxy_.RequestsWaiting("/v1/"), 0u);
    EXPECT_EQ(proxy_.connections_open(), 2u);
  }
  EXPECT_TRUE(WaitUntil([&] { return proxy_.connections_open() == 0; }));
  EXPECT_EQ(proxy_.connections_max(), 2u);
  EXPECT_EQ(proxy_.connections_total(), 2u);
  ASSERT_TRUE(proxy_.WaitForAnswers("/v1/", 2, kPatience));
  EXPECT_FALSE(proxy_.WaitForAnswers("/v1/", 3, milliseconds(20)));
  const FaultCounts counts = proxy_.Counts("/v1/");
  EXPECT_EQ(counts.requests, 2u);
  EXPECT_EQ(counts.answers, 2u);
  EXPECT_EQ(counts.request_bytes, 2 * ask.size());
  EXPECT_EQ(counts.response_bytes, 2 * WithLength("hello ").size());
  EXPECT_EQ(counts.last_request_head, ask);
  EXPECT_EQ(proxy_.Counts().requests, 3u);
  proxy_.ResetCounts();
  EXPECT_EQ(proxy_.Counts().requests, 0u);
  EXPECT_EQ(proxy_.connections_max(), 0u);
}

TEST_F(FaultProxyTest, PassesTlsAsBytesAndCutsIt) {
  const std::string hello("\x16\x03\x01\x00\x00GET /x\r\n\r\n", 14);
  HttpWire wire(proxy_.port());
  wire.Send(hello);
  EXPECT_TRUE(WaitUntil([&] {
    wire.Read(milliseconds(20));
    return wire.bytes().size() >= hello.size();
  }));
  EXPECT_EQ(wire.bytes(), hello);
  proxy_.CutAfter(3);
  HttpWire cut(proxy_.port());
  cut.Send(hello);
  EXPECT_EQ(cut.Read(), HttpWire::State::kReset);
  EXPECT_EQ(cut.bytes(), hello.substr(0, 3));
}

TEST_F(FaultProxyTest, ResetsWhatIsOpenAndWhatCannotBeRead) {
  HttpWire one(proxy_.port());
  one.Get("/silent");
  ASSERT_TRUE(WaitUntil([&] { return proxy_.RequestsWaiting("/") == 1; }));
  proxy_.ResetConnections();
  EXPECT_EQ(one.Read(), HttpWire::State::kReset);
  HttpWire two(proxy_.port());
  two.Send("PUT / HTTP/1.1\r\nContent-Length: many\r\n\r\n");
  EXPECT_EQ(two.Read(), HttpWire::State::kReset);
}

// What clients do that have many requests: all at once, on many connections.
TEST_F(FaultProxyTest, CarriesManyConnectionsAtOnce) {
  std::vector<std::thread> clients;
  std::mutex mutex;
  int good = 0;
  for (int i = 0; i < 20; ++i) {
    clients.emplace_back([&] {
      for (int j = 0; j < 5; ++j) {
        HttpWire wire(proxy_.port());
        wire.Get("/long");
        wire.ReadAnswer();
        const std::lock_guard lock(mutex);
        good += wire.body() == LongBody() ? 1 : 0;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, 100);
  EXPECT_EQ(proxy_.connections_total(), 100u);
}

}  // namespace
}  // namespace dnsd::testing
