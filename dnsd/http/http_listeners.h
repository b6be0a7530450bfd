// HttpListeners are the listening sockets of a server: bound, or an error that
// says why not.
//
// Threads:   the loop's thread only, and before it runs.
// Ownership: owns the sockets; the loop frees them after Close().
// Errors:    name the address and the reason; kAlreadyExists, kPermissionDenied
//            or kInvalidArgument.
#ifndef DNSD_DNSD_HTTP_HTTP_LISTENERS_H_
#define DNSD_DNSD_HTTP_HTTP_LISTENERS_H_

#include <sys/socket.h>
#include <uv.h>

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "catalog/base/event_loop.h"
#include "dnsd/config.h"

namespace dnsd {

// IP and port; other families do not come here.
[[nodiscard]] Endpoint EndpointOf(const sockaddr_storage& address);

class HttpListeners {
 public:
  // Called with a socket whose next connection can be accepted.
  using Accept = std::function<void(uv_stream_t*)>;

  HttpListeners(EventLoop* loop, Accept accept);
  ~HttpListeners();
  HttpListeners(const HttpListeners&) = delete;
  HttpListeners& operator=(const HttpListeners&) = delete;

  // All of them or, with an error, none.
  [[nodiscard]] absl::Status Listen(const std::vector<Endpoint>& addresses);
  // The addresses really bound (port 0 resolved), in order.
  [[nodiscard]] const std::vector<Endpoint>& listening() const {
    return listening_;
  }

 private:
  struct Socket;

  absl::Status ListenOne(const Endpoint& address, bool ipv6_only);
  void Close(size_t first);

  EventLoop* const loop_;
  const Accept accept_;
  std::vector<Socket*> sockets_;
  std::vector<Endpoint> listening_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_HTTP_LISTENERS_H_
