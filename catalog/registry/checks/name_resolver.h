// NameResolver finds the addresses of "host:port" without blocking: numbers at
// once, names on libuv's pool, as the system resolves them.
//
// Threads:   the loop's thread only.
// Ownership: destroying it, or a Lookup, ends the interest in the answer; a
//            look-up that is on its way goes on and is forgotten.
// Limits:    kNameLookupsMax at a time, so that a name server that does not
//            answer leaves the pool's other threads alone. The same name is
//            looked up once for all who wait for it; nothing is kept.
// Errors:    Go's texts: "lookup NAME: no such host", "address tcp/x: unknown
//            port".
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_NAME_RESOLVER_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_NAME_RESOLVER_H_

#include <sys/socket.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/base/event_loop.h"

namespace dnsd {

inline constexpr size_t kNameLookupsMax = 2;

struct IpEndpoint {
  sockaddr_storage address;
  socklen_t address_bytes;
  std::string text;  // "127.0.0.1:80", as errors show it
};

struct Endpoints {
  std::string error;  // "": there are addresses
  std::vector<IpEndpoint> addresses;
};

class NameResolver {
 public:
  using Done = std::function<void(const Endpoints&)>;
  // Interest in an answer; destroy it to hear nothing any more.
  using Lookup = std::shared_ptr<const Done>;

  explicit NameResolver(EventLoop* loop);
  ~NameResolver();
  NameResolver(const NameResolver&) = delete;
  NameResolver& operator=(const NameResolver&) = delete;

  // `network` is "tcp" or "udp". `done` may be called from inside this.
  [[nodiscard]] Lookup Resolve(const std::string& network,
                               const std::string& address, Done done);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_NAME_RESOLVER_H_
