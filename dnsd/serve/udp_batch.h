// UdpBatch receives and sends UDP messages many at a time. HOT PATH
//
// Receive() fills fixed buffers; answers are written one after another into
// one arena and leave with the next Send(). Several of one size to one client
// leave as one message that the kernel cuts apart (UDP_SEGMENT, udp_groups.h),
// until it says that it cannot.
//
// Threads:   one worker's. Its UDP sockets take turns on one batch.
// Ownership: packet() and room() are valid until the next Receive().
// Errors:    one message that cannot be sent is skipped and counted; the
//            others are sent.
// Limits:    kUdpBatchMessages per call, kUdpQueryBytesMax a query. Allocates
//            in the constructor only.
#ifndef DNSD_DNSD_SERVE_UDP_BATCH_H_
#define DNSD_DNSD_SERVE_UDP_BATCH_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "dnsd/limits.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/serve/udp_groups.h"

namespace dnsd {

// Whether a message is to be looked at.
enum class UdpArrival : uint8_t {
  kGood,
  kTooLong,  // longer than kUdpQueryBytesMax
  kAddress,  // from port 0, from ourselves, or sent to a group
};

struct UdpSendResult {
  size_t sent = 0;
  size_t failed = 0;
  size_t sent_bytes = 0;
  size_t grouped = 0;  // of `sent`, those that left together with others
};

class UdpBatch {
 public:
  UdpBatch();
  UdpBatch(const UdpBatch&) = delete;
  UdpBatch& operator=(const UdpBatch&) = delete;

  // Takes what is queued on a non-blocking socket. Returns the number of
  // messages, 0 if there are none, or a negative errno.
  [[nodiscard]] int Receive(int fd);

  // To be called once for each message before it is answered. `own` is the
  // address the socket is bound to; on a wildcard address the reply is made
  // to leave from the address that was asked.
  [[nodiscard]] UdpArrival Inspect(size_t index, const SocketAddress& own);

  [[nodiscard]] std::span<const uint8_t> packet(size_t index) const {
    return {packets_.get() + index * kPacketStride, received_[index].msg_len};
  }

  // Where the message came from, and the packet info of a reply to it, which
  // is empty on a socket bound to one address. After Inspect().
  [[nodiscard]] const SocketAddress& client(size_t index) const {
    return clients_[index];
  }
  [[nodiscard]] std::span<const uint8_t> control(size_t index) const {
    return {controls_[index].bytes.data(),
            received_[index].msg_hdr.msg_controllen};
  }

  // Where the next answer goes: kResponseBytesMax bytes, if has_room().
  [[nodiscard]] bool has_room() const;
  [[nodiscard]] uint8_t* room() { return arena_.get() + arena_used_; }

  // The first `size` bytes of room() answer message `index`. At most one
  // answer a message.
  void Reply(size_t index, size_t size);

  // Sends the replies so far and empties the arena.
  UdpSendResult Send(int fd);

 private:
  // Not a multiple of 4 KiB: all packets would begin in the same few lines of
  // the first-level cache.
  static constexpr size_t kPacketStride = kUdpQueryBytesMax + 128;
  // One IPv4 or IPv6 packet info.
  static constexpr size_t kControlBytes = CMSG_SPACE(sizeof(in6_pktinfo));

  static constexpr size_t kSegmentBytes = CMSG_SPACE(sizeof(uint16_t));

  struct Control {
    alignas(cmsghdr) std::array<uint8_t, kControlBytes> bytes;
  };
  // That of the reply, and the size of the segments.
  struct GroupControl {
    alignas(cmsghdr) std::array<uint8_t, kControlBytes + kSegmentBytes> bytes;
  };
  struct Answer {
    size_t index;  // the message answered
    uint8_t* data;
    size_t size;
  };

  void BuildSendMessages();
  void SetControl(size_t message, const UdpGroups::Group& group);
  // What the kernel refused to send together.
  void SendSingly(int fd, const UdpGroups::Group& group, UdpSendResult* result);

  std::unique_ptr<uint8_t[]> packets_;
  std::unique_ptr<uint8_t[]> arena_;
  size_t arena_used_ = 0;

  size_t received_count_ = 0;
  std::array<mmsghdr, kUdpBatchMessages> received_{};
  std::array<iovec, kUdpBatchMessages> received_iovecs_{};
  std::array<SocketAddress, kUdpBatchMessages> clients_{};
  std::array<Control, kUdpBatchMessages> controls_{};

  size_t answer_count_ = 0;
  std::array<Answer, kUdpBatchMessages> answers_{};
  UdpGroups groups_;
  int refusals_ = 0;  // of UDP_SEGMENT, since it worked
  std::array<mmsghdr, kUdpBatchMessages> outgoing_{};
  std::array<iovec, kUdpBatchMessages> outgoing_iovecs_{};
  std::array<GroupControl, kUdpBatchMessages> outgoing_controls_{};
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_UDP_BATCH_H_
