#include "tests/testing/http_wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

constexpr int kBacklog = 100;
constexpr char kTlsHandshake = 0x16;
constexpr absl::string_view kClose = "CLOSE";

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

int StreamSocket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  DNSD_CHECK(fd >= 0);
  return fd;
}

// A peer that is gone will be noticed when reading.
void SendAll(int fd, const std::string& bytes) {
  size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t sent =
        send(fd, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
    if (sent <= 0) return;
    at += static_cast<size_t>(sent);
  }
}

}  // namespace

HttpWire::HttpWire(uint16_t port) : fd_(StreamSocket()) {
  const sockaddr_in address = Loopback(port);
  connected_ = connect(fd_, reinterpret_cast<const sockaddr*>(&address),
                       sizeof(address)) == 0;
}

HttpWire::~HttpWire() { close(fd_); }

void HttpWire::Send(const std::string& request) const { SendAll(fd_, request); }

void HttpWire::Get(const std::string& target) const {
  Send(absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: h\r\n\r\n"));
}

void HttpWire::Head(const std::string& target) {
  framing_.set_head_request(true);
  Send(absl::StrCat("HEAD ", target, " HTTP/1.1\r\nHost: h\r\n\r\n"));
}

HttpWire::State HttpWire::ReadSome(
    std::chrono::steady_clock::time_point deadline, bool* late) {
  std::array<char, 4096> buffer;
  const auto rest = std::chrono::ceil<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  pollfd readable{fd_, POLLIN, 0};
  *late = poll(&readable, 1,
               static_cast<int>(std::max<int64_t>(rest.count(), 0))) <= 0;
  if (*late) return State::kOpen;
  const ssize_t got = recv(fd_, buffer.data(), buffer.size(), 0);
  if (got < 0) return State::kReset;
  if (got == 0) return State::kClosed;
  const absl::string_view part(buffer.data(), static_cast<size_t>(got));
  bytes_.append(part.data(), part.size());
  std::vector<HttpPiece> pieces;
  framing_.Feed(part, &pieces);
  for (HttpPiece& piece : pieces) pieces_.push_back(std::move(piece));
  return State::kOpen;
}

HttpWire::State HttpWire::Read(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  bool late = false;
  State state = State::kOpen;
  while (!late && state == State::kOpen) state = ReadSome(deadline, &late);
  return state;
}

HttpWire::State HttpWire::ReadAnswer(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  bool late = false;
  State state = State::kOpen;
  head_.clear();
  body_.clear();
  answered_ = false;
  while (!answered_) {
    if (pieces_.empty()) {
      if (late || state != State::kOpen) break;
      state = ReadSome(deadline, &late);
      continue;
    }
    const HttpPiece& piece = pieces_.front();
    if (piece.kind == HttpPiece::Kind::kHead) head_ = piece.bytes;
    if (piece.kind == HttpPiece::Kind::kBody) body_ += piece.bytes;
    answered_ = piece.kind == HttpPiece::Kind::kEnd;
    pieces_.pop_front();
  }
  return state;
}

ScriptedServer::ScriptedServer(Script script)
    : script_(std::move(script)), listener_(StreamSocket()) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* any = reinterpret_cast<sockaddr*>(&address);
  DNSD_CHECK(bind(listener_, any, size) == 0);
  DNSD_CHECK(listen(listener_, kBacklog) == 0);
  DNSD_CHECK(getsockname(listener_, any, &size) == 0);
  port_ = ntohs(address.sin_port);
  accepting_ = std::thread([this] { Accept(); });
}

ScriptedServer::~ScriptedServer() {
  shutdown(listener_, SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int fd : fds_) shutdown(fd, SHUT_RDWR);
  }
  for (std::thread& thread : threads_) thread.join();
  for (const int fd : fds_) close(fd);
  close(listener_);
}

void ScriptedServer::Accept() {
  while (true) {
    const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    const std::lock_guard lock(mutex_);
    fds_.push_back(fd);
    threads_.emplace_back([this, fd] { Serve(fd); });
  }
}

void ScriptedServer::Serve(int fd) {
  HttpFraming framing(HttpFraming::Side::kRequests);
  std::string head;
  std::string body;
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    const absl::string_view part(buffer.data(), static_cast<size_t>(got));
    if (part[0] == kTlsHandshake) {
      SendAll(fd, std::string(part));
      continue;
    }
    std::vector<HttpPiece> pieces;
    framing.Feed(part, &pieces);
    for (const HttpPiece& piece : pieces) {
      if (piece.kind == HttpPiece::Kind::kHead) head = piece.bytes;
      if (piece.kind == HttpPiece::Kind::kBody) body += piece.bytes;
      if (piece.kind != HttpPiece::Kind::kEnd) continue;
      std::string answer = script_(head, body);
      body.clear();
      const bool last = absl::EndsWith(answer, kClose);
      if (last) answer.resize(answer.size() - kClose.size());
      SendAll(fd, answer);
      if (last) shutdown(fd, SHUT_RDWR);
    }
  }
  // The descriptor itself is closed when nobody can shut it down any more.
  shutdown(fd, SHUT_RDWR);
}

}  // namespace dnsd::testing
