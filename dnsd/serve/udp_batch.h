// UdpBatch receives and sends UDP messages many at a time. HOT PATH
//
// Receive() fills fixed buffers; answers are written one after another into
// one arena and leave with the next Send(). Several of one size to one client
// leave as one message that the kernel cuts apart (UDP_SEGMENT, udp_groups.h),
// until it says that it cannot. What came in joined (UDP_GRO, udp_gro.h) is
// taken apart: an index below is that of a datagram.
//
// Threads:   one worker's. Its UDP sockets take turns on one batch.
// Ownership: packet() and room() are valid until the next Receive().
// Errors:    one message that cannot be sent is skipped and counted; the
//            others are sent.
// Limits:    kUdpBatchMessages per call, or kJoinedMessages that may each hold
//            kJoinedMax datagrams; kUdpQueryBytesMax a query. Allocates in the
//            constructor only.
#ifndef DNSD_DNSD_SERVE_UDP_BATCH_H_
#define DNSD_DNSD_SERVE_UDP_BATCH_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
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

  // Takes what is queued on a non-blocking socket, whose messages are `joined`
  // when it has UDP_GRO. Returns the number of datagrams, 0 if there are none,
  // or a negative errno.
  [[nodiscard]] int Receive(int fd, bool joined = false);
  // Of the last Receive(): the messages they came in, whether those may be
  // joined, and whether they are all that one call takes (not of joined ones).
  [[nodiscard]] size_t message_count() const { return received_count_; }
  [[nodiscard]] bool is_joined() const { return is_joined_; }
  [[nodiscard]] bool is_full() const {
    return received_count_ == kUdpBatchMessages;
  }

  // To be called for each datagram before it is answered. `own` is the
  // address the socket is bound to; on a wildcard address the reply is made
  // to leave from the address that was asked.
  [[nodiscard]] UdpArrival Inspect(size_t index, const SocketAddress& own);

  [[nodiscard]] std::span<const uint8_t> packet(size_t index) const {
    return {datagrams_[index].data, datagrams_[index].size};
  }

  // Where the message came from, and the packet info of a reply to it, which
  // is empty on a socket bound to one address. After Inspect().
  [[nodiscard]] const SocketAddress& client(size_t index) const {
    return clients_[datagrams_[index].message];
  }
  [[nodiscard]] std::span<const uint8_t> control(size_t index) const {
    const size_t message = datagrams_[index].message;
    return {controls_[message].bytes.data(),
            received_[message].msg_hdr.msg_controllen};
  }

  // Where the next answer goes: kResponseBytesMax bytes, if has_room(). If not,
  // Send() makes room.
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
  static constexpr size_t kGroBytes = CMSG_SPACE(sizeof(int));

  // A joined message is as long as an IP packet at the most, and holds what a
  // sender may send as one (UDP_MAX_SEGMENTS). The stride as above.
  static constexpr size_t kJoinedMessages = 16;
  static constexpr size_t kJoinedMax = 128;
  static constexpr size_t kJoinedBytes = 65'536;
  static constexpr size_t kJoinedStride = kJoinedBytes + 128;
  static constexpr size_t kDatagramsMax = kJoinedMessages * kJoinedMax;
  static_assert(kDatagramsMax >= kUdpBatchMessages);

  struct Datagram {
    const uint8_t* data;
    uint32_t size;
    uint16_t message;  // in received_
    bool is_cut;       // not all of it is there
  };
  struct Control {
    alignas(cmsghdr) std::array<uint8_t, kControlBytes + kGroBytes> bytes;
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

  // Where the `message`-th of a call goes.
  [[nodiscard]] iovec RoomOf(size_t message, bool joined) const {
    return joined ? iovec{joined_.get() + message * kJoinedStride, kJoinedBytes}
                  : iovec{packets_.get() + message * kPacketStride,
                          kUdpQueryBytesMax};
  }
  [[nodiscard]] const uint8_t* DataOf(size_t message) const {
    return static_cast<const uint8_t*>(received_iovecs_[message].iov_base);
  }
  void PrepareHeaders(bool joined);
  void SplitMessage(size_t message);
  [[nodiscard]] const msghdr& HeaderOf(size_t index) const {
    return received_[datagrams_[index].message].msg_hdr;
  }
  void BuildSendMessages(bool may_group);
  void SetControl(size_t message, const UdpGroups::Group& group);
  [[nodiscard]] bool MayGroup(int fd);
  [[nodiscard]] bool WaitOnce(int fd);
  // What the kernel refused to send together. Returns how many were sent.
  size_t SendSingly(int fd, const UdpGroups::Group& group,
                    UdpSendResult* result);

  std::unique_ptr<uint8_t[]> packets_;
  std::unique_ptr<uint8_t[]> joined_;  // joined messages
  std::unique_ptr<uint8_t[]> arena_;
  size_t arena_used_ = 0;

  bool is_joined_ = false;  // where received_iovecs_ lead
  size_t received_count_ = 0;
  size_t datagram_count_ = 0;
  std::array<Datagram, kDatagramsMax> datagrams_;
  std::array<mmsghdr, kUdpBatchMessages> received_{};
  std::array<iovec, kUdpBatchMessages> received_iovecs_{};
  std::array<SocketAddress, kUdpBatchMessages> clients_{};
  std::array<Control, kUdpBatchMessages> controls_{};

  size_t answer_count_ = 0;
  std::array<Answer, kUdpBatchMessages> answers_{};
  UdpGroups groups_;
  std::optional<bool> knows_segments_;  // the kernel UDP_SEGMENT, once asked
  int refusals_ = 0;                    // of UDP_SEGMENT, since it worked
  uint32_t sends_alone_ = 0;            // since refusals_ were too many
  bool waited_ = false;                 // for room to send, since Receive()
  std::array<mmsghdr, kUdpBatchMessages> outgoing_{};
  std::array<iovec, kUdpBatchMessages> outgoing_iovecs_{};
  std::array<GroupControl, kUdpBatchMessages> outgoing_controls_{};
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_UDP_BATCH_H_
