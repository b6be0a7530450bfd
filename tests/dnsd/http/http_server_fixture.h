// HttpServerTest runs a server's loop in a thread; its clients are plain
// blocking sockets with a time limit.
#ifndef DNSD_TESTS_DNSD_HTTP_HTTP_SERVER_FIXTURE_H_
#define DNSD_TESTS_DNSD_HTTP_HTTP_SERVER_FIXTURE_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/http/http_server.h"
#include "gtest/gtest.h"
#include "tests/testing/on_loop.h"

namespace dnsd {

class HttpTestClient {
 public:
  // From `source`, an IPv4 address, if it is given.
  explicit HttpTestClient(const Endpoint& server,
                          const char* source = nullptr) {
    const bool ipv6 = absl::StrContains(server.ip, ':');
    fd_ = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval limit{.tv_sec = 10, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    sockaddr_storage address{};
    socklen_t size = 0;
    if (ipv6) {
      auto* in6 = reinterpret_cast<sockaddr_in6*>(&address);
      in6->sin6_family = AF_INET6;
      in6->sin6_port = htons(server.port);
      inet_pton(AF_INET6, server.ip.c_str(), &in6->sin6_addr);
      size = sizeof(*in6);
    } else {
      auto* in4 = reinterpret_cast<sockaddr_in*>(&address);
      in4->sin_family = AF_INET;
      in4->sin_port = htons(server.port);
      inet_pton(AF_INET, server.ip.c_str(), &in4->sin_addr);
      size = sizeof(*in4);
    }
    if (source != nullptr) {
      sockaddr_in from{};
      from.sin_family = AF_INET;
      inet_pton(AF_INET, source, &from.sin_addr);
      EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&from), sizeof(from)), 0);
    }
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
  }
  ~HttpTestClient() { close(fd_); }
  HttpTestClient(const HttpTestClient&) = delete;
  HttpTestClient& operator=(const HttpTestClient&) = delete;

  int fd() const { return fd_; }

  void Send(absl::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  // One answer, head and body.
  std::string Receive() {
    size_t head_end = std::string::npos;
    for (;;) {
      head_end = buffer_.find("\r\n\r\n");
      if (head_end != std::string::npos || !Fill()) break;
    }
    if (head_end == std::string::npos) return "";
    size_t total = head_end + 4;
    const size_t length = buffer_.find("Content-Length: ");
    if (length < head_end) total += std::stoul(buffer_.substr(length + 16));
    while (buffer_.size() < total && Fill()) {
    }
    const std::string answer = buffer_.substr(0, total);
    buffer_.erase(0, total);
    return answer;
  }

  // Everything until the server closes; a reset is a failure.
  std::string ReceiveAll() {
    while (Fill()) {
    }
    EXPECT_EQ(error_, 0) << "reset or nothing for 10 s";
    return std::exchange(buffer_, std::string());
  }

  bool closed() const { return closed_; }

 private:
  bool Fill() {
    char bytes[65536];
    const ssize_t size = recv(fd_, bytes, sizeof(bytes), 0);
    if (size > 0) buffer_.append(bytes, static_cast<size_t>(size));
    closed_ = size == 0;
    error_ = size < 0 ? errno : 0;
    return size > 0;
  }

  int fd_ = -1;
  bool closed_ = false;
  int error_ = 0;
  std::string buffer_;
};

// Containers often have no IPv6.
inline bool HasIPv6() {
  EventLoop loop;
  HttpServer server(&loop, [](const HttpRequest&, HttpServer::Reply) {});
  return server.Listen({{"::1", 0}}).ok();
}

// A server with its loop in a thread. /park keeps the Reply; everything else
// is told back.
class HttpServerTest : public ::testing::Test {
 protected:
  void Start(HttpLimits limits = {},
             std::vector<Endpoint> addresses = {{"127.0.0.1", 0}}) {
    server_ = std::make_unique<HttpServer>(
        &loop_,
        [this](const HttpRequest& request, HttpServer::Reply reply) {
          Handle(request, std::move(reply));
        },
        limits);
    const absl::Status status = server_->Listen(addresses);
    ASSERT_TRUE(status.ok()) << status;
    thread_ = std::thread([this] { loop_.Run(); });
  }

  void TearDown() override {
    if (!thread_.joinable()) return;
    loop_.Stop();
    thread_.join();
    parked_.clear();  // with the server still there
    server_.reset();
  }

  void Handle(const HttpRequest& request, HttpServer::Reply reply) {
    if (request.path == "/park") {
      parked_.push_back(std::move(reply));
      return;
    }
    HttpResponse response;
    if (request.path == "/big") {
      response.body.assign(8u << 20, 'x');
    } else {
      response.body =
          absl::StrCat(request.method, request.path, ":", request.body.size());
    }
    reply(std::move(response));
  }

  // Runs on the loop's thread and waits.
  template <typename Function>
  void OnLoop(Function function) {
    testing::OnLoop(&loop_, function);
  }

  size_t ParkedCount() {
    size_t count = 0;
    OnLoop([&] { count = parked_.size(); });
    return count;
  }

  void WaitForParked(size_t count) {
    const auto end =
        std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (ParkedCount() < count && std::chrono::steady_clock::now() < end) {
      std::this_thread::yield();
    }
    ASSERT_EQ(ParkedCount(), count);
  }

  const Endpoint& address(size_t i = 0) const {
    return server_->listening()[i];
  }

  EventLoop loop_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  std::vector<HttpServer::Reply> parked_;  // the loop's thread
};

}  // namespace dnsd

#endif  // DNSD_TESTS_DNSD_HTTP_HTTP_SERVER_FIXTURE_H_
