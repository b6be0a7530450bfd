#include "bench/register_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace dnsd::testing {
namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
  int fd = -1;
  std::string received;
  Clock::time_point sent;
  bool is_waiting = false;
};

// The bytes of the first whole answer in `text`, or 0. Go spells the header so
// and dnsd does too.
size_t AnswerBytes(absl::string_view text) {
  const size_t head = text.find("\r\n\r\n");
  if (head == absl::string_view::npos) return 0;
  static constexpr absl::string_view kLength = "\r\nContent-Length: ";
  const size_t at = text.substr(0, head).find(kLength);
  if (at == absl::string_view::npos) return 0;
  absl::string_view number = text.substr(at + kLength.size());
  number = number.substr(0, number.find('\r'));
  size_t length = 0;
  if (!absl::SimpleAtoi(number, &length)) return 0;
  const size_t whole = head + 4 + length;
  return text.size() < whole ? 0 : whole;
}

class Load {
 public:
  explicit Load(const RegisterLoadOptions& options) : options_(options) {}
  ~Load() {
    for (const Connection& connection : connections_) {
      if (connection.fd >= 0) close(connection.fd);
    }
  }

  absl::Status Run() {
    connections_.resize(options_.connections);
    for (Connection& connection : connections_) {
      const absl::Status status = Connect(&connection);
      if (!status.ok()) return status;
    }
    start_ = Clock::now();
    end_ = start_ + options_.time_max;
    for (Connection& connection : connections_) {
      const absl::Status status = Send(&connection);
      if (!status.ok()) return status;
    }
    while (waiting_ > 0) {
      const absl::Status status = Turn();
      if (!status.ok()) return status;
    }
    result.seconds =
        std::chrono::duration<double>(Clock::now() - start_).count();
    std::sort(result.delays_ms.begin(), result.delays_ms.end());
    return absl::OkStatus();
  }

  RegisterLoadResult result;

 private:
  absl::Status Connect(Connection* connection) {
    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options_.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int one = 1;
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(connection->fd, reinterpret_cast<sockaddr*>(&address),
                sizeof(address)) != 0) {
      return absl::UnavailableError("cannot connect");
    }
    return absl::OkStatus();
  }

  absl::Status Send(Connection* connection) {
    const Clock::time_point now = Clock::now();
    if (now >= end_ || next_ >= options_.requests_max) return absl::OkStatus();
    const std::string body = options_.body(next_++);
    const std::string request =
        absl::StrCat("PUT ", options_.path, " HTTP/1.1\r\nHost: 127.0.0.1\r\n",
                     "Content-Length: ", body.size(), "\r\n\r\n", body);
    connection->sent = now;
    connection->is_waiting = true;
    ++waiting_;
    // Far smaller than a socket's buffer.
    if (send(connection->fd, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      return absl::UnavailableError("cannot send");
    }
    return absl::OkStatus();
  }

  absl::Status Turn() {
    std::vector<pollfd> fds;
    for (const Connection& connection : connections_) {
      fds.push_back({connection.is_waiting ? connection.fd : -1, POLLIN, 0});
    }
    if (poll(fds.data(), fds.size(), 30'000) <= 0) {
      return absl::DeadlineExceededError("no answer for 30 s");
    }
    for (size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].revents == 0) continue;
      const absl::Status status = Receive(&connections_[i]);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status Receive(Connection* connection) {
    char bytes[4096];
    const ssize_t got = recv(connection->fd, bytes, sizeof(bytes), 0);
    if (got <= 0) return absl::UnavailableError("the connection ended");
    std::string& text = connection->received;
    text.append(bytes, static_cast<size_t>(got));
    const size_t answer = AnswerBytes(text);
    if (answer == 0) return absl::OkStatus();
    if (!absl::StartsWith(text, "HTTP/1.1 200 ")) {
      return absl::InternalError(text);
    }
    text.erase(0, answer);
    const std::chrono::duration<double, std::milli> delay =
        Clock::now() - connection->sent;
    result.delays_ms.push_back(delay.count());
    ++result.answered;
    connection->is_waiting = false;
    --waiting_;
    return Send(connection);
  }

  const RegisterLoadOptions& options_;
  std::vector<Connection> connections_;
  size_t next_ = 0;
  size_t waiting_ = 0;
  Clock::time_point start_;
  Clock::time_point end_;
};

}  // namespace

absl::StatusOr<RegisterLoadResult> RunRegisterLoad(
    const RegisterLoadOptions& options) {
  Load load(options);
  const absl::Status status = load.Run();
  if (!status.ok()) return status;
  return std::move(load.result);
}

}  // namespace dnsd::testing
