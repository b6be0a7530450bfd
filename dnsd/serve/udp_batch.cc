#include "dnsd/serve/udp_batch.h"

#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <string.h>

#include <algorithm>
#include <utility>

#include "catalog/base/check.h"
#include "zones/responder.h"

namespace dnsd {
namespace {

// After so many refusals without a success between them answers are sent alone,
// for so many Send(); then one more refusal is enough.
constexpr int kRefusalsMax = 16;
constexpr uint32_t kSendsAlone = 4096;

// The kernel has no room now, as opposed to: this message cannot be sent.
bool IsCongestion(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS ||
         error == ENOMEM;
}

// Of a message with UDP_SEGMENT: the network card or the way to it cannot, as
// opposed to: segments are too long for this way (EMSGSIZE; EINVAL, too, on
// older kernels), or the client may not be sent to.
bool CannotSegment(int error) {
  return error == EINVAL || error == EIO || error == EOPNOTSUPP ||
         error == ENOPROTOOPT;
}

bool WaitWritable(int fd) {
  pollfd wait{fd, POLLOUT, 0};
  return poll(&wait, 1, kUdpSendWaitMs) > 0;
}

bool SameAddress(const in6_addr& a, const in6_addr& b) {
  return memcmp(&a, &b, sizeof(a)) == 0;
}

// Turns the packet info of a query into that of its reply, which leaves from
// the address that was asked: `*asked`. The interface is for the routing
// table to choose. Returns false if that address is a group's.
bool ReverseV4(cmsghdr* header, in_addr* asked) {
  in_pktinfo info;
  memcpy(&info, CMSG_DATA(header), sizeof(info));
  // For a unicast query both are the address asked; for a broadcast or
  // multicast one ipi_spec_dst is what the kernel would answer from.
  if (info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr) return false;
  *asked = info.ipi_addr;
  info.ipi_ifindex = 0;
  memcpy(CMSG_DATA(header), &info, sizeof(info));
  return true;
}

bool ReverseV6(cmsghdr* header, in6_addr* asked) {
  in6_pktinfo info;
  memcpy(&info, CMSG_DATA(header), sizeof(info));
  if (IN6_IS_ADDR_MULTICAST(&info.ipi6_addr)) return false;
  *asked = info.ipi6_addr;
  // A link-local address means nothing without its interface.
  if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) info.ipi6_ifindex = 0;
  memcpy(CMSG_DATA(header), &info, sizeof(info));
  return true;
}

}  // namespace

UdpBatch::UdpBatch()
    : packets_(std::make_unique<uint8_t[]>(kUdpBatchMessages * kPacketStride)),
      // Not zeroed: what nobody sends takes no memory.
      joined_(std::make_unique_for_overwrite<uint8_t[]>(kJoinedMessages *
                                                        kJoinedStride)),
      arena_(std::make_unique<uint8_t[]>(kUdpArenaBytes)) {
  for (size_t i = 0; i < kUdpBatchMessages; ++i) {
    received_iovecs_[i] = RoomOf(i, /*joined=*/false);
    msghdr& header = received_[i].msg_hdr;
    header.msg_name = &clients_[i].sa;
    header.msg_iov = &received_iovecs_[i];
    header.msg_iovlen = 1;
    header.msg_control = controls_[i].bytes.data();
  }
  received_count_ = kUdpBatchMessages;  // all headers need their sizes
}

// Where messages go, and the sizes in the headers that the kernel overwrote.
void UdpBatch::PrepareHeaders(bool joined) {
  if (joined != is_joined_) {
    is_joined_ = joined;
    for (size_t i = 0; i < kJoinedMessages; ++i) {
      received_iovecs_[i] = RoomOf(i, joined);
    }
    received_count_ = kUdpBatchMessages;
  }
  const size_t control_bytes = kControlBytes + (joined ? kGroBytes : 0);
  for (size_t i = 0; i < received_count_; ++i) {
    received_[i].msg_hdr.msg_namelen = sizeof(SocketAddress);
    received_[i].msg_hdr.msg_controllen = control_bytes;
  }
}

