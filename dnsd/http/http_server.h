// HttpServer speaks HTTP/1.1 on the sync thread's loop: llhttp on uv_tcp, with
// TLS between the two (tls_session.h) where it listens with TLS.
// It parses, limits and frames; what a path means is in routes.h.
//
// Threads:   the loop's thread only. Not to be destroyed inside a handler.
// Ownership: owns its sockets and connections. A Reply may outlive both
//            (http_reply.h).
// Errors:    Listen() names the address and the reason. Malformed requests get
//            400, too long ones 413 or 431, and the connection is closed.
// Limits:    dnsd/limits.h: header and body bytes, connections per client IP
//            (429 above it, as Consul), header and idle time; requests in
//            flight (http_in_flight.h), of one client (429) and in all (503):
//            the connection goes on after those. A request that
//            waits for its answer, or is being streamed, has all the time it
//            wants, as long as the client takes what there is. A handshake
//            has its own time; who is above a limit gets its answer after it.
#ifndef DNSD_DNSD_HTTP_HTTP_SERVER_H_
#define DNSD_DNSD_HTTP_HTTP_SERVER_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "catalog/base/event_loop.h"
#include "dnsd/config.h"
#include "dnsd/http/http_message.h"
#include "dnsd/http/http_reply.h"
#include "dnsd/limits.h"

namespace dnsd {

class TlsContext;

// What a configuration or a test may set otherwise; the rest is in limits.h.
struct HttpLimits {
  size_t head_bytes_max = kHttpHeadBytesMax;
  size_t body_bytes_max = kHttpBodyBytesMax;
  size_t connections_max = kHttpConnectionsMax;
  size_t connections_per_client_max = kHttpConnectionsPerClientMax;
  size_t requests_max = kHttpRequestsMax;
  size_t requests_per_client_max = kHttpRequestsPerClientMax;
  uint64_t handshake_ms = kHttpHandshakeMs;
  uint64_t head_ms = kHttpHeadMs;
  uint64_t idle_ms = kHttpIdleMs;
  uint64_t half_close_ms = kHttpHalfCloseMs;
  uint64_t linger_ms = kHttpLingerMs;
};

// Since the start, but for requests_in_flight.
struct HttpCounts {
  uint64_t refused = 0;             // above connections_per_client_max
  uint64_t requests_refused = 0;    // above requests_max or ..._per_client_max
  uint64_t requests_in_flight = 0;  // now
  uint64_t handshakes = 0;          // of TLS, that succeeded
  uint64_t handshake_failures = 0;  // that did not, or not in time
};

class HttpServer {
 public:
  // The request lives until the handler returns; its answer may come later, and
  // later requests of the same connection wait for it. Meanwhile the client is
  // watched: Reply::OnClosed() says when it leaves. (What it sends behind the
  // request is read up to kHttpPipelinedBytesMax; then nothing is noticed.)
  using Reply = HttpReply;
  using Handler = std::function<void(const HttpRequest&, Reply)>;

  HttpServer(EventLoop* loop, Handler handler, HttpLimits limits = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // All of them or, with an error, none.
  [[nodiscard]] absl::Status Listen(const std::vector<Endpoint>& addresses);
  [[nodiscard]] absl::Status ListenTls(const std::vector<Endpoint>& addresses,
                                       std::shared_ptr<const TlsContext> tls);
  // For connections that come from now on.
  void SetTls(std::shared_ptr<const TlsContext> tls);
  void SetConnectionsPerClientMax(size_t count);
  void SetRequestsMax(size_t count, size_t per_client);
  // The addresses really bound (port 0 resolved), in order.
  [[nodiscard]] const std::vector<Endpoint>& listening() const;
  [[nodiscard]] const std::vector<Endpoint>& listening_tls() const;
  [[nodiscard]] HttpCounts counts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_HTTP_SERVER_H_
