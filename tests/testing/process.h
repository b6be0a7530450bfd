// Process is a child program under test: started, watched, signalled, reaped.
//
// Threads:   one owner; a thread of its own collects what the child prints.
// Ownership: a child still running at the end is killed and reaped. It also
//            dies with the test program, should ctest kill that.
// Errors:    what cannot be started exits with 127 and says why in output().
// Limits:    every wait has an end; a test that waits in vain fails.
#ifndef DNSD_TESTS_TESTING_PROCESS_H_
#define DNSD_TESTS_TESTING_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace dnsd::testing {

// Long enough for a sanitizer build on a busy machine; only failures wait it
// out.
inline constexpr std::chrono::seconds kPatience{30};

class Process {
 public:
  // argv[0] is looked up in PATH. Standard output and standard error go into
  // output(), in the order they were written; standard input is empty.
  explicit Process(const std::vector<std::string>& argv);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string output() const;
  // Where output() ends now: for "what was printed after this".
  [[nodiscard]] size_t OutputBytes() const;

  // True as soon as `text` stands in the output behind `from`; false when the
  // child closed its output or the time is over before that.
  [[nodiscard]] bool WaitForOutput(
      const std::string& text, size_t from = 0,
      std::chrono::milliseconds timeout = kPatience);

  void Signal(int signal) const;
  // SIGSTOP, and waits until all threads stand still.
  void Pause() const;
  // The exit code, or 128 + the signal that ended it; nothing if it still runs
  // when the time is over.
  [[nodiscard]] std::optional<int> Wait(
      std::chrono::milliseconds timeout = kPatience);

 private:
  void Collect(int fd);

  pid_t pid_ = -1;
  std::optional<int> exit_code_;
  mutable std::mutex mutex_;  // guards what the collecting thread shares
  std::condition_variable grown_;
  std::string output_;
  bool closed_ = false;
  std::thread collector_;
};

struct Finished {
  int exit_code = -1;  // -1: it had to be killed
  std::string output;
};

// Runs a program to its end.
[[nodiscard]] Finished RunToEnd(const std::vector<std::string>& argv,
                                std::chrono::milliseconds timeout = kPatience);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_PROCESS_H_
