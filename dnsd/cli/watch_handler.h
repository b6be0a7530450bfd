// WatchHandler runs a command for every change that `watch` sees, with the
// JSON on its standard input and the index in CONSUL_INDEX.
//
// Threads: Run() on the main thread. A thread of its own, which lives as long
//          as the process, waits for SIGINT and SIGTERM: it passes the signal
//          on to the command that runs and ends the process with 0. The
//          constructor blocks these signals for the threads started later.
// Errors:  Run() says why the command did not start or did not succeed.
#ifndef DNSD_DNSD_CLI_WATCH_HANDLER_H_
#define DNSD_DNSD_CLI_WATCH_HANDLER_H_

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace dnsd {

class WatchHandler {
 public:
  // `command` may be empty: then there is nothing to Run(), only the signals.
  // With a shell ($SHELL, else /bin/sh) the words are one line for it.
  WatchHandler(std::vector<std::string> command, bool shell);

  [[nodiscard]] bool has_command() const { return !argv_.empty(); }
  // Returns when the command has ended.
  [[nodiscard]] absl::Status Run(uint64_t index, const std::string& json);

 private:
  // The command that runs. The lock is held while it starts and while it is
  // reaped, so that a signal neither misses it nor hits another process.
  struct Child {
    std::mutex mutex;
    pid_t pid = 0;  // 0: none
  };

  static void EndOnSignal(const std::shared_ptr<Child>& child);

  std::vector<std::string> argv_;
  std::shared_ptr<Child> child_;  // the thread's too
};

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_WATCH_HANDLER_H_
