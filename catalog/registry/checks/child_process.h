// ChildProcess is a program that a check runs: in a process group of its own,
// with nothing on its standard input, and with no descriptor of ours but the
// pipe that its output comes through.
//
// Threads:   the loop's thread only.
// Ownership: destroying it kills the whole group and leaves the dead to the
//            ChildReaper. Not to be destroyed inside its callbacks.
// Errors:    what cannot be started is Go's text, in error().
// Cost:      posix_spawn() shares the memory until the program starts, so it
//            costs the same however large this process is.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_CHILD_PROCESS_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_CHILD_PROCESS_H_

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/base/event_loop.h"

namespace dnsd {

// A descriptor of a process, and what waits for its end.
class ProcessWatch {
 public:
  // Takes the descriptor.
  ProcessWatch(EventLoop* loop, int pid_fd);
  ~ProcessWatch();
  ProcessWatch(const ProcessWatch&) = delete;
  ProcessWatch& operator=(const ProcessWatch&) = delete;

  void Watch(std::function<void()> on_end) { on_end_ = std::move(on_end); }
  // Reaps it if it has ended. The exit code, or -1 for a signal.
  [[nodiscard]] bool Reap(int* exit_code) const;
  // Waits at most `timeout_ms` for its end.
  void WaitForEnd(int timeout_ms) const;
  void Stop() { poll_.Stop(); }

 private:
  const int pid_fd_;
  std::function<void()> on_end_;
  Poll poll_;
};

// Reaps what was killed.
class ChildReaper {
 public:
  explicit ChildReaper(EventLoop* loop);
  // Waits for the rest, shortly: they are dead.
  ~ChildReaper();
  ChildReaper(const ChildReaper&) = delete;
  ChildReaper& operator=(const ChildReaper&) = delete;

  void Take(std::unique_ptr<ProcessWatch> dead);
  [[nodiscard]] size_t count() const { return dead_.size(); }

 private:
  void Sweep();

  std::vector<std::unique_ptr<ProcessWatch>> dead_;
  Timer sweep_;
};

class ChildProcess {
 public:
  struct Callbacks {
    std::function<void(absl::string_view)> on_output;
    // It has ended and closed its output, and so have its children. The exit
    // code, -1 after a signal.
    std::function<void(int)> on_end;
  };

  // Callbacks come from the loop.
  ChildProcess(EventLoop* loop, ChildReaper* reaper,
               const std::vector<std::string>& args, Callbacks callbacks);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // "": it runs.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void Spawn(const std::string& path, const std::vector<std::string>& args);
  void OnReadable();
  void OnExit();
  void EndIfDone();

  EventLoop* const loop_;
  ChildReaper* const reaper_;
  const Callbacks callbacks_;
  std::string error_;
  pid_t pid_ = -1;
  int pipe_ = -1;
  int exit_code_ = -1;
  bool has_exited_ = false;
  bool is_closed_ = false;  // its output
  bool is_reaped_ = false;
  std::unique_ptr<Poll> output_;
  std::unique_ptr<ProcessWatch> watch_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_CHILD_PROCESS_H_
