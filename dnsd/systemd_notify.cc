#include "dnsd/systemd_notify.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "catalog/base/monotonic_time.h"
#include "dnsd/taken_variable.h"

namespace dnsd {
namespace {

constexpr suseconds_t kSendUs = 100'000;

// A path, or "@" and a name that is in no directory. 0: it is neither.
socklen_t ReadAddress(const std::string& text, sockaddr_un* address) {
  if (text.empty() || (text[0] != '/' && text[0] != '@') ||
      text.size() >= sizeof(address->sun_path)) {
    return 0;
  }
  address->sun_family = AF_UNIX;
  std::memcpy(address->sun_path, text.data(), text.size());
  if (text[0] == '@') address->sun_path[0] = '\0';
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size());
}

}  // namespace

SystemdNotify SystemdNotify::FromEnvironment() {
  SystemdNotify notify;
  const std::string socket_name = TakeVariable("NOTIFY_SOCKET");
  const std::string watchdog_us = TakeVariable("WATCHDOG_USEC");
  const std::string watchdog_pid = TakeVariable("WATCHDOG_PID");
  notify.address_size_ = ReadAddress(socket_name, &notify.address_);
  if (notify.address_size_ == 0) return notify;
  notify.fd_ = UniqueFd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!notify.fd_.valid()) return notify;
  const timeval timeout{0, kSendUs};
  setsockopt(notify.fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout,
             sizeof(timeout));
  uint64_t us = 0;
  if (absl::SimpleAtoi(watchdog_us, &us) &&
      (watchdog_pid.empty() || watchdog_pid == absl::StrCat(getpid()))) {
    notify.watchdog_ms_ = us / 1'000;
  }
  return notify;
}

void SystemdNotify::Ready() const { Send("READY=1"); }

// The time tells the manager that this is the reload it has asked for.
void SystemdNotify::Reloading() const {
  Send(absl::StrCat("RELOADING=1\nMONOTONIC_USEC=", MonotonicNs() / 1'000));
}

void SystemdNotify::Stopping() const { Send("STOPPING=1"); }

void SystemdNotify::Status(absl::string_view text) const {
  Send(absl::StrCat("STATUS=", absl::StrReplaceAll(text, {{"\n", " "}})));
}

void SystemdNotify::Alive() const { Send("WATCHDOG=1"); }

void SystemdNotify::Send(const std::string& message) const {
  if (!enabled()) return;
  (void)sendto(fd_.get(), message.data(), message.size(), MSG_NOSIGNAL,
               reinterpret_cast<const sockaddr*>(&address_), address_size_);
}

}  // namespace dnsd