int UdpBatch::Receive(int fd, bool joined) {
  PrepareHeaders(joined);
  answer_count_ = 0;
  arena_used_ = 0;
  datagram_count_ = 0;
  waited_ = false;
  const int count = recvmmsg(
      fd, received_.data(),
      static_cast<unsigned>(joined ? kJoinedMessages : kUdpBatchMessages),
      MSG_DONTWAIT, nullptr);
  received_count_ = count > 0 ? static_cast<size_t>(count) : 0;
  if (count < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
  for (size_t i = 0; i < received_count_; ++i) {
    if (joined) {
      SplitMessage(i);
    } else {
      const mmsghdr& message = received_[i];
      datagrams_[datagram_count_++] = {
          DataOf(i), message.msg_len, static_cast<uint16_t>(i),
          (message.msg_hdr.msg_flags & MSG_TRUNC) != 0};
    }
  }
  return static_cast<int>(datagram_count_);
}

// The datagrams of a message. What is left in its control is the packet info.
void UdpBatch::SplitMessage(size_t message) {
  msghdr* const header = &received_[message].msg_hdr;
  size_t datagram_bytes = received_[message].msg_len;
  std::array<uint8_t, kControlBytes> info{};
  size_t info_bytes = 0;
  for (cmsghdr* control = CMSG_FIRSTHDR(header); control != nullptr;
       control = CMSG_NXTHDR(header, control)) {
    if (control->cmsg_level == SOL_UDP && control->cmsg_type == UDP_GRO) {
      int size = 0;
      memcpy(&size, CMSG_DATA(control), sizeof(size));
      if (size > 0) datagram_bytes = static_cast<size_t>(size);
    } else if (CMSG_ALIGN(control->cmsg_len) <= info.size()) {
      info_bytes = CMSG_ALIGN(control->cmsg_len);
      memcpy(info.data(), control, control->cmsg_len);
    }
  }
  // To where Inspect() looks for it.
  memcpy(controls_[message].bytes.data(), info.data(), info_bytes);
  header->msg_controllen = info_bytes;
  const uint8_t* data = DataOf(message);
  size_t left = received_[message].msg_len;
  for (size_t i = 0; i == 0 || left > 0; ++i) {
    // More than the kernel joins, which is none of ours to guess: refused.
    const bool is_last = i + 1 == kJoinedMax;
    const size_t size = is_last ? left : std::min(left, datagram_bytes);
    datagrams_[datagram_count_++] = {
        data, static_cast<uint32_t>(size), static_cast<uint16_t>(message),
        size > datagram_bytes || size > kUdpQueryBytesMax ||
            (header->msg_flags & MSG_TRUNC) != 0};
    data += size;
    left -= size;
  }
}

UdpArrival UdpBatch::Inspect(size_t index, const SocketAddress& own) {
  if (datagrams_[index].is_cut) return UdpArrival::kTooLong;
  msghdr* const header = &received_[datagrams_[index].message].msg_hdr;
  const SocketAddress& client = this->client(index);
  if (client.port() == 0) return UdpArrival::kAddress;
  SocketAddress asked = own;
  if (header->msg_controllen > 0) {
    cmsghdr* control = CMSG_FIRSTHDR(header);
    if (control == nullptr) return UdpArrival::kAddress;
    // The kernel leaves the padding as it was, and what is equal is to look so.
    uint8_t* const bytes = controls_[datagrams_[index].message].bytes.data();
    memset(bytes + control->cmsg_len, 0,
           header->msg_controllen - control->cmsg_len);
    const bool unicast = own.is_v6() ? ReverseV6(control, &asked.v6.sin6_addr)
                                     : ReverseV4(control, &asked.v4.sin_addr);
    if (!unicast) return UdpArrival::kAddress;
  }
  // A forged query "from ourselves" would have us talk to ourselves.
  if (client.port() == own.port()) {
    const bool same =
        own.is_v6() ? SameAddress(client.v6.sin6_addr, asked.v6.sin6_addr)
                    : client.v4.sin_addr.s_addr == asked.v4.sin_addr.s_addr;
    if (same) return UdpArrival::kAddress;
  }
  return UdpArrival::kGood;
}

bool UdpBatch::has_room() const {
  return kUdpArenaBytes - arena_used_ >= kResponseBytesMax &&
         answer_count_ < kUdpBatchMessages;
}

void UdpBatch::Reply(size_t index, size_t size) {
  DNSD_DCHECK(index < datagram_count_ && answer_count_ < kUdpBatchMessages);
  answers_[answer_count_++] = {index, room(), size};
  arena_used_ += size;
}

// A message for each group of answers.
void UdpBatch::BuildSendMessages(bool may_group) {
  groups_.Clear();
  for (size_t i = 0; i < answer_count_; ++i) {
    const Answer& answer = answers_[i];
    groups_.Add(client(answer.index), control(answer.index), answer.size,
                may_group);
  }
  size_t iovec_count = 0;
  size_t message = 0;
  for (const UdpGroups::Group& group : groups_.groups()) {
    const size_t first_iovec = iovec_count;
    groups_.ForEachAnswer(group, [&](size_t answer) {
      const auto [index, data, size] = answers_[answer];
      iovec* const last = iovec_count > first_iovec
                              ? &outgoing_iovecs_[iovec_count - 1]
                              : nullptr;
      if (last != nullptr &&
          static_cast<uint8_t*>(last->iov_base) + last->iov_len == data) {
        last->iov_len += size;
      } else {
        outgoing_iovecs_[iovec_count++] = {data, size};
      }
    });
    const msghdr& from = HeaderOf(answers_[group.first].index);
    msghdr& to = outgoing_[message].msg_hdr;
    to.msg_name = from.msg_name;
    to.msg_namelen = from.msg_namelen;
    to.msg_iov = &outgoing_iovecs_[first_iovec];
    to.msg_iovlen = iovec_count - first_iovec;
    SetControl(message++, group);
  }
}

void UdpBatch::SetControl(size_t message, const UdpGroups::Group& group) {
  const msghdr& from = HeaderOf(answers_[group.first].index);
  msghdr& to = outgoing_[message].msg_hdr;
  to.msg_control = from.msg_controllen > 0 ? from.msg_control : nullptr;
  to.msg_controllen = from.msg_controllen;
  if (group.count == 1) return;
  uint8_t* const bytes = outgoing_controls_[message].bytes.data();
  const size_t info_bytes = from.msg_controllen;
  if (info_bytes > 0) memcpy(bytes, from.msg_control, info_bytes);
  cmsghdr header{};
  header.cmsg_level = SOL_UDP;
  header.cmsg_type = UDP_SEGMENT;
  header.cmsg_len = CMSG_LEN(sizeof(group.size));
  memcpy(bytes + info_bytes, &header, sizeof(header));
  memcpy(bytes + info_bytes + CMSG_LEN(0), &group.size, sizeof(group.size));
  to.msg_control = bytes;
  to.msg_controllen = info_bytes + kSegmentBytes;
}

bool UdpBatch::MayGroup(int fd) {
  if (!knows_segments_) {
    // Before Linux 4.18 it is skipped, not refused.
    int size = 0;
    socklen_t length = sizeof(size);
    knows_segments_ = getsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, &length) == 0;
  }
  if (refusals_ == kRefusalsMax && ++sends_alone_ == kSendsAlone) {
    sends_alone_ = 0;
    --refusals_;
  }
  return *knows_segments_ && refusals_ < kRefusalsMax;
}

