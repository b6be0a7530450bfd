// UdpAsker is a UDP socket connected to one server, and the questions that are
// on their way over it, one a slot. An id is the slot plus a multiple of the
// number of slots, another one each time, so that a late answer to an old
// question is known as such.
//
// Threads: one owner.
// Errors:  what cannot be sent is lost.
// Cost:    a system call for up to kBatch datagrams each way. With `segments`
//          questions of one size leave as one buffer that the kernel cuts
//          (UDP_SEGMENT), and answers come in such buffers (UDP_GRO).
#ifndef DNSD_BENCH_UDP_ASKER_H_
#define DNSD_BENCH_UDP_ASKER_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bench/load_result.h"

namespace dnsd::testing {

class UdpAsker {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr size_t kBatch = 64;
  static constexpr size_t kSlotsMax = 0x8000;

  struct Slot {
    uint16_t id = 0;
    bool is_waiting = false;
    uint16_t size = 0;
    Clock::time_point sent;
    std::array<uint8_t, kQuestionBytesMax> question;

    [[nodiscard]] std::span<const uint8_t> bytes() const {
      return {question.data(), size};
    }
  };

  // To 127.0.0.1:`port`.
  UdpAsker(uint16_t port, size_t slots, bool segments);
  ~UdpAsker();
  UdpAsker(const UdpAsker&) = delete;
  UdpAsker& operator=(const UdpAsker&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool has_free() const { return !free_.empty(); }
  [[nodiscard]] size_t waiting() const { return slots_.size() - free_.size(); }

  // The answers that have come, valid until the next call.
  [[nodiscard]] std::span<const std::span<const uint8_t>> Receive();
  // Whether Receive() took as much as it can at once: there may be more.
  [[nodiscard]] bool may_have_more() const { return may_have_more_; }

  // The slot that waits for an answer with that id, or nullptr.
  [[nodiscard]] const Slot* WaitingFor(std::span<const uint8_t> answer) const;
  void Free(const Slot* answered);

  // Puts a question into a free slot, as one of the time `sent`. Send() sends
  // it. Only while has_free() and not is_full().
  void Queue(const NextQuestion& next_question, Clock::time_point sent);
  [[nodiscard]] bool is_full() const { return queued_ == kBatch; }
  void Send();

 private:
  struct Buffers;

  void SendSingly();
  void SendInSegments();

  int fd_;
  bool segments_;
  std::vector<Slot> slots_;
  std::vector<size_t> free_;
  size_t queued_ = 0;
  bool may_have_more_ = false;
  std::array<iovec, kBatch> out_parts_;
  std::array<mmsghdr, kBatch> out_;
  std::unique_ptr<Buffers> in_;
};

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_UDP_ASKER_H_
