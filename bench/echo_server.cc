#include "bench/echo_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "bench/udp_datagrams.h"
#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

constexpr size_t kBatch = 32;
constexpr size_t kHeaderBytes = 12;

void MarkAsAnswer(uint8_t* message) { message[2] |= 0x80; }

// --- UDP, one datagram a question ---

[[noreturn]] void EchoDatagrams(const EchoSizes& sizes, int fd) {
  struct Buffers {
    std::array<mmsghdr, kBatch> headers{};
    std::array<iovec, kBatch> parts{};
    std::array<sockaddr_in, kBatch> peers{};
    std::array<std::array<uint8_t, kDatagramBytesMax>, kBatch> bytes{};
  };
  const auto b = std::make_unique<Buffers>();
  for (size_t i = 0; i < kBatch; ++i) {
    b->headers[i].msg_hdr.msg_name = &b->peers[i];
    b->headers[i].msg_hdr.msg_iov = &b->parts[i];
    b->headers[i].msg_hdr.msg_iovlen = 1;
  }
  for (;;) {
    for (size_t i = 0; i < kBatch; ++i) {
      b->parts[i] = {b->bytes[i].data(), b->bytes[i].size()};
      b->headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
    }
    const int count =
        recvmmsg(fd, b->headers.data(), kBatch, MSG_WAITFORONE, nullptr);
    for (int i = 0; i < count; ++i) {
      const auto index = static_cast<size_t>(i);
      uint8_t* message = b->bytes[index].data();
      const size_t size = b->headers[index].msg_len;
      if (size < kHeaderBytes) continue;  // sent back as long as a buffer
      b->parts[index].iov_len = sizes.Of({message, size});
      MarkAsAnswer(message);
    }
    for (int sent = 0; sent < count;) {
      const int done = sendmmsg(fd, &b->headers[static_cast<size_t>(sent)],
                                static_cast<unsigned>(count - sent), 0);
      sent += done > 0 ? done : 1;
    }
  }
}

// --- UDP, many datagrams in a buffer ---

// Answers of one size to one client, sent together.
class SegmentRun {
 public:
  explicit SegmentRun(int fd) : fd_(fd) {}

  void Add(std::span<const uint8_t> question, size_t size,
           const sockaddr_in& peer) {
    if (count_ == kSegmentsMax || size != size_ || used_ + size > kBytesMax ||
        peer.sin_port != peer_.sin_port ||
        peer.sin_addr.s_addr != peer_.sin_addr.s_addr) {
      Send();
      size_ = size;
      peer_ = peer;
    }
    uint8_t* message = bytes_.data() + used_;
    std::memcpy(message, question.data(), std::min(question.size(), size));
    MarkAsAnswer(message);
    used_ += size;
    ++count_;
  }
  void Send() {
    if (count_ == 0) return;
    iovec part{bytes_.data(), used_};
    msghdr header{};
    header.msg_name = &peer_;
    header.msg_namelen = sizeof(peer_);
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    SegmentControl control;
    if (count_ > 1) control.Cut(&header, size_);
    static_cast<void>(sendmsg(fd_, &header, 0));
    used_ = 0;
    count_ = 0;
  }

 private:
  // IP's and UDP's headers count, too.
  static constexpr size_t kBytesMax = 65'000;

  int fd_;
  sockaddr_in peer_{};
  std::array<uint8_t, kBytesMax> bytes_{};
  size_t used_ = 0;
  size_t size_ = 0;
  size_t count_ = 0;
};

[[noreturn]] void EchoSegments(const EchoSizes& sizes, int fd, bool receives) {
  if (receives) ReceiveInSegments(fd);
  const size_t stride = receives ? kSegmentsStride : kDatagramBytesMax;
  std::vector<uint8_t> bytes(kBatch * stride);
  std::array<mmsghdr, kBatch> headers{};
  std::array<iovec, kBatch> parts{};
  std::array<sockaddr_in, kBatch> peers{};
  std::array<SegmentControl, kBatch> controls;
  const auto run = std::make_unique<SegmentRun>(fd);
  for (;;) {
    for (size_t i = 0; i < kBatch; ++i) {
      parts[i] = {&bytes[i * stride], stride};
      msghdr* header = &headers[i].msg_hdr;
      *header = {&peers[i], sizeof(peers[i]), &parts[i], 1, nullptr, 0, 0};
      controls[i].Attach(header);
    }
    const int count =
        recvmmsg(fd, headers.data(), kBatch, MSG_WAITFORONE, nullptr);
    for (int i = 0; i < count; ++i) {
      const auto index = static_cast<size_t>(i);
      const auto* all = static_cast<const uint8_t*>(parts[index].iov_base);
      const size_t size = headers[index].msg_len;
      const size_t step = SegmentBytes(&headers[index].msg_hdr, size);
      for (size_t at = 0; at + kHeaderBytes <= size; at += step) {
        const std::span<const uint8_t> question(all + at,
                                                std::min(step, size - at));
        run->Add(question, sizes.Of(question), peers[index]);
      }
    }
    run->Send();
  }
}

