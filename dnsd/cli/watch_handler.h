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

#include <atomic>
#include <cstdint>
#include <memory>
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
  std::vector<std::string> argv_;
  // 0: none runs. Written by Run(), read by the thread; a signal that comes
  // between the start and the store is only not passed on.
  std::shared_ptr<std::atomic<pid_t>> child_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_WATCH_HANDLER_H_
