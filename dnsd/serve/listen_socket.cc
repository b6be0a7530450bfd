#include "dnsd/serve/listen_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "dnsd/limits.h"

namespace dnsd {
namespace {

// How often to look for a port that is free over UDP and TCP. Only a machine
// with nearly all ports taken needs more than one try.
constexpr int kProbesMax = 256;

enum class Sharing : bool { kAlone, kReusePort };

const char* Protocol(int type) { return type == SOCK_DGRAM ? "udp" : "tcp"; }

absl::Status ListenError(const Endpoint& endpoint, int type, int error) {
  const std::string what = absl::StrCat(
      "cannot listen on ", EndpointText(endpoint), " ", Protocol(type), ": ");
  switch (error) {
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(absl::StrCat(
          what,
          "permission denied (to use ports below 1024: run as root, grant the "
          "capability with \"setcap cap_net_bind_service=+ep <binary>\", or "
          "AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit)"));
    case EADDRINUSE:
      return absl::AlreadyExistsError(absl::StrCat(
          what,
          "address already in use (is another DNS server running on it?)"));
    case EADDRNOTAVAIL:
    case ENODEV:
      return absl::NotFoundError(
          absl::StrCat(what, "no such address on this machine"));
    case EAFNOSUPPORT:
      return absl::UnavailableError(
          absl::StrCat(what, "this machine has no IPv6, or no IPv4"));
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError(
          absl::StrCat(what, "too many open files (raise LimitNOFILE)"));
    default:
      return absl::UnavailableError(absl::StrCat(what, strerrordesc_np(error)));
  }
}

bool Set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof(value)) == 0;
}

// Binds without listening. Returns 0 or an errno.
int Bind(const SocketAddress& address, int type, Sharing sharing,
         UniqueFd* fd) {
  *fd = UniqueFd(
      socket(address.sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd->valid()) return errno;
  // Never on UDP: there it would share the port.
  if (type == SOCK_STREAM && !Set(fd->get(), SOL_SOCKET, SO_REUSEADDR, 1)) {
    return errno;
  }
  if (sharing == Sharing::kReusePort &&
      !Set(fd->get(), SOL_SOCKET, SO_REUSEPORT, 1)) {
    return errno;
  }
  // [::] means IPv6 only, so that it can stand beside 0.0.0.0 and replies need
  // no mapped addresses.
  if (address.is_v6() && !Set(fd->get(), IPPROTO_IPV6, IPV6_V6ONLY, 1)) {
    return errno;
  }
  return bind(fd->get(), &address.sa, address.size()) == 0 ? 0 : errno;
}

// Family 0 when it has none that is of IP.
SocketAddress AddressOf(int fd) {
  SocketAddress address;
  socklen_t size = sizeof(address);
  if (getsockname(fd, &address.sa, &size) != 0 ||
      (address.sa.sa_family != AF_INET && !address.is_v6())) {
    return SocketAddress();
  }
  return address;
}

// -1 for what is no socket.
int Get(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof(value);
  return getsockopt(fd, level, name, &value, &size) == 0 ? value : -1;
}

bool IsWildcard(const SocketAddress& address) {
  return address.is_v6() ? IN6_IS_ADDR_UNSPECIFIED(&address.v6.sin6_addr) != 0
                         : address.v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

// Buffer sizes are a wish: a smaller buffer loses packets, it does not break.
// FORCE passes the system's limit where we may. One that is large enough, and
// may be so by the rights of another, stays: the kernel shows twice the wish.
void SetBuffer(int fd, int forced_name, int name, int bytes) {
  if (Get(fd, SOL_SOCKET, name) >= 2 * bytes) return;
  if (!Set(fd, SOL_SOCKET, forced_name, bytes))
    Set(fd, SOL_SOCKET, name, bytes);
}

// Returns 0 or an errno.
int SetUdpOptions(int fd, const SocketAddress& address) {
  SetBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, kUdpReceiveBufferBytes);
  SetBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, kUdpSendBufferBytes);
  // Forged "fragmentation needed" messages must not shrink the path MTU;
  // answers are small enough as they are. Best effort.
  if (address.is_v6()) {
    Set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
  } else {
    Set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  }
  if (!IsWildcard(address)) return 0;
  const bool ok = address.is_v6() ? Set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                                  : Set(fd, IPPROTO_IP, IP_PKTINFO, 1);
  return ok ? 0 : errno;
}

// Inherited by accepted sockets. With Nagle's algorithm the last answers of a
// pipeline wait 40 ms for a delayed acknowledgement.
void SetTcpOptions(int fd) { Set(fd, IPPROTO_TCP, TCP_NODELAY, 1); }

