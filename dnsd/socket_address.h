// UniqueFd, SocketAddress and what else everything that has sockets shares.
//
// Threads:   values.
// Ownership: a UniqueFd closes its descriptor.
#ifndef DNSD_DNSD_SOCKET_ADDRESS_H_
#define DNSD_DNSD_SOCKET_ADDRESS_H_

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

namespace dnsd {

// A descriptor that closes itself.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { Reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  void Reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

// Whether a call on a socket that does not block may only be made again later.
[[nodiscard]] inline bool WouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

// Room for an IPv4 or IPv6 address with its port. `sa.sa_family` says which.
union SocketAddress {
  sockaddr sa;
  sockaddr_in v4;
  sockaddr_in6 v6;

  SocketAddress() : v6{} {}
  [[nodiscard]] bool is_v6() const { return sa.sa_family == AF_INET6; }
  [[nodiscard]] socklen_t size() const {
    return is_v6() ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  }
  // The IP address in network order; valid as long as this is.
  [[nodiscard]] std::span<const uint8_t> ip_bytes() const {
    if (is_v6()) return {v6.sin6_addr.s6_addr, 16};
    return {reinterpret_cast<const uint8_t*>(&v4.sin_addr), 4};
  }
  [[nodiscard]] bool operator==(const SocketAddress& other) const {
    return is_v6() == other.is_v6() && std::memcmp(this, &other, size()) == 0;
  }
  // In host order.
  [[nodiscard]] uint16_t port() const {
    return ntohs(is_v6() ? v6.sin6_port : v4.sin_port);
  }
};

// "192.0.2.1" or "2001:db8::1".
[[nodiscard]] inline std::string IpText(const SocketAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.sa.sa_family, address.ip_bytes().data(), text,
            sizeof(text));
  return text;
}

}  // namespace dnsd

#endif  // DNSD_DNSD_SOCKET_ADDRESS_H_
