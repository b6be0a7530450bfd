// What the kernel alone costs: a server that answers every question with one A
// record, one that passes questions on and answers back and does nothing else,
// and one that sends questions back. Measurements have the first as their
// upstream, and all as a yardstick.
//
//   plain_server authority [DELAY_US]   answers after so long
//   plain_server relay PORT             passes on to 127.0.0.1:PORT
//   plain_server echo BYTES...          as long as EchoSizes says, in its order
//   plain_server gso BYTES...           the same, with UDP_SEGMENT
//   plain_server gso-gro BYTES...       the same, with UDP_SEGMENT and UDP_GRO
//
// It prints "port N" and serves 127.0.0.1:N over UDP, the echo over TCP too,
// until it is killed. The address in an authority's answer is 10.0.0.0 plus the
// number of questions asked before, so that whoever asks knows how often others
// did. Questions of other types than A have no data there.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "bench/echo_server.h"
#include "bench/udp_datagrams.h"
#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kBatch = 64;
constexpr size_t kHeaderBytes = 12;

// Datagrams that are read and written at once.
struct Batch {
  std::array<mmsghdr, kBatch> headers{};
  std::array<iovec, kBatch> parts{};
  std::array<sockaddr_in, kBatch> peers{};
  std::array<std::array<uint8_t, kDatagramBytesMax>, kBatch> bytes{};

  // How many have come. Waits for the first unless `flags` says otherwise.
  size_t Receive(int fd, int flags) {
    for (size_t i = 0; i < kBatch; ++i) {
      parts[i] = {bytes[i].data(), bytes[i].size()};
      headers[i].msg_hdr.msg_name = &peers[i];
      headers[i].msg_hdr.msg_namelen = sizeof(peers[i]);
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = recvmmsg(fd, headers.data(), kBatch, flags, nullptr);
    return count > 0 ? static_cast<size_t>(count) : 0;
  }
  [[nodiscard]] size_t size(size_t i) const { return headers[i].msg_len; }
  // The first `count` go out: each with as many bytes as its part says, to its
  // peer or to whom the socket is connected.
  void Send(int fd, size_t count, bool is_connected) {
    for (size_t i = 0; is_connected && i < count; ++i) {
      headers[i].msg_hdr.msg_name = nullptr;
      headers[i].msg_hdr.msg_namelen = 0;
    }
    for (size_t sent = 0; sent < count;) {
      const int done =
          sendmmsg(fd, &headers[sent], static_cast<unsigned>(count - sent), 0);
      sent += done > 0 ? static_cast<size_t>(done) : 1;
    }
  }
};

// Listens.
int Bind(uint16_t* port) {
  const int fd = OpenUdp(0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  DNSD_CHECK(bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0);
  DNSD_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) ==
             0);
  *port = ntohs(address.sin_port);
  return fd;
}

void SayPort(uint16_t port) {
  std::printf("port %d\n", port);
  std::fflush(stdout);
}

// Listens and says where.
int Listen() {
  uint16_t port = 0;
  const int fd = Bind(&port);
  SayPort(port);
  return fd;
}

// --- authority ---

// Makes the answer out of a query of `size` bytes, with `count` in it, and
// returns its size; 0: no query.
size_t Answer(uint8_t* message, size_t size, uint32_t count) {
  size_t end = kHeaderBytes;
  while (end < size && message[end] != 0) end += message[end] + size_t{1};
  end += 5;  // the root, type and class
  if (end > size || (message[2] & 0x80) != 0) return 0;
  const bool is_a = message[end - 4] == 0 && message[end - 3] == 1;
  const bool has_opt = message[11] != 0;
  message[2] = static_cast<uint8_t>(0x84 | (message[2] & 1));  // QR AA RD
  message[3] = 0x80;                                           // RA
  message[7] = is_a ? 1 : 0;
  if (is_a) {
    // A name of before, A, IN, 3600 s, 4 bytes: 10.x.y.z.
    const uint8_t record[] = {0xc0,
                              kHeaderBytes,
                              0,
                              1,
                              0,
                              1,
                              0,
                              0,
                              0x0e,
                              0x10,
                              0,
                              4,
                              10,
                              static_cast<uint8_t>(count >> 16),
                              static_cast<uint8_t>(count >> 8),
                              static_cast<uint8_t>(count)};
    std::memcpy(message + end, record, sizeof(record));
    end += sizeof(record);
  }
  if (has_opt) {
    const uint8_t opt[] = {0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0};  // 1232
    std::memcpy(message + end, opt, sizeof(opt));
    end += sizeof(opt);
  }
  return end;
}

// An answer that waits for its time.
struct Held {
  Clock::time_point due;
  sockaddr_in peer;
  std::string message;
};

