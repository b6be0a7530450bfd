// PassedSockets are the DNS sockets that the service manager has bound for us
// (sd_listen_fds(3)). It keeps them while we restart, and what clients send
// meanwhile waits in them.
//
// A worker has sockets of its own, so there are as many workers as sockets of
// one address: a unit lists an address several times, with ReusePort=yes, for
// several workers. Where sockets are passed, the configuration's addresses of
// DNS and its number of workers do not count.
//
// Threads:   FromEnvironment() before there are any; then one owner.
// Ownership: owns the descriptors until Take().
// Errors:    name the address and what the unit should say.
#ifndef DNSD_DNSD_PASSED_SOCKETS_H_
#define DNSD_DNSD_PASSED_SOCKETS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dnsd/config.h"
#include "dnsd/serve/listen_socket.h"

namespace dnsd {

// Where they listen, and how many workers that makes; 0: none are passed.
struct PassedAddresses {
  std::vector<Endpoint> dns_listen;
  int workers = 0;

  void Override(Config* config) const;
};

class PassedSockets {
 public:
  PassedSockets() = default;  // none

  // Of LISTEN_FDS and LISTEN_PID, which are taken out of the environment.
  [[nodiscard]] static absl::StatusOr<PassedSockets> FromEnvironment();

  [[nodiscard]] const PassedAddresses& addresses() const { return addresses_; }
  // Those of one more worker, `addresses().workers` times; then none.
  [[nodiscard]] WorkerSockets Take();

 private:
  [[nodiscard]] absl::Status FindAddresses();

  PassedAddresses addresses_;
  WorkerSockets sockets_;  // of all workers
};

}  // namespace dnsd

#endif  // DNSD_DNSD_PASSED_SOCKETS_H_
