// The blocking client against our own server, and against sockets that answer
// badly or not at all.
#include "dnsd/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/http/routes.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

class HttpCallTest : public testing::Test {
 protected:
  HttpCallTest()
      : routes_(Table()),
        server_(&loop_,
                [this](const HttpRequest& request, HttpServer::Reply reply) {
                  last_ = request;
                  routes_.Handle(request, std::move(reply));
                }) {
    const absl::Status status = server_.Listen({{"127.0.0.1", 0}});
    EXPECT_TRUE(status.ok()) << status;
    thread_ = std::thread([this] { loop_.Run(); });
  }
  ~HttpCallTest() override {
    loop_.Stop();
    thread_.join();
  }

  std::vector<Route> Table() {
    std::vector<Route> table =
        AgentRoutes({[this](AgentHooks::ReloadDone done) { done(errors_); },
                     [](AgentHooks::TextDone done) { done("m 1\n"); }});
    table.push_back(
        {"GET", "/v1/moved", [](const HttpRequest&, HttpServer::Reply reply) {
           HttpResponse response;
           response.status = 301;
           response.headers = {{"Location", "/metrics"}};
           reply(std::move(response));
         }});
    table.push_back({"PUT", "/v1/echo",
                     [](const HttpRequest& request, HttpServer::Reply reply) {
                       HttpResponse response;
                       response.body = request.body;
                       reply(std::move(response));
                     }});
    table.push_back({"GET", "/v1/park",
                     [this](const HttpRequest&, HttpServer::Reply reply) {
                       parked_.push_back(std::move(reply));
                     }});
    return table;
  }

  HttpCallRequest Request(std::string method, absl::string_view path) {
    HttpCallRequest request;
    request.method = std::move(method);
    request.url =
        absl::StrCat("http://127.0.0.1:", server_.listening()[0].port, path);
    return request;
  }

  void BeginParked() {
    if (parked_.empty()) return loop_.Post([this] { BeginParked(); });
    parked_[0].Begin({});
  }

  EventLoop loop_;
  std::vector<std::string> errors_;  // set before a call, read during it
  std::vector<HttpServer::Reply> parked_;
  HttpRequest last_;
  Routes routes_;
  HttpServer server_;
  std::thread thread_;
};

TEST_F(HttpCallTest, ReloadSaysYesOrWhyNot) {
  auto answer = HttpCall(Request("PUT", "/v1/agent/reload"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "");
  errors_ = {"x.hcl:1: bad"};
  answer = HttpCall(Request("PUT", "/v1/agent/reload"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 500);
  EXPECT_EQ(answer->body, "x.hcl:1: bad\n");
}

TEST_F(HttpCallTest, SendsBodies) {
  HttpCallRequest request = Request("PUT", "/v1/echo");
  request.body = std::string(300'000, 'b') + std::string("\0end", 4);
  const auto answer = HttpCall(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->body, request.body);
}

TEST_F(HttpCallTest, GivesTheBodyOfA200AsItComes) {
  HttpCallRequest request = Request("GET", "/v1/park");
  std::vector<std::string> pieces;
  request.on_body = [&](absl::string_view piece) {
    pieces.emplace_back(piece);
    loop_.Post([this, count = pieces.size()] {
      if (count < 3) {
        (void)parked_[0].Write(absl::StrCat("piece ", count));
      } else {
        parked_[0].End();
      }
    });
  };
  // Once it is there.
  loop_.Post([this] { BeginParked(); });
  const auto answer = HttpCall(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "");
  EXPECT_EQ(pieces, std::vector<std::string>({"", "piece 1", "piece 2"}));
}

TEST_F(HttpCallTest, KeepsTheBodyOfOtherStatuses) {
  HttpCallRequest request = Request("GET", "/v1/moved");
  size_t count = 0;
  request.on_body = [&count](absl::string_view) { ++count; };
  const auto answer = HttpCall(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 301);
  EXPECT_EQ(count, 0u);
}

TEST_F(HttpCallTest, KnowsHead) {
  const auto answer = HttpCall(Request("HEAD", "/metrics"));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "");
}

TEST_F(HttpCallTest, FollowsNoRedirectsAndUsesNoProxy) {
  // A proxy at a port where nobody listens: using it would fail.
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
  const auto answer = HttpCall(Request("GET", "/v1/moved"));
  unsetenv("http_proxy");
  unsetenv("ALL_PROXY");
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->status, 301);
}

TEST_F(HttpCallTest, GivesUpInTime) {
  HttpCallRequest request = Request("GET", "/v1/park");
  request.total_ms = 50;
  const auto answer = HttpCall(request);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kDeadlineExceeded)
      << answer.status();
}

// A listening socket that answers its first client with `text` and closes.
class FakeServer {
 public:
  explicit FakeServer(std::string text) {
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(fd_, 1), 0);
    getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    url = absl::StrCat("http://127.0.0.1:", ntohs(address.sin_port));
    thread_ = std::thread([this, text] {
      const int client = accept(fd_, nullptr, nullptr);
      char request[4096];
      EXPECT_GT(recv(client, request, sizeof(request), 0), 0);
      EXPECT_EQ(send(client, text.data(), text.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(text.size()));
      close(client);
    });
  }
  ~FakeServer() {
    thread_.join();
    close(fd_);
  }

  std::string url;

 private:
  int fd_ = -1;
  std::thread thread_;
};

TEST(HttpCall, BadAnswersAreErrors) {
  for (const char* text :
       {"", "nonsense\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"}) {
    const FakeServer server(text);
    HttpCallRequest request;
    request.url = server.url;
    const auto answer = HttpCall(request);
    EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnavailable)
        << text << answer.status();
  }
}

TEST(HttpCall, SaysWhoDoesNotAnswer) {
  // A port that was ours a moment ago: nobody listens there.
  std::string url;
  {
    EventLoop loop;
    HttpServer server(&loop, [](const HttpRequest&, HttpServer::Reply) {});
    ASSERT_TRUE(server.Listen({{"127.0.0.1", 0}}).ok());
    url = absl::StrCat("http://127.0.0.1:", server.listening()[0].port);
  }
  HttpCallRequest request;
  request.url = url;
  const auto answer = HttpCall(request);
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(absl::StartsWith(answer.status().message(),
                               absl::StrCat("Get \"", url, "\": dial tcp ")))
      << answer.status();
}

TEST(HttpCall, OtherProtocolsAreRefused) {
  HttpCallRequest request;
  request.url = "file:///etc/hostname";
  EXPECT_FALSE(HttpCall(request).ok());
  request.url = "http://[";
  EXPECT_EQ(HttpCall(request).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace dnsd