[[noreturn]] void ServeAuthority(std::chrono::microseconds delay) {
  prctl(PR_SET_TIMERSLACK, 1);
  const int fd = Listen();
  const auto batch = std::make_unique<Batch>();
  std::deque<Held> held;
  uint32_t asked = 0;
  for (;;) {
    const Clock::time_point now = Clock::now();
    for (; !held.empty() && held.front().due <= now; held.pop_front()) {
      const Held& first = held.front();
      sendto(fd, first.message.data(), first.message.size(), 0,
             reinterpret_cast<const sockaddr*>(&first.peer),
             sizeof(first.peer));
    }
    if (!held.empty()) {
      const auto left = std::chrono::nanoseconds(held.front().due - now);
      const timespec wait{left.count() / 1'000'000'000,
                          left.count() % 1'000'000'000};
      pollfd readable{fd, POLLIN, 0};
      if (ppoll(&readable, 1, &wait, nullptr) <= 0) continue;
    }
    const size_t count = batch->Receive(fd, MSG_WAITFORONE);
    for (size_t i = 0; i < count; ++i) {
      uint8_t* message = batch->bytes[i].data();
      const size_t size = batch->size(i) + 64 > kDatagramBytesMax
                              ? 0
                              : Answer(message, batch->size(i), asked++);
      batch->parts[i].iov_len = size;
      if (delay.count() > 0) {
        held.push_back({Clock::now() + delay,
                        batch->peers[i],
                        {reinterpret_cast<const char*>(message), size}});
      }
    }
    if (delay.count() == 0) batch->Send(fd, count, /*is_connected=*/false);
  }
}

// --- relay ---

// Everything goes over one socket with ids in turn, as many on their way as
// there are ids.
[[noreturn]] void ServeRelay(uint16_t port) {
  struct Asker {
    sockaddr_in peer;
    uint8_t id[2];
  };
  std::vector<Asker> askers(0x10000);
  const int upstream = OpenUdp(0);
  const sockaddr_in address = Loopback(port);
  DNSD_CHECK(connect(upstream, reinterpret_cast<const sockaddr*>(&address),
                     sizeof(address)) == 0);
  const int fd = Listen();
  const auto batch = std::make_unique<Batch>();
  uint16_t next_id = 0;
  for (;;) {
    pollfd readable[] = {{fd, POLLIN, 0}, {upstream, POLLIN, 0}};
    if (poll(readable, 2, -1) <= 0) continue;
    const size_t questions =
        readable[0].revents != 0 ? batch->Receive(fd, MSG_DONTWAIT) : 0;
    for (size_t i = 0; i < questions; ++i) {
      uint8_t* id = batch->bytes[i].data();
      Asker& asker = askers[next_id];
      asker.peer = batch->peers[i];
      std::memcpy(asker.id, id, 2);
      id[0] = static_cast<uint8_t>(next_id >> 8);
      id[1] = static_cast<uint8_t>(next_id++ & 0xff);
      batch->parts[i].iov_len = batch->size(i);
    }
    batch->Send(upstream, questions, /*is_connected=*/true);
    const size_t answers =
        readable[1].revents != 0 ? batch->Receive(upstream, MSG_DONTWAIT) : 0;
    for (size_t i = 0; i < answers; ++i) {
      uint8_t* id = batch->bytes[i].data();
      const Asker& asker = askers[static_cast<size_t>(id[0] << 8 | id[1])];
      batch->peers[i] = asker.peer;
      std::memcpy(id, asker.id, 2);
      batch->parts[i].iov_len = batch->size(i);
    }
    batch->Send(fd, answers, /*is_connected=*/false);
  }
}

// --- echo ---

// A TCP socket that listens on `port`, or -1 where that is not free.
int ListenTcp(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  DNSD_CHECK(fd >= 0);
  const sockaddr_in address = Loopback(port);
  constexpr int kBacklog = 4096;
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
          0 &&
      listen(fd, kBacklog) == 0) {
    return fd;
  }
  close(fd);
  return -1;
}

// Nothing: no kind of echo.
std::optional<EchoOptions::Segments> SegmentsOf(const std::string& kind) {
  if (kind == "echo") return EchoOptions::Segments::kNone;
  if (kind == "gso") return EchoOptions::Segments::kSent;
  if (kind == "gso-gro") return EchoOptions::Segments::kBoth;
  return std::nullopt;
}

// False: `sizes` are not those of EchoSizes, or there is no free port.
bool ServeEchoOf(const std::vector<std::string>& sizes,
                 EchoOptions::Segments segments) {
  EchoOptions options;
  options.segments = segments;
  size_t i = 0;
  for (auto& of_kind : options.sizes.bytes) {
    for (uint16_t& bytes : of_kind) {
      uint32_t number = 0;
      if (i >= sizes.size() || !absl::SimpleAtoi(sizes[i++], &number) ||
          number < kHeaderBytes || number > kDatagramBytesMax) {
        return false;
      }
      bytes = static_cast<uint16_t>(number);
    }
  }
  constexpr int kTries = 100;
  for (int tried = 0; tried < kTries && i == sizes.size(); ++tried) {
    uint16_t port = 0;
    const int udp = Bind(&port);
    const int tcp = ListenTcp(port);
    if (tcp >= 0) {
      SayPort(port);
      ServeEcho(options, udp, tcp);
    }
    close(udp);
  }
  return false;
}

}  // namespace
}  // namespace dnsd::testing

int main(int argc, char** argv) {
  const std::string kind = argc > 1 ? argv[1] : "";
  uint32_t number = 0;
  const bool has_number = argc == 3 && absl::SimpleAtoi(argv[2], &number);
  if (kind == "authority" && (argc == 2 || has_number)) {
    dnsd::testing::ServeAuthority(std::chrono::microseconds(number));
  }
  if (kind == "relay" && has_number) {
    dnsd::testing::ServeRelay(static_cast<uint16_t>(number));
  }
  const auto segments = dnsd::testing::SegmentsOf(kind);
  if (segments &&
      !dnsd::testing::ServeEchoOf({argv + 2, argv + argc}, *segments)) {
    std::fprintf(stderr, "not sizes, or no free port\n");
  }
  std::fprintf(stderr,
               "usage: plain_server authority [DELAY_US]\n"
               "       plain_server relay PORT\n"
               "       plain_server echo|gso|gso-gro BYTES...\n");
  return 2;
}
