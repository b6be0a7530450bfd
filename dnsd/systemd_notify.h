// SystemdNotify tells the service manager how the agent is, by the datagrams of
// sd_notify(3), of which it needs no more than this.
//
// Threads:   FromEnvironment() before there are any; everything else: any.
// Ownership: owns its socket.
// Errors:    none reach the caller: nobody may be listening, and a manager that
//            does not read in 100 ms misses a datagram.
#ifndef DNSD_DNSD_SYSTEMD_NOTIFY_H_
#define DNSD_DNSD_SYSTEMD_NOTIFY_H_

#include <sys/un.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "dnsd/socket_address.h"

namespace dnsd {

class SystemdNotify {
 public:
  SystemdNotify() = default;  // tells nobody

  // Of NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, which are taken out of
  // the environment: programs that checks run are not to speak for us.
  [[nodiscard]] static SystemdNotify FromEnvironment();

  [[nodiscard]] bool enabled() const { return fd_.valid(); }
  // Without a word of Alive() for so long, the manager ends us; 0: it does not.
  [[nodiscard]] uint64_t watchdog_ms() const { return watchdog_ms_; }

  // Serving, with the configuration as it is.
  void Ready() const;
  void Reloading() const;
  void Stopping() const;
  // What `systemctl status` shows; one line.
  void Status(absl::string_view text) const;
  void Alive() const;

 private:
  void Send(const std::string& message) const;

  UniqueFd fd_;
  sockaddr_un address_{};
  socklen_t address_size_ = 0;
  uint64_t watchdog_ms_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SYSTEMD_NOTIFY_H_
