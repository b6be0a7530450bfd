#include "dnsd/http/stats_api.h"

#include <string>

#include "absl/strings/match.h"
#include "catalog/base/json_read.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/http_server_fixture.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/on_loop.h"

namespace dnsd {
namespace {

using testing::WaitUntil;

TEST(StatsJson, HasEveryKeyOfItsContract) {
  StatsReport report;
  report.version = "1.2";
  report.node = "n\"1";
  report.datacenter = "dc1";
  report.time_ms = 1'700'000'000'123;
  report.uptime_s = 1.5;
  report.workers = 2;
  report.queries = {{"udp", "A", "NOERROR", 7}, {"tcp", "SRV", "NXDOMAIN", 1}};
  report.latency = {{0.00025, 0.0005}, {1, 2, 3}, 0.25};
  report.cache = {1, 2, 3, 4, 5};
  report.forwarders = {{"192.0.2.1:53", true, 1.25, 6, 7, 8}};
  report.source = {"mirror", "127.0.0.1:8500", "stale", 2.5, 9};
  report.catalog = {1, 2, 3, 4};
  report.top_names = {{"web.service.consul.", 10}};
  EXPECT_EQ(
      StatsJson(report),
      R"({"Version":"1.2","Node":"n\"1","Datacenter":"dc1",)"
      R"("TimeMs":1700000000123,"UptimeSeconds":1.5,"Workers":2,)"
      R"("Queries":[{"Proto":"udp","Type":"A","Rcode":"NOERROR","Count":7},)"
      R"({"Proto":"tcp","Type":"SRV","Rcode":"NXDOMAIN","Count":1}],)"
      R"("Latency":{"BoundsSeconds":[0.00025,0.0005],"Counts":[1,2,3],)"
      R"("SumSeconds":0.25},)"
      R"("Cache":{"Entries":1,"Bytes":2,"Hits":3,"Misses":4,"Stale":5},)"
      R"("Forwarders":[{"Address":"192.0.2.1:53","Up":true,"RttMs":1.25,)"
      R"("Sent":6,"Timeouts":7,"Failures":8}],)"
      R"("Source":{"Kind":"mirror","Address":"127.0.0.1:8500",)"
      R"("State":"stale","AgeSeconds":2.5,"Index":9},)"
      R"("Catalog":{"Nodes":1,"Instances":2,"Names":3,"Publications":4},)"
      R"("TopNames":[{"Name":"web.service.consul.","Count":10}]})");
}

TEST(StatsJson, IsJsonWithNothingToTell) {
  const std::string text = StatsJson({});
  EXPECT_TRUE(ParseJson(text).ok()) << text;
  EXPECT_TRUE(absl::StrContains(text, R"("Cache":null,"Forwarders":[])"));
  EXPECT_TRUE(absl::StrContains(text, R"("TopNames":[])"));
}

// A server with nothing but these figures, whose uptime counts the reports.
class StatsApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StatsApi::Options options;
    options.loop = &loop_;
    options.collect = [this](const auto& done) {
      StatsReport report;
      report.workers = ++collected_;
      report.node.assign(node_bytes_, 'n');
      done(report);
    };
    api_.emplace(std::move(options));
    routes_.emplace(api_->Routes());
    server_.emplace(
        &loop_,
        [this](const HttpRequest& request, HttpReply reply) {
          routes_->Handle(request, std::move(reply));
        },
        HttpLimits());
    ASSERT_TRUE(server_->Listen({{"127.0.0.1", 0}}).ok());
    thread_ = std::thread([this] { loop_.Run(); });
  }
  void TearDown() override {
    OnLoop([this] {
      server_.reset();
      api_.reset();
    });
    loop_.Stop();
    thread_.join();
  }

  template <typename Function>
  void OnLoop(Function function) {
    testing::OnLoop(&loop_, function);
  }
  size_t StreamCount() {
    size_t count = 0;
    OnLoop([&] { count = api_->stream_count(); });
    return count;
  }
  [[nodiscard]] Endpoint address() const { return server_->listening()[0]; }
  static std::string Get(const std::string& more, const char* method = "GET") {
    return absl::StrCat(method, " /v1/dnsd/stats", more, "\r\nHost: h\r\n\r\n");
  }

  EventLoop loop_;
  size_t collected_ = 0;
  std::atomic<size_t> node_bytes_{1};
  std::optional<StatsApi> api_;
  std::optional<Routes> routes_;
  std::optional<HttpServer> server_;
  std::thread thread_;
};