bool UdpBatch::WaitOnce(int fd) {
  return !std::exchange(waited_, true) && WaitWritable(fd);
}

size_t UdpBatch::SendSingly(int fd, const UdpGroups::Group& group,
                            UdpSendResult* result) {
  const msghdr& from = HeaderOf(answers_[group.first].index);
  msghdr message = from;
  if (message.msg_controllen == 0) message.msg_control = nullptr;
  message.msg_flags = 0;
  size_t sent_count = 0;
  groups_.ForEachAnswer(group, [&](size_t answer) {
    iovec bytes{answers_[answer].data, answers_[answer].size};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    ssize_t sent = sendmsg(fd, &message, MSG_DONTWAIT);
    if (sent < 0 && IsCongestion(errno) && WaitOnce(fd)) {
      sent = sendmsg(fd, &message, MSG_DONTWAIT);
    }
    if (sent >= 0) {
      ++sent_count;
      result->sent_bytes += static_cast<size_t>(sent);
    } else {
      ++result->failed;
    }
  });
  result->sent += sent_count;
  return sent_count;
}

UdpSendResult UdpBatch::Send(int fd) {
  BuildSendMessages(MayGroup(fd));
  const std::span<const UdpGroups::Group> groups = groups_.groups();
  UdpSendResult result;
  size_t next = 0;
  while (next < groups.size()) {
    const int count =
        sendmmsg(fd, &outgoing_[next],
                 static_cast<unsigned>(groups.size() - next), MSG_DONTWAIT);
    if (count > 0) {
      for (int i = 0; i < count; ++i, ++next) {
        result.sent_bytes += outgoing_[next].msg_len;
        result.sent += groups[next].count;
        if (groups[next].count == 1) continue;
        result.grouped += groups[next].count;
        refusals_ = 0;
      }
      continue;
    }
    // The error is that of the first message: sendmmsg reports a later one's
    // on the next call.
    const int error = errno;
    if (IsCongestion(error)) {
      if (WaitOnce(fd)) continue;
      for (; next < groups.size(); ++next) result.failed += groups[next].count;
      break;
    }
    if (groups[next].count > 1) {
      // What cannot be sent alone either says nothing of segments.
      if (SendSingly(fd, groups[next], &result) > 0 && CannotSegment(error)) {
        refusals_ = std::min(refusals_ + 1, kRefusalsMax);
      }
    } else {
      ++result.failed;
    }
    ++next;
  }
  answer_count_ = 0;
  arena_used_ = 0;
  return result;
}

}  // namespace dnsd
