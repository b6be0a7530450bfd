#include "bench/udp_asker.h"

#include <netinet/udp.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "bench/udp_datagrams.h"
#include "catalog/base/check.h"

namespace dnsd::testing {

struct UdpAsker::Buffers {
  // Each takes one datagram, or with UDP_GRO as many as the kernel put into
  // one.
  Buffers(size_t count, size_t bytes_each)
      : bytes(count * bytes_each),
        parts(count),
        headers(count),
        controls(count) {
    for (size_t i = 0; i < count; ++i) {
      parts[i] = {&bytes[i * bytes_each], bytes_each};
      headers[i].msg_hdr.msg_iov = &parts[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }

  std::vector<uint8_t> bytes;
  std::vector<iovec> parts;
  std::vector<mmsghdr> headers;
  std::vector<SegmentControl> controls;
  std::vector<std::span<const uint8_t>> answers;
};

UdpAsker::UdpAsker(uint16_t port, size_t slots, bool segments)
    : fd_(OpenUdp(SOCK_NONBLOCK)), segments_(segments), slots_(slots) {
  DNSD_CHECK(slots > 0 && slots <= kSlotsMax);
  const sockaddr_in server = Loopback(port);
  DNSD_CHECK(connect(fd_, reinterpret_cast<const sockaddr*>(&server),
                     sizeof(server)) == 0);
  if (segments_) ReceiveInSegments(fd_);
  in_ = segments_ ? std::make_unique<Buffers>(8, kSegmentsStride)
                  : std::make_unique<Buffers>(kBatch, kDatagramBytesMax);
  // The lowest slots are used first, and again.
  for (size_t i = slots; i > 0; --i) {
    slots_[i - 1].id = static_cast<uint16_t>(i - 1);
    free_.push_back(i - 1);
  }
  for (size_t i = 0; i < kBatch; ++i) {
    out_[i] = {};
    out_[i].msg_hdr.msg_iov = &out_parts_[i];
    out_[i].msg_hdr.msg_iovlen = 1;
  }
}

UdpAsker::~UdpAsker() { close(fd_); }

std::span<const std::span<const uint8_t>> UdpAsker::Receive() {
  in_->answers.clear();
  for (size_t i = 0; segments_ && i < in_->headers.size(); ++i) {
    in_->controls[i].Attach(&in_->headers[i].msg_hdr);
  }
  const int count = recvmmsg(fd_, in_->headers.data(),
                             static_cast<unsigned>(in_->headers.size()),
                             MSG_DONTWAIT, nullptr);
  may_have_more_ = count == static_cast<int>(in_->headers.size());
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<size_t>(i);
    const auto* bytes = static_cast<const uint8_t*>(in_->parts[index].iov_base);
    const size_t size = in_->headers[index].msg_len;
    const size_t step =
        segments_ ? SegmentBytes(&in_->headers[index].msg_hdr, size) : size;
    for (size_t at = 0; at < size; at += step) {
      in_->answers.emplace_back(bytes + at, std::min(step, size - at));
    }
  }
  return in_->answers;
}

const UdpAsker::Slot* UdpAsker::WaitingFor(
    std::span<const uint8_t> answer) const {
  if (answer.size() < 2) return nullptr;
  const auto id = static_cast<uint16_t>(answer[0] << 8 | answer[1]);
  const Slot& slot = slots_[id % slots_.size()];
  return slot.is_waiting && slot.id == id ? &slot : nullptr;
}

void UdpAsker::Free(const Slot* answered) {
  const auto index = static_cast<size_t>(answered - slots_.data());
  Slot& slot = slots_[index];
  slot.is_waiting = false;
  const size_t next = slot.id + slots_.size();
  slot.id = static_cast<uint16_t>(next > 0xffff ? index : next);
  free_.push_back(index);
}

void UdpAsker::Queue(const NextQuestion& next_question,
                     Clock::time_point sent) {
  Slot& slot = slots_[free_.back()];
  free_.pop_back();
  slot.is_waiting = true;
  slot.sent = sent;
  slot.size = static_cast<uint16_t>(next_question(slot.question.data()));
  slot.question[0] = static_cast<uint8_t>(slot.id >> 8);
  slot.question[1] = static_cast<uint8_t>(slot.id & 0xff);
  out_parts_[queued_++] = {slot.question.data(), slot.size};
}

void UdpAsker::Send() {
  if (segments_) {
    SendInSegments();
  } else {
    SendSingly();
  }
  queued_ = 0;
}

void UdpAsker::SendSingly() {
  size_t sent = 0;
  while (sent < queued_) {
    const int count =
        sendmmsg(fd_, &out_[sent], static_cast<unsigned>(queued_ - sent), 0);
    // One is passed over that cannot be sent: it is lost.
    sent += count > 0 ? static_cast<size_t>(count) : 1;
  }
}

void UdpAsker::SendInSegments() {
  for (size_t first = 0; first < queued_;) {
    const size_t size = out_parts_[first].iov_len;
    size_t end = first + 1;
    while (end < queued_ && out_parts_[end].iov_len == size) ++end;
    msghdr header{};
    header.msg_iov = &out_parts_[first];
    header.msg_iovlen = end - first;
    SegmentControl control;
    if (end - first > 1) control.Cut(&header, size);
    static_cast<void>(sendmsg(fd_, &header, 0));
    first = end;
  }
}

}  // namespace dnsd::testing
