#include "bench/tcp_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "bench/udp_datagrams.h"
#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

constexpr size_t kInputBytes = 256u << 10;
constexpr size_t kSlotsMax = 0x4000;

// Clients have several addresses, so that neither the ports of one run out nor
// a server's limit for one is met: 127.0.0.2 and on.
constexpr size_t kSources = 50;

}  // namespace

struct TcpLoad::Connection {
  struct Slot {
    bool is_waiting = false;
    Clock::time_point sent;
    std::vector<uint8_t> question;
  };

  int fd = -1;
  size_t asked = 0;  // over this connection
  std::vector<Slot> slots;
  std::vector<size_t> free;
  std::vector<uint8_t> output;
  std::vector<uint8_t> partial;  // the beginning of an answer
};

TcpLoad::TcpLoad(TcpLoadOptions options)
    : options_(std::move(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      input_(kInputBytes) {
  DNSD_CHECK(options_.in_flight <= kSlotsMax && epoll_ >= 0);
  for (size_t i = 0; i < options_.connections; ++i) {
    connections_.push_back(std::make_unique<Connection>());
    Connection& connection = *connections_.back();
    connection.slots.resize(options_.in_flight);
    for (size_t slot = 0; slot < options_.in_flight; ++slot) {
      connection.free.push_back(slot);
    }
  }
}

TcpLoad::~TcpLoad() {
  for (const auto& connection : connections_) {
    if (connection->fd >= 0) close(connection->fd);
  }
  close(epoll_);
}

void TcpLoad::Connect(Connection* connection) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  DNSD_CHECK(fd >= 0);
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
  sockaddr_in source = Loopback(0);
  source.sin_addr.s_addr = htonl(
      static_cast<uint32_t>(INADDR_LOOPBACK + 1 + next_source_++ % kSources));
  DNSD_CHECK(bind(fd, reinterpret_cast<const sockaddr*>(&source),
                  sizeof(source)) == 0);
  const sockaddr_in server = Loopback(options_.port);
  // Under way; what is asked before it is made leaves when it is.
  static_cast<void>(
      connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof(server)));
  epoll_event event{};
  // A socket that can be written says so once.
  event.events = EPOLLIN | EPOLLOUT | EPOLLET;
  event.data.ptr = connection;
  DNSD_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
  connection->fd = fd;
  connection->asked = 0;
  connection->output.clear();
  connection->partial.clear();
}

void TcpLoad::Reconnect(Connection* connection) {
  close(connection->fd);
  Connect(connection);
  for (size_t i = 0; i < connection->slots.size(); ++i) {
    if (connection->slots[i].is_waiting) Ask(connection, i);
  }
  Fill(connection);
}

void TcpLoad::Ask(Connection* connection, size_t slot) {
  const std::vector<uint8_t>& question = connection->slots[slot].question;
  std::vector<uint8_t>& output = connection->output;
  output.push_back(static_cast<uint8_t>(question.size() >> 8));
  output.push_back(static_cast<uint8_t>(question.size() & 0xff));
  output.insert(output.end(), question.begin(), question.end());
  ++connection->asked;
}

// Asks as much as it may, and writes it.
void TcpLoad::Fill(Connection* connection) {
  const Clock::time_point now = Clock::now();
  while (!connection->free.empty() && now < end_ &&
         (options_.questions_of_connection == 0 ||
          connection->asked < options_.questions_of_connection)) {
    const size_t index = connection->free.back();
    connection->free.pop_back();
    Connection::Slot& slot = connection->slots[index];
    slot.is_waiting = true;
    slot.sent = now;
    slot.question.resize(kQuestionBytesMax);
    slot.question.resize(options_.next_question(slot.question.data()));
    slot.question[0] = static_cast<uint8_t>(index >> 8);
    slot.question[1] = static_cast<uint8_t>(index & 0xff);
    Ask(connection, index);
  }
  Flush(connection);
}

void TcpLoad::Flush(Connection* connection) {
  std::vector<uint8_t>& output = connection->output;
  if (output.empty()) return;
  const ssize_t sent =
      send(connection->fd, output.data(), output.size(), MSG_NOSIGNAL);
  // What is not taken leaves when the socket can be written.
  if (sent > 0) output.erase(output.begin(), output.begin() + sent);
}

void TcpLoad::Take(Connection* connection, std::span<const uint8_t> answer,
                   Clock::time_point now) {
  if (answer.size() < 2) return;
  const auto index = static_cast<size_t>(answer[0] << 8 | answer[1]);
  if (index >= connection->slots.size() ||
      !connection->slots[index].is_waiting) {
    return;
  }
  Connection::Slot& slot = connection->slots[index];
  if (options_.is_right(slot.question, answer)) {
    ++result_.right;
    result_.right_bytes += answer.size();
    result_.delays_ns.push_back(
        static_cast<uint32_t>((now - slot.sent).count()));
  } else {
    ++result_.wrong;
  }
  last_ = now;
  slot.is_waiting = false;
  connection->free.push_back(index);
}

void TcpLoad::Read(Connection* connection) {
  for (;;) {
    const size_t before = connection->partial.size();
    std::ranges::copy(connection->partial, input_.begin());
    const ssize_t got =
        recv(connection->fd, input_.data() + before, input_.size() - before, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (got <= 0) {
      ++result_.reconnects;
      Reconnect(connection);
      return;
    }
    const Clock::time_point now = Clock::now();
    std::span<const uint8_t> rest(input_.data(),
                                  before + static_cast<size_t>(got));
    while (rest.size() >= 2) {
      const auto size = static_cast<size_t>(rest[0] << 8 | rest[1]);
      if (rest.size() < 2 + size) break;
      Take(connection, rest.subspan(2, size), now);
      rest = rest.subspan(2 + size);
    }
    connection->partial.assign(rest.begin(), rest.end());
    // Less than there was room for: that was all.
    if (before + static_cast<size_t>(got) < input_.size()) break;
  }
  if (options_.questions_of_connection > 0 &&
      connection->asked >= options_.questions_of_connection &&
      connection->free.size() == connection->slots.size()) {
    if (Clock::now() < end_) Reconnect(connection);
    return;
  }
  Fill(connection);
}

size_t TcpLoad::Waiting() const {
  size_t waiting = 0;
  for (const auto& connection : connections_) {
    waiting += connection->slots.size() - connection->free.size();
  }
  return waiting;
}

LoadResult TcpLoad::Run() {
  const Clock::time_point start = Clock::now();
  last_ = start;
  end_ = start + options_.time_max;
  for (const auto& connection : connections_) {
    Connect(connection.get());
    Fill(connection.get());
  }
  const Clock::time_point patience_end = end_ + options_.patience;
  std::array<epoll_event, 128> events;
  for (Clock::time_point now = start; now < patience_end; now = Clock::now()) {
    if (now >= end_ && Waiting() == 0) break;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        patience_end - now);
    const int count =
        epoll_wait(epoll_, events.data(), events.size(),
                   options_.spins ? 0 : static_cast<int>(left.count()) + 1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<size_t>(i)];
      auto* connection = static_cast<Connection*>(event.data.ptr);
      if ((event.events & EPOLLOUT) != 0) Flush(connection);
      if ((event.events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) {
        Read(connection);
      }
    }
  }
  result_.lost = Waiting();
  result_.seconds = std::chrono::duration<double>(last_ - start).count();
  return std::move(result_);
}

}  // namespace dnsd::testing
