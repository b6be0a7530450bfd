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
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dnsd/config.h"
#include "dnsd/socket_address.h"

namespace dnsd {

struct ListenSocket {
  UniqueFd fd;
  Endpoint endpoint;  // with the real port
  SocketAddress address;
};

// What one worker listens on.
struct WorkerSockets {
  std::vector<ListenSocket> udp;
  std::vector<ListenSocket> tcp;
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

// Puts a socket that somebody else has bound where it belongs. kInvalidArgument
// for what is no socket of DNS.
[[nodiscard]] absl::Status AdoptSocket(UniqueFd fd, WorkerSockets* sockets);

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_LISTEN_SOCKET_H_
