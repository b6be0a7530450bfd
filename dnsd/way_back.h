// ReturnPath and WayBack say where the answer to a query goes that was not
// answered at once.
//
// Threads:   values, of one worker.
// Ownership: a UDP socket outlives the queries that came by it; a connection
//            that ends says so to who keeps its queries.
#ifndef DNSD_DNSD_WAY_BACK_H_
#define DNSD_DNSD_WAY_BACK_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "dnsd/socket_address.h"

namespace dnsd {

class TcpConnection;

// The length in front of a message over TCP (RFC 1035 section 4.2.2).
inline constexpr size_t kLengthBytes = 2;

// As the listener has it: nothing is copied before it must be.
struct ReturnPath {
  TcpConnection* connection = nullptr;  // nullptr: over UDP
  int fd = -1;                          // UDP
  SocketAddress client;
  std::span<const uint8_t> control;  // the reply's packet info; may be empty
  uint64_t since_ns = 0;             // when it was received, MonotonicNs()
};

// The same to keep.
struct WayBack {
  explicit WayBack(const ReturnPath& path)
      : connection(path.connection),
        fd(path.fd),
        client(path.client),
        control(reinterpret_cast<const char*>(path.control.data()),
                path.control.size()),
        since_ns(path.since_ns) {}

  [[nodiscard]] ReturnPath path() const {
    return {connection,
            fd,
            client,
            {reinterpret_cast<const uint8_t*>(control.data()), control.size()},
            since_ns};
  }

  TcpConnection* connection;
  int fd;
  SocketAddress client;
  std::string control;
  uint64_t since_ns;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_WAY_BACK_H_
