// Dialer connects to "host:port" over TCP or UDP as Go's net.Dialer does: the
// addresses of a name in turn, the next one as soon as one has failed or has
// not answered for a while; the first that connects wins.
//
// Threads:   the loop's thread only.
// Ownership: what it opened and did not hand over is closed with it. Not to be
//            destroyed inside its callback.
// Errors:    Go's texts: "dial tcp 127.0.0.1:9: connect: connection refused".
//            When no address works, the first one's.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_DIALER_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_DIALER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/event_loop.h"
#include "catalog/registry/checks/name_resolver.h"

namespace dnsd {

// A socket and the one Poll that watches it. Two Polls of one descriptor would
// take it out of epoll under each other.
class PolledSocket {
 public:
  // Takes the descriptor.
  PolledSocket(EventLoop* loop, int fd);
  ~PolledSocket();
  PolledSocket(const PolledSocket&) = delete;
  PolledSocket& operator=(const PolledSocket&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  // Libuv stops watching a socket with an error; `callback` then gets a
  // negative number once.
  void Watch(int events, std::function<void(int)> callback);
  void SetEvents(int events) { poll_->Start(events); }
  void Stop() { poll_->Stop(); }
  // "127.0.0.1:4711->127.0.0.1:80", as Go's errors name a connection.
  [[nodiscard]] std::string Ends() const;

 private:
  const int fd_;
  std::shared_ptr<const std::function<void(int)>> callback_;
  std::optional<Poll> poll_;  // destroyed before its descriptor
};

class Dialer {
 public:
  // A socket, or nullptr and the error.
  using Done =
      std::function<void(std::unique_ptr<PolledSocket>, const std::string&)>;

  struct Target {
    std::string network;  // "tcp" or "udp"
    std::string address;  // "host:port"
  };

  // `done` may be called from inside this.
  Dialer(EventLoop* loop, NameResolver* names, const Target& target, Done done);
  Dialer(const Dialer&) = delete;
  Dialer& operator=(const Dialer&) = delete;

  // What a dial says that runs out of time now.
  [[nodiscard]] std::string TimeOutText() const;

 private:
  void OnAddresses(const Endpoints& endpoints);
  void TryNext();
  void OnConnect(size_t index);
  void Fail(size_t index, int error);
  void Win(size_t index);

  EventLoop* const loop_;
  const Target target_;
  const Done done_;
  NameResolver::Lookup lookup_;
  std::vector<IpEndpoint> addresses_;
  // As many as were tried; nullptr: failed.
  std::vector<std::unique_ptr<PolledSocket>> sockets_;
  size_t failed_count_ = 0;
  std::string first_error_;
  bool is_done_ = false;
  Timer next_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_DIALER_H_
