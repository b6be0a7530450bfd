// ListenSocket is a bound UDP or TCP socket of one worker.
//
// Threads:   plain functions and values; no shared state.
// Ownership: ListenSocket owns its descriptor.
// Errors:    "cannot listen on <address>:<port> <udp|tcp>: <why> (<what to
//            do>)". On failure nothing stays bound.
#ifndef DNSD_DNSD_SERVE_LISTEN_SOCKET_H_
#define DNSD_DNSD_SERVE_LISTEN_SOCKET_H_

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "dnsd/config.h"

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
  void Reset();

 private:
  int fd_ = -1;
};

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
  // In host order.
  [[nodiscard]] uint16_t port() const {
    return ntohs(is_v6() ? v6.sin6_port : v4.sin_port);
  }
};

struct ListenSocket {
  UniqueFd fd;
  Endpoint endpoint;  // with the real port
  SocketAddress address;
};

// The socket address of an endpoint; `ip` may carry a zone ("fe80::1%eth0").
[[nodiscard]] absl::StatusOr<SocketAddress> ToSocketAddress(
    const Endpoint& endpoint);

// "127.0.0.1:53", "[::1]:53".
[[nodiscard]] std::string EndpointText(const Endpoint& endpoint);

// Makes sure that nobody else uses the endpoint's port, over UDP and TCP, and
// returns it; for port 0 one that is free over both. SO_REUSEPORT alone would
// let two processes of one user share a port in silence.
[[nodiscard]] absl::StatusOr<uint16_t> ProbePort(const Endpoint& endpoint);

// Sockets that share their port with those of other workers of the same user.
// The port must not be 0.
[[nodiscard]] absl::StatusOr<ListenSocket> ListenUdp(const Endpoint& endpoint);
[[nodiscard]] absl::StatusOr<ListenSocket> ListenTcp(const Endpoint& endpoint);

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_LISTEN_SOCKET_H_
