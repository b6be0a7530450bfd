// TcpListener accepts on a worker's TCP sockets and keeps the connections
// within their limits.
//
// Threads:   one worker's.
// Ownership: owns its listening sockets and connections; borrows the context.
// Errors:    out of descriptors: the longest-idle connection makes room, or
//            accepting pauses. What was closed and why is counted.
// Limits:    TcpLimits.
#ifndef DNSD_DNSD_SERVE_TCP_LISTENER_H_
#define DNSD_DNSD_SERVE_TCP_LISTENER_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "catalog/base/event_loop.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/serve/serve_context.h"
#include "dnsd/serve/tcp_connection.h"

namespace dnsd {

class TcpListener {
 public:
  TcpListener(EventLoop* loop, ServeContext* context, const TcpLimits& limits);
  ~TcpListener();

  // From now on; those too many are closed, the longest-idle first.
  void SetLimits(const TcpLimits& limits);

  // Accepts on one more socket as soon as the loop runs.
  void Listen(ListenSocket socket);

  // Accepts and answers what has arrived, then closes the listening sockets
  // and the sending side of every connection.
  void BeginDrain();
  // Closes connections whose clients have received everything. True when none
  // is left.
  [[nodiscard]] bool FinishDrain();

  [[nodiscard]] size_t connection_count() const { return connections_.size(); }

 private:
  using Connections = std::list<TcpConnection>;
  struct Listening {
    ListenSocket socket;
    std::unique_ptr<Poll> poll;  // destroyed before its descriptor
  };
  enum class Accepted : uint8_t { kOne, kNone, kNoResources };

  void OnAcceptable(int events, size_t index);
  Accepted AcceptOne(int fd);
  void Add(UniqueFd fd, const SocketAddress& address);
  void Refuse(UniqueFd fd);
  void PauseAccepting();
  void ResumeAccepting();

  void OnReady(Connections::iterator connection, int events);
  void Account(Connections::iterator connection, size_t bytes_before);
  void Close(Connections::iterator connection, TcpClose reason);
  void Sweep();

  EventLoop* loop_;
  ServeContext* context_;
  TcpLimits limits_;
  TcpBuffers buffers_;
  std::vector<Listening> listening_;
  bool draining_ = false;

  Connections connections_;  // the longest-idle one first
  Connections closed_;       // freed outside their own callbacks
  absl::flat_hash_map<TcpClient, size_t> client_counts_;
  size_t buffered_bytes_ = 0;  // of all connections_

  PrepareHook reap_;  // frees closed_
  Timer sweep_;       // runs while there are connections
  Timer resume_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_TCP_LISTENER_H_
