// The log over HTTP: clients that read, do not, leave, and are too many.
#include "dnsd/http/monitor_api.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/log.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/http_server_fixture.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/on_loop.h"

namespace dnsd {
namespace {

using testing::WaitUntil;

class MonitorApiTest : public ::testing::Test {
 protected:
  void SetUp() override {
    InitLogging(LogLevel::kError, /*json=*/false);
    api_.emplace(MonitorApi::Options{&loop_, RequestAcl(), "n1"});
    routes_.emplace(api_->Routes());
    server_.emplace(
        &loop_,
        [this](const HttpRequest& request, HttpReply reply) {
          routes_->Handle(request, std::move(reply));
        },
        HttpLimits());
    ASSERT_TRUE(server_->Listen({{"127.0.0.1", 0}}).ok());
    address_ = server_->listening()[0];
    thread_ = std::thread([this] { loop_.Run(); });
  }
  void TearDown() override {
    StopServer();
    testing::OnLoop(&loop_, [this] { api_.reset(); });
    loop_.Stop();
    thread_.join();
    FlushLogging();
    InitLogging(LogLevel::kInfo, /*json=*/false);
  }

  void StopServer() {
    testing::OnLoop(&loop_, [this] { server_.reset(); });
  }
  size_t StreamCount() {
    size_t count = 0;
    testing::OnLoop(&loop_, [&] { count = api_->stream_count(); });
    return count;
  }
  static std::string Get(const std::string& query, const char* method = "GET") {
    return absl::StrCat(method, " /v1/agent/monitor", query,
                        " HTTP/1.1\r\nHost: h\r\n\r\n");
  }
  // Reads on until `wanted` has come; `text` is what has come so far.
  static bool ReadUntil(const HttpTestClient& client, const std::string& wanted,
                        std::string* text) {
    std::string bytes(1u << 16, '\0');
    size_t from = 0;
    while (text->find(wanted, from) == std::string::npos) {
      from = text->size() - std::min(text->size(), wanted.size());
      const ssize_t count = recv(client.fd(), bytes.data(), bytes.size(), 0);
      if (count <= 0) return false;
      text->append(bytes, 0, static_cast<size_t>(count));
    }
    return true;
  }

  EventLoop loop_;
  std::optional<MonitorApi> api_;
  std::optional<Routes> routes_;
  std::optional<HttpServer> server_;
  Endpoint address_;
  std::thread thread_;
};

TEST_F(MonitorApiTest, StreamsLinesFromNowOnOfItsLevel) {
  LogInfo("api", "before");
  HttpTestClient info(address_);
  info.Send(Get(""));
  const std::string head = info.Receive();
  EXPECT_TRUE(absl::StrContains(head, " 200 OK\r\n")) << head;
  EXPECT_TRUE(absl::StrContains(head, "Content-Type: text/plain")) << head;
  EXPECT_TRUE(absl::StrContains(head, "Transfer-Encoding: chunked\r\n"));
  HttpTestClient debug(address_);
  debug.Send(Get("?loglevel=DEBUG&logjson"));
  EXPECT_TRUE(absl::StrContains(debug.Receive(), " 200 OK\r\n"));
  LogTrace("api", "lowest");
  LogDebug("api", "low", {{"key", 1}});
  LogInfo("api", "high");
  std::string text;
  ASSERT_TRUE(ReadUntil(info, "Z [INFO]  api: high\n", &text)) << text;
  EXPECT_FALSE(absl::StrContains(text, "before")) << text;
  EXPECT_FALSE(absl::StrContains(text, "low")) << text;
  text.clear();
  ASSERT_TRUE(ReadUntil(debug, "\"@message\":\"high\"", &text)) << text;
  EXPECT_TRUE(absl::StrContains(text, "{\"@level\":\"debug\"")) << text;
  EXPECT_TRUE(absl::StrContains(text, "\"key\":1}\n")) << text;
  EXPECT_FALSE(absl::StrContains(text, "lowest")) << text;
}

TEST_F(MonitorApiTest, AnUnknownLevelIsRefusedInConsulsWords) {
  HttpTestClient client(address_);
  client.Send(Get("?loglevel=xyz"));
  const std::string answer = client.Receive();
  EXPECT_TRUE(absl::StrContains(answer, " 400 ")) << answer;
  EXPECT_TRUE(absl::EndsWith(answer, "\r\n\r\nUnknown log level: xyz"))
      << answer;
  client.Send(Get("?loglevel=err", "HEAD"));
  EXPECT_TRUE(absl::StrContains(client.Receive(), " 200 "));
  EXPECT_EQ(StreamCount(), 0u);
}

TEST_F(MonitorApiTest, StreamsAreBoundedAndForgottenWithTheirClients) {
  std::vector<std::unique_ptr<HttpTestClient>> clients;
  for (size_t i = 0; i < MonitorApi::kStreamsMax; ++i) {
    clients.push_back(std::make_unique<HttpTestClient>(address_));
    clients.back()->Send(Get("?loglevel=trace"));
    EXPECT_TRUE(absl::StrContains(clients.back()->Receive(), "200 OK\r\n"));
  }
  HttpTestClient more(address_);
  more.Send(Get(""));
  EXPECT_TRUE(absl::StrContains(more.Receive(), " 503 "));
  EXPECT_TRUE(LogEnabled(LogLevel::kTrace));
  const linger reset{.l_onoff = 1, .l_linger = 0};
  for (const auto& client : clients) {
    setsockopt(client->fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  }
  clients.clear();
  EXPECT_TRUE(WaitUntil([this] { return StreamCount() == 0; }));
  EXPECT_FALSE(LogEnabled(LogLevel::kWarn));
  more.Send(Get(""));
  EXPECT_TRUE(absl::StrContains(more.Receive(), " 200 "));
}

// More than all buffers on the way hold.
TEST_F(MonitorApiTest, WhoDoesNotReadLosesLinesAndIsToldHowMany) {
  HttpTestClient slow(address_);
  const int little = 64 << 10;
  setsockopt(slow.fd(), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
  slow.Send(Get(""));
  EXPECT_TRUE(absl::StrContains(slow.Receive(), " 200 OK\r\n"));
  const std::string filling(60'000, 'x');
  for (int i = 0; i < 400; ++i) LogInfo("api", absl::StrCat(i, filling));
  std::string text;
  ASSERT_TRUE(ReadUntil(slow, " logs during monitor request\n", &text));
  EXPECT_TRUE(absl::StrContains(text, "[WARN]  agent: Monitor dropped "));
  // And it goes on, once it has read the rest.
  const timeval soon{.tv_sec = 0, .tv_usec = 200'000};
  setsockopt(slow.fd(), SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
  int count = 0;
  EXPECT_TRUE(WaitUntil([&] {
    LogInfo("api", absl::StrCat("later ", ++count));
    text.clear();
    return ReadUntil(slow, "api: later ", &text);
  }));
}

TEST_F(MonitorApiTest, TheEndOfTheServerEndsThem) {
  HttpTestClient client(address_);
  client.Send(Get(""));
  EXPECT_TRUE(absl::StrContains(client.Receive(), " 200 OK\r\n"));
  EXPECT_EQ(StreamCount(), 1u);
  StopServer();
  EXPECT_EQ(StreamCount(), 0u);
  EXPECT_FALSE(LogEnabled(LogLevel::kWarn));
  std::string text;
  EXPECT_FALSE(ReadUntil(client, "never", &text));
}

}  // namespace
}  // namespace dnsd