TEST_F(StatsApiTest, StreamsOneEventAfterTheOther) {
  HttpTestClient one(address());
  one.Send(Get("?stream HTTP/1.1"));
  const std::string head = one.Receive();
  EXPECT_TRUE(absl::StrContains(head, "200 OK\r\n"));
  EXPECT_TRUE(absl::StrContains(head, "Content-Type: text/event-stream\r\n"));
  std::string text;
  char bytes[4096];
  while (!absl::StrContains(text, "\"Workers\":2")) {
    const ssize_t count = recv(one.fd(), bytes, sizeof(bytes), 0);
    ASSERT_GT(count, 0) << text;
    text.append(bytes, static_cast<size_t>(count));
  }
  const size_t first = text.find("data: {");
  ASSERT_NE(first, std::string::npos);
  EXPECT_NE(text.find("}\n\n", first), std::string::npos);
}

TEST_F(StatsApiTest, AStreamIsAskedForByItsTypeToo) {
  HttpTestClient one(address());
  one.Send(Get(" HTTP/1.1\r\nAccept: text/event-stream"));
  EXPECT_TRUE(absl::StrContains(one.Receive(), "text/event-stream"));
  EXPECT_EQ(StreamCount(), 1u);
}

TEST_F(StatsApiTest, AHeadOfAStreamEnds) {
  HttpTestClient one(address());
  one.Send(Get("?stream HTTP/1.1", "HEAD"));
  EXPECT_TRUE(absl::StrContains(one.Receive(), "200 OK\r\n"));
  EXPECT_EQ(StreamCount(), 0u);
}

TEST_F(StatsApiTest, StreamsAreBoundedAndEndWithTheirClients) {
  std::vector<std::unique_ptr<HttpTestClient>> clients;
  for (size_t i = 0; i < StatsApi::kStreamsMax; ++i) {
    clients.push_back(std::make_unique<HttpTestClient>(address()));
    clients.back()->Send(Get("?stream HTTP/1.1"));
    EXPECT_TRUE(absl::StrContains(clients.back()->Receive(), "200 OK\r\n"));
  }
  HttpTestClient more(address());
  more.Send(Get("?stream HTTP/1.1"));
  EXPECT_TRUE(absl::StrContains(more.Receive(), " 503 "));
  more.Send(Get(" HTTP/1.1"));
  EXPECT_TRUE(absl::StrContains(more.Receive(), "{\"Version\""));
  const linger reset{.l_onoff = 1, .l_linger = 0};
  for (const auto& client : clients) {
    setsockopt(client->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  }
  clients.clear();
  EXPECT_TRUE(WaitUntil([this] { return StreamCount() == 0; }));
  more.Send(Get("?stream HTTP/1.1"));
  EXPECT_TRUE(absl::StrContains(more.Receive(), " 200 "));
}

// An event is longer than all buffers on the way: who does not read it gets no
// second one, and the next when it has.
TEST_F(StatsApiTest, WhoDoesNotReadGetsNoMoreEvents) {
  node_bytes_ = 16u << 20;
  HttpTestClient slow(address());
  slow.Send(Get("?stream HTTP/1.1"));
  ASSERT_TRUE(WaitUntil([this] {
    size_t count = 0;
    OnLoop([&] { count = collected_; });
    return count >= 2;
  }));
  node_bytes_ = 1;
  std::string text;
  std::string bytes(1u << 20, '\0');
  const auto has_small = [&text] {
    return absl::StrContains(text, "\"Node\":\"n\"");
  };
  while (!has_small()) {
    const ssize_t count = recv(slow.fd(), bytes.data(), bytes.size(), 0);
    ASSERT_GT(count, 0);
    text.append(bytes, 0, static_cast<size_t>(count));
  }
  size_t events = 0;
  for (size_t at = 0; (at = text.find("data: {", at)) != text.npos; ++at) {
    ++events;
  }
  EXPECT_EQ(events, 2u);
}

}  // namespace
}  // namespace dnsd