absl::StatusOr<ListenSocket> Listen(const Endpoint& endpoint, int type) {
  absl::StatusOr<SocketAddress> address = ToSocketAddress(endpoint);
  if (!address.ok()) return address.status();
  ListenSocket socket{UniqueFd(), endpoint, *address};
  int error = Bind(*address, type, Sharing::kReusePort, &socket.fd);
  if (error == 0 && type == SOCK_DGRAM) {
    error = SetUdpOptions(socket.fd.get(), *address);
  }
  if (error == 0 && type == SOCK_STREAM) {
    SetTcpOptions(socket.fd.get());
    if (listen(socket.fd.get(), kTcpBacklog) != 0) error = errno;
  }
  if (error != 0) return ListenError(endpoint, type, error);
  return socket;
}

}  // namespace

absl::StatusOr<SocketAddress> ToSocketAddress(const Endpoint& endpoint) {
  SocketAddress address;
  if (inet_pton(AF_INET, endpoint.ip.c_str(), &address.v4.sin_addr) == 1) {
    address.v4.sin_family = AF_INET;
    address.v4.sin_port = htons(endpoint.port);
    return address;
  }
  address = SocketAddress();
  const size_t percent = endpoint.ip.find('%');
  const std::string ip = endpoint.ip.substr(0, percent);
  if (inet_pton(AF_INET6, ip.c_str(), &address.v6.sin6_addr) != 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", endpoint.ip, "\" is not an IP address"));
  }
  address.v6.sin6_family = AF_INET6;
  address.v6.sin6_port = htons(endpoint.port);
  if (percent != std::string::npos) {
    const std::string zone = endpoint.ip.substr(percent + 1);
    address.v6.sin6_scope_id = if_nametoindex(zone.c_str());
    if (address.v6.sin6_scope_id == 0) {
      return absl::NotFoundError(absl::StrCat(
          "\"", endpoint.ip, "\": no network interface \"", zone, "\""));
    }
  }
  return address;
}

std::string EndpointText(const Endpoint& endpoint) {
  if (endpoint.ip.find(':') != std::string::npos) {
    return absl::StrCat("[", endpoint.ip, "]:", endpoint.port);
  }
  return absl::StrCat(endpoint.ip, ":", endpoint.port);
}

absl::StatusOr<uint16_t> ProbePort(const Endpoint& endpoint) {
  absl::StatusOr<SocketAddress> address = ToSocketAddress(endpoint);
  if (!address.ok()) return address.status();
  int error = 0;
  for (int probe = 0; probe < kProbesMax; ++probe) {
    UniqueFd udp;
    error = Bind(*address, SOCK_DGRAM, Sharing::kAlone, &udp);
    if (error != 0) return ListenError(endpoint, SOCK_DGRAM, error);
    SocketAddress same_port = *address;
    const uint16_t port = AddressOf(udp.get()).port();
    (same_port.is_v6() ? same_port.v6.sin6_port : same_port.v4.sin_port) =
        htons(port);
    UniqueFd tcp;
    error = Bind(same_port, SOCK_STREAM, Sharing::kAlone, &tcp);
    // Two sockets may be bound with SO_REUSEADDR as long as none listens.
    if (error == 0 && listen(tcp.get(), 1) != 0) error = errno;
    if (error == 0) return port;
    if (error != EADDRINUSE || endpoint.port != 0) break;
  }
  return ListenError(endpoint, SOCK_STREAM, error);
}

absl::StatusOr<ListenSocket> ListenUdp(const Endpoint& endpoint) {
  return Listen(endpoint, SOCK_DGRAM);
}

absl::StatusOr<ListenSocket> ListenTcp(const Endpoint& endpoint) {
  return Listen(endpoint, SOCK_STREAM);
}

absl::Status AdoptSocket(UniqueFd fd, WorkerSockets* sockets) {
  const int type = Get(fd.get(), SOL_SOCKET, SO_TYPE);
  const SocketAddress address = AddressOf(fd.get());
  if (address.sa.sa_family == 0 ||
      (type != SOCK_DGRAM && type != SOCK_STREAM)) {
    return absl::InvalidArgumentError("neither UDP nor TCP");
  }
  ListenSocket socket{
      std::move(fd), {IpText(address), address.port()}, address};
  const int number = socket.fd.get();
  if (address.is_v6() && IsWildcard(address) &&
      Get(number, IPPROTO_IPV6, IPV6_V6ONLY) == 0) {
    return absl::InvalidArgumentError(
        "[::] has to be of IPv6 only: BindIPv6Only=ipv6-only, and 0.0.0.0 "
        "beside it");
  }
  if (fcntl(number, F_SETFD, FD_CLOEXEC) != 0 ||
      fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK) != 0) {
    return absl::UnavailableError(strerrordesc_np(errno));
  }
  if (type == SOCK_STREAM) {
    if (Get(number, SOL_SOCKET, SO_ACCEPTCONN) != 1) {
      return absl::InvalidArgumentError(
          "a connection, and not a socket that listens: Accept=no");
    }
    SetTcpOptions(number);
    sockets->tcp.push_back(std::move(socket));
    return absl::OkStatus();
  }
  const int error = SetUdpOptions(number, address);
  if (error != 0) return ListenError(socket.endpoint, type, error);
  sockets->udp.push_back(std::move(socket));
  return absl::OkStatus();
}

}  // namespace dnsd
