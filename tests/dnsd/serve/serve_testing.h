// Clients and servers for the tests of dnsd/serve: blocking sockets on
// loopback with a time limit, and a loop that runs on its own thread.
#ifndef DNSD_TESTS_DNSD_SERVE_SERVE_TESTING_H_
#define DNSD_TESTS_DNSD_SERVE_SERVE_TESTING_H_

#include <gtest/gtest.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "catalog/base/event_loop.h"
#include "catalog/published.h"
#include "catalog/qsbr.h"
#include "dnsd/serve/asked_names.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/serve/parked_queries.h"
#include "dnsd/serve/serve_context.h"
#include "zones/view.h"

namespace dnsd::testing {

using Bytes = std::vector<uint8_t>;

// Far more than anything here takes: only a failing test waits so long.
inline constexpr int kTimeoutSeconds = 10;

// A query for <label>. A IN.
inline Bytes Query(uint16_t id, const std::string& label) {
  Bytes query = {static_cast<uint8_t>(id >> 8),
                 static_cast<uint8_t>(id & 0xff),
                 1,
                 0,
                 0,
                 1,
                 0,
                 0,
                 0,
                 0,
                 0,
                 0};
  query.push_back(static_cast<uint8_t>(label.size()));
  query.insert(query.end(), label.begin(), label.end());
  const Bytes end = {0, 0, 1, 0, 1};
  query.insert(query.end(), end.begin(), end.end());
  return query;
}

// What echo_respond.cc answers to a query without "big", and as an error.
inline Bytes Answer(Bytes query) {
  query[2] |= 0x80;
  return query;
}

inline Bytes Servfail(Bytes query) {
  query[2] |= 0x80;
  query[3] = 2;
  return query;
}

inline Bytes Frame(const Bytes& message) {
  Bytes frame = {static_cast<uint8_t>(message.size() >> 8),
                 static_cast<uint8_t>(message.size() & 0xff)};
  frame.insert(frame.end(), message.begin(), message.end());
  return frame;
}

inline SocketAddress Address(const Endpoint& endpoint) {
  absl::StatusOr<SocketAddress> address = ToSocketAddress(endpoint);
  EXPECT_TRUE(address.ok()) << address.status();
  return *address;
}

// Whether `condition` becomes true. Looks every millisecond.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::seconds(kTimeoutSeconds);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

// A blocking client. A connected UDP socket takes answers only from the
// address it asked.
class Client {
 public:
  Client(const Endpoint& server, int type) {
    const SocketAddress address = Address(server);
    fd_ = UniqueFd(socket(address.sa.sa_family, type | SOCK_CLOEXEC, 0));
    EXPECT_TRUE(fd_.valid());
    const timeval timeout{kTimeoutSeconds, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
    if (type == SOCK_STREAM) {
      // What a test sends in pieces is to arrive in pieces, and at once.
      const int on = 1;
      setsockopt(fd_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    }
    EXPECT_EQ(connect(fd_.get(), &address.sa, address.size()), 0);
  }

  [[nodiscard]] int fd() const { return fd_.get(); }

  bool Send(const Bytes& bytes) {
    return send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(bytes.size());
  }
  bool SendByte(uint8_t byte) { return Send({byte}); }
  void EndSending() { shutdown(fd_.get(), SHUT_WR); }

  // One datagram; empty on a timeout.
  Bytes ReceiveDatagram() {
    Bytes bytes(65536);
    const ssize_t size = recv(fd_.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return bytes;
  }
  // Whether a datagram is there already.
  bool HasDatagram() {
    uint8_t byte;
    return recv(fd_.get(), &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
  }

  // One frame without its length; empty at the end or on a timeout.
  Bytes ReceiveFrame() {
    Bytes length = ReceiveBytes(2);
    if (length.size() < 2) return {};
    return ReceiveBytes(static_cast<size_t>(length[0] << 8 | length[1]));
  }
  Bytes ReceiveBytes(size_t size) {
    Bytes bytes(size);
    const ssize_t count = recv(fd_.get(), bytes.data(), size, MSG_WAITALL);
    bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
    return bytes;
  }
  // Whether the server has closed, in order or by a reset.
  bool AtEnd() {
    uint8_t byte;
    const ssize_t count = recv(fd_.get(), &byte, 1, 0);
    return count == 0 || (count < 0 && errno == ECONNRESET);
  }

 private:
  UniqueFd fd_;
};

// What a worker's listeners need, and a thread to run them on. Listeners are
// made between the constructor and Start(), and destroyed after Stop().
class ServeThread {
 public:
  explicit ServeThread(const ParkedLimits& limits = {})
      : parked(&loop, &context, limits, [this] { ++wakes; }),
        published_(&qsbr_) {
    published_.Exchange(std::make_unique<const View>());
    context.view = &published_;
    context.parked = &parked;
    context.asked = &asked;
    context.reader = qsbr_.Register();
    context.stats = &stats;
    offline_ = std::make_unique<PrepareHook>(
        &loop, [this] { context.reader.Offline(); });
  }
  ~ServeThread() { Stop(); }

  void Start() {
    thread_ = std::thread([this] {
      loop.Run();
      context.reader.Offline();
    });
  }
  void Stop() {
    if (!thread_.joinable()) return;
    loop.Stop();
    thread_.join();
  }

  // What the sync thread does, in one of the tests' threads at a time.
  void Publish(uint32_t serial, bool wants_asked_names = false) {
    auto view = std::make_unique<View>();
    view->serial = serial;
    view->wants_asked_names = wants_asked_names;
    PublishSilently(std::move(view));
    if (parked.count() > 0) parked.Poke();
  }
  void PublishSilently(std::unique_ptr<const View> view) {
    published_.Exchange(std::move(view));
    qsbr_.Reclaim();
  }

  WorkerStats stats;
  ServeContext context;
  AskedNames asked;
  std::atomic<int> wakes{0};
  EventLoop loop;
  ParkedQueries parked;

 private:
  Qsbr qsbr_;
  Published<View> published_;
  std::unique_ptr<PrepareHook> offline_;
  std::thread thread_;
};

// An endpoint with a port that is free over UDP and TCP.
inline Endpoint FreeEndpoint(const std::string& ip) {
  absl::StatusOr<uint16_t> port = ProbePort({ip, 0});
  EXPECT_TRUE(port.ok()) << port.status();
  return {ip, port.value_or(0)};
}

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_DNSD_SERVE_SERVE_TESTING_H_
