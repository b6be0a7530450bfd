#include "bench/udp_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

constexpr size_t kBatch = 64;
constexpr size_t kAnswerBytesMax = 1500;
// Enough for all answers to come at once.
constexpr int kReceiveBytes = 4 << 20;

int ConnectTo(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  DNSD_CHECK(fd >= 0);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes,
                 sizeof(kReceiveBytes)) != 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBytes,
               sizeof(kReceiveBytes));
  }
  sockaddr_in server{};
  server.sin_family = AF_INET;
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  server.sin_port = htons(port);
  DNSD_CHECK(connect(fd, reinterpret_cast<const sockaddr*>(&server),
                     sizeof(server)) == 0);
  return fd;
}

}  // namespace

// A socket and the questions that are on their way over it, one a slot. An id
// is the slot plus a multiple of the number of slots, another one each time, so
// that a late answer to an old question is known as such.
class UdpLoad::Socket {
 public:
  struct Slot {
    uint16_t id = 0;
    bool is_waiting = false;
    size_t size = 0;
    Clock::time_point sent;
    std::array<uint8_t, kQuestionBytesMax> question;

    [[nodiscard]] std::span<const uint8_t> bytes() const {
      return {question.data(), size};
    }
  };

  Socket(uint16_t port, size_t slots) : fd_(ConnectTo(port)), slots_(slots) {
    DNSD_CHECK(slots > 0 && slots <= 0x8000);
    for (size_t i = 0; i < slots; ++i) {
      slots_[i].id = static_cast<uint16_t>(i);
      free_.push_back(i);
    }
    for (size_t i = 0; i < kBatch; ++i) {
      Aim(&in_[i], &in_parts_[i]);
      Aim(&out_[i], &out_parts_[i]);
      in_parts_[i] = {answers_[i].data(), answers_[i].size()};
    }
  }
  ~Socket() { close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool has_free() const { return !free_.empty(); }
  [[nodiscard]] size_t waiting() const { return slots_.size() - free_.size(); }

  // How many datagrams have come; kBatch: there may be more.
  [[nodiscard]] size_t Receive() {
    const int count = recvmmsg(fd_, in_.data(), kBatch, MSG_DONTWAIT, nullptr);
    return count > 0 ? static_cast<size_t>(count) : 0;
  }
  [[nodiscard]] std::span<const uint8_t> answer(size_t i) const {
    return {answers_[i].data(), in_[i].msg_len};
  }

  // The slot that waits for an answer with that id, or nullptr.
  [[nodiscard]] const Slot* WaitingFor(std::span<const uint8_t> answer) const {
    if (answer.size() < 2) return nullptr;
    const auto id = static_cast<uint16_t>(answer[0] << 8 | answer[1]);
    const Slot& slot = slots_[id % slots_.size()];
    return slot.is_waiting && slot.id == id ? &slot : nullptr;
  }
  void Free(const Slot* answered) {
    const auto index = static_cast<size_t>(answered - slots_.data());
    Slot& slot = slots_[index];
    slot.is_waiting = false;
    const size_t next = slot.id + slots_.size();
    slot.id = static_cast<uint16_t>(next > 0xffff ? index : next);
    free_.push_back(index);
  }

  // Puts a question into a free slot. Send() sends it.
  void Queue(const std::function<size_t(uint8_t*)>& next_question) {
    Slot& slot = slots_[free_.back()];
    free_.pop_back();
    slot.is_waiting = true;
    slot.size = next_question(slot.question.data());
    slot.question[0] = static_cast<uint8_t>(slot.id >> 8);
    slot.question[1] = static_cast<uint8_t>(slot.id & 0xff);
    out_parts_[queued_] = {slot.question.data(), slot.size};
    queued_slots_[queued_++] = &slot;
  }
  [[nodiscard]] bool is_full() const { return queued_ == kBatch; }
  void Send() {
    const Clock::time_point now = Clock::now();
    for (size_t i = 0; i < queued_; ++i) queued_slots_[i]->sent = now;
    size_t sent = 0;
    while (sent < queued_) {
      const int count =
          sendmmsg(fd_, &out_[sent], static_cast<unsigned>(queued_ - sent), 0);
      // One is passed over that cannot be sent: it is lost.
      sent += count > 0 ? static_cast<size_t>(count) : 1;
    }
    queued_ = 0;
  }

 private:
  static void Aim(mmsghdr* header, iovec* part) {
    *header = {};
    header->msg_hdr.msg_iov = part;
    header->msg_hdr.msg_iovlen = 1;
  }

  int fd_;
  std::vector<Slot> slots_;
  std::vector<size_t> free_;
  size_t queued_ = 0;
  std::array<Slot*, kBatch> queued_slots_{};
  std::array<mmsghdr, kBatch> in_;
  std::array<mmsghdr, kBatch> out_;
  std::array<iovec, kBatch> in_parts_;
  std::array<iovec, kBatch> out_parts_;
  std::array<std::array<uint8_t, kAnswerBytesMax>, kBatch> answers_;
};

UdpLoad::UdpLoad(UdpLoadOptions options) : options_(std::move(options)) {
  for (size_t i = 0; i < options_.sockets; ++i) {
    sockets_.push_back(
        std::make_unique<Socket>(options_.port, options_.in_flight));
  }
}

UdpLoad::~UdpLoad() = default;

bool UdpLoad::MayAsk() const {
  return asked_ < options_.questions_max && Clock::now() < end_;
}

void UdpLoad::Drain(Socket* socket) {
  size_t count = 0;
  do {
    count = socket->Receive();
    const Clock::time_point now = Clock::now();
    for (size_t i = 0; i < count; ++i) {
      const std::span<const uint8_t> answer = socket->answer(i);
      const Socket::Slot* slot = socket->WaitingFor(answer);
      if (slot == nullptr) continue;
      if (options_.is_right(slot->bytes(), answer)) {
        ++result_.right;
        result_.delays_ns.push_back(
            static_cast<uint32_t>((now - slot->sent).count()));
      } else {
        ++result_.wrong;
      }
      last_ = now;
      socket->Free(slot);
    }
  } while (count == kBatch);
}

void UdpLoad::Fill(Socket* socket) {
  while (socket->has_free() && MayAsk()) {
    while (socket->has_free() && !socket->is_full() &&
           asked_ < options_.questions_max) {
      socket->Queue(options_.next_question);
      ++asked_;
    }
    socket->Send();
  }
}

UdpLoadResult UdpLoad::Run() {
  std::vector<pollfd> polled;
  for (const auto& socket : sockets_)
    polled.push_back({socket->fd(), POLLIN, 0});
  const Clock::time_point start = Clock::now();
  last_ = start;
  end_ = start + options_.time_max;
  for (const auto& socket : sockets_) Fill(socket.get());
  const Clock::time_point patience_end = end_ + kPatience;
  while (Clock::now() < patience_end) {
    size_t waiting = 0;
    for (const auto& socket : sockets_) waiting += socket->waiting();
    if (waiting == 0) break;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        patience_end - Clock::now());
    if (poll(polled.data(), polled.size(),
             static_cast<int>(left.count()) + 1) <= 0) {
      continue;
    }
    for (size_t i = 0; i < sockets_.size(); ++i) {
      if (polled[i].revents == 0) continue;
      Drain(sockets_[i].get());
      Fill(sockets_[i].get());
    }
  }
  for (const auto& socket : sockets_) result_.lost += socket->waiting();
  result_.seconds = std::chrono::duration<double>(last_ - start).count();
  return std::move(result_);
}

}  // namespace dnsd::testing