// --- TCP ---

struct Client {
  std::vector<uint8_t> input;  // the beginning of a frame
};

// Answers every whole frame of `input` behind each other, and says how many
// bytes of it those were.
size_t AnswerFrames(const EchoSizes& sizes, std::span<const uint8_t> input,
                    std::vector<uint8_t>* output) {
  size_t at = 0;
  while (input.size() - at >= 2) {
    const size_t size = static_cast<size_t>(input[at] << 8 | input[at + 1]);
    if (input.size() - at - 2 < size || size < kHeaderBytes) break;
    const std::span<const uint8_t> question = input.subspan(at + 2, size);
    const size_t answer = sizes.Of(question);
    output->push_back(static_cast<uint8_t>(answer >> 8));
    output->push_back(static_cast<uint8_t>(answer & 0xff));
    const size_t start = output->size();
    output->insert(output->end(), question.begin(), question.end());
    output->resize(start + answer);
    MarkAsAnswer(output->data() + start);
    at += 2 + size;
  }
  return at;
}

void SendAll(int fd, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      pollfd writable{fd, POLLOUT, 0};
      constexpr int kPatienceMs = 2'000;
      if (errno != EAGAIN || poll(&writable, 1, kPatienceMs) <= 0) return;
      continue;
    }
    bytes = bytes.subspan(static_cast<size_t>(sent));
  }
}

class TcpEcho {
 public:
  TcpEcho(const EchoSizes& sizes, int listener)
      : sizes_(sizes), listener_(listener), epoll_(epoll_create1(0)) {
    Watch(listener_);
  }

  [[noreturn]] void Serve() {
    std::array<epoll_event, 256> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int i = 0; i < count; ++i) {
        const int fd = events[static_cast<size_t>(i)].data.fd;
        if (fd == listener_) {
          Accept();
        } else if (!Answer(fd)) {
          clients_.erase(fd);
          close(fd);
        }
      }
    }
  }

 private:
  void Watch(int fd) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    DNSD_CHECK(epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
  }
  void Accept() {
    for (;;) {
      const int fd =
          accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
      clients_[fd] = {};
      Watch(fd);
    }
  }
  // Reads all, answers all, writes once. False: the client has gone.
  bool Answer(int fd) {
    std::vector<uint8_t>& kept = clients_[fd].input;
    const size_t before = kept.size();
    std::copy(kept.begin(), kept.end(), input_.begin());
    const ssize_t got =
        recv(fd, input_.data() + before, input_.size() - before, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    const size_t size = before + static_cast<size_t>(got);
    output_.clear();
    const size_t used = AnswerFrames(sizes_, {input_.data(), size}, &output_);
    kept.assign(input_.begin() + static_cast<std::ptrdiff_t>(used),
                input_.begin() + static_cast<std::ptrdiff_t>(size));
    SendAll(fd, output_);
    return true;
  }

  const EchoSizes& sizes_;
  int listener_;
  int epoll_;
  std::map<int, Client> clients_;
  std::vector<uint8_t> input_ = std::vector<uint8_t>(65'536 + 512);
  std::vector<uint8_t> output_;
};

}  // namespace

void ServeEcho(const EchoOptions& options, int udp, int tcp) {
  std::thread([&options, tcp] {
    TcpEcho(options.sizes, tcp).Serve();
  }).detach();
  if (options.segments == EchoOptions::Segments::kNone) {
    EchoDatagrams(options.sizes, udp);
  }
  EchoSegments(options.sizes, udp,
               options.segments == EchoOptions::Segments::kBoth);
}

}  // namespace dnsd::testing
