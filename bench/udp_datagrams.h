// UDP on the loopback interface, as the load and the yardsticks use it: sockets
// with room, and buffers of many datagrams that the kernel cuts and joins.
//
// Threads: any; no state.
#ifndef DNSD_BENCH_UDP_DATAGRAMS_H_
#define DNSD_BENCH_UDP_DATAGRAMS_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "catalog/base/check.h"

namespace dnsd::testing {

inline constexpr size_t kDatagramBytesMax = 1500;
// Of many datagrams in one buffer.
inline constexpr size_t kSegmentsBytesMax = 65'536;
// From one such buffer to the next: were it a power of two, the beginnings of
// all would compete for the same lines of the cache.
inline constexpr size_t kSegmentsStride = kSegmentsBytesMax + 320;
// What kernels of before 6.9 cut a buffer into at most.
inline constexpr size_t kSegmentsMax = 64;

[[nodiscard]] inline sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// With room for all that may come at once.
[[nodiscard]] inline int OpenUdp(int flags) {
  constexpr int kReceiveBytes = 4 << 20;
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0);
  DNSD_CHECK(fd >= 0);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes,
                 sizeof(kReceiveBytes)) != 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBytes,
               sizeof(kReceiveBytes));
  }
  return fd;
}

inline void ReceiveInSegments(int fd) {
  const int one = 1;
  DNSD_CHECK(setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one)) == 0);
}

// Room beside a message for the size of its segments.
class SegmentControl {
 public:
  void Attach(msghdr* header) {
    header->msg_control = bytes_.data();
    header->msg_controllen = bytes_.size();
  }
  // Has the kernel cut what is sent into datagrams of `size` bytes.
  void Cut(msghdr* header, size_t size) {
    Attach(header);
    header->msg_controllen = CMSG_SPACE(sizeof(uint16_t));
    cmsghdr* control = CMSG_FIRSTHDR(header);
    control->cmsg_level = IPPROTO_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    const auto bytes = static_cast<uint16_t>(size);
    std::memcpy(CMSG_DATA(control), &bytes, sizeof(bytes));
  }

 private:
  alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(int))> bytes_{};
};

// The size of the datagrams in a buffer of `size` bytes that was received; all
// but the last have it.
[[nodiscard]] inline size_t SegmentBytes(msghdr* header, size_t size) {
  for (cmsghdr* control = CMSG_FIRSTHDR(header); control != nullptr;
       control = CMSG_NXTHDR(header, control)) {
    if (control->cmsg_level != IPPROTO_UDP || control->cmsg_type != UDP_GRO) {
      continue;
    }
    int bytes = 0;
    std::memcpy(&bytes, CMSG_DATA(control), sizeof(bytes));
    if (bytes > 0) return static_cast<size_t>(bytes);
  }
  return size;
}

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_UDP_DATAGRAMS_H_
