// NotifySocket is the service manager's end of sd_notify(3): the datagrams of a
// program under test, whose NOTIFY_SOCKET it is.
//
// Threads: one owner.
// Errors:  waiting has an end, and says nothing then.
#ifndef DNSD_TESTS_TESTING_NOTIFY_SOCKET_H_
#define DNSD_TESTS_TESTING_NOTIFY_SOCKET_H_

#include <chrono>
#include <optional>
#include <string>

#include "tests/testing/process.h"

namespace dnsd::testing {

class NotifySocket {
 public:
  // `address` is a path, or "@" and a name in no directory.
  explicit NotifySocket(const std::string& address);
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // "NOTIFY_SOCKET=..."
  [[nodiscard]] std::string Variable() const;

  // The next datagram.
  [[nodiscard]] std::optional<std::string> Receive(
      std::chrono::milliseconds timeout = kPatience);
  // The next one that begins so; those before it are thrown away.
  [[nodiscard]] std::optional<std::string> WaitFor(
      const std::string& start, std::chrono::milliseconds timeout = kPatience);
  // Throws away what has come so far.
  void Forget();

 private:
  std::string address_;
  int fd_ = -1;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_NOTIFY_SOCKET_H_
