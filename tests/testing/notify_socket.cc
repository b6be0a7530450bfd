#include "tests/testing/notify_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"

namespace dnsd::testing {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

NotifySocket::NotifySocket(const std::string& address)
    : address_(address), fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  DNSD_CHECK(!address.empty() && address.size() < sizeof(to.sun_path));
  std::memcpy(to.sun_path, address.data(), address.size());
  if (address[0] == '@') to.sun_path[0] = '\0';
  const auto size =
      static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  DNSD_CHECK(bind(fd_, reinterpret_cast<const sockaddr*>(&to), size) == 0);
}

NotifySocket::~NotifySocket() { close(fd_); }

std::string NotifySocket::Variable() const {
  return absl::StrCat("NOTIFY_SOCKET=", address_);
}

std::optional<std::string> NotifySocket::Receive(milliseconds timeout) {
  pollfd readable{fd_, POLLIN, 0};
  if (poll(&readable, 1, static_cast<int>(timeout.count())) <= 0) {
    return std::nullopt;
  }
  std::array<char, 4096> text;
  const ssize_t size = recv(fd_, text.data(), text.size(), MSG_DONTWAIT);
  if (size < 0) return std::nullopt;
  return std::string(text.data(), static_cast<size_t>(size));
}

std::optional<std::string> NotifySocket::WaitFor(const std::string& start,
                                                 milliseconds timeout) {
  const auto end = steady_clock::now() + timeout;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<milliseconds>(end - steady_clock::now());
    std::optional<std::string> next = Receive(std::max(left, milliseconds(0)));
    if (!next || absl::StartsWith(*next, start)) return next;
  }
}

void NotifySocket::Forget() {
  while (Receive(milliseconds(0))) {
  }
}

}  // namespace dnsd::testing
