#include "tests/testing/frozen_thread.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace dnsd::testing {
namespace {

pid_t LookForThread(pid_t pid, const std::string& name) {
  std::error_code error;
  const std::string tasks = absl::StrCat("/proc/", pid, "/task");
  for (const auto& entry : std::filesystem::directory_iterator(tasks, error)) {
    std::string comm;
    std::getline(std::ifstream(entry.path() / "comm"), comm);
    int thread = 0;
    if (comm == name &&
        absl::SimpleAtoi(entry.path().filename().string(), &thread)) {
      return thread;
    }
  }
  return 0;
}

pid_t FindThread(pid_t pid, const std::string& name) {
  // A thread names itself, a moment after it is there.
  constexpr int kTriesMax = 500;
  constexpr std::chrono::milliseconds kPause(10);
  for (int i = 0; i < kTriesMax; ++i) {
    const pid_t thread = LookForThread(pid, name);
    if (thread != 0) return thread;
    std::this_thread::sleep_for(kPause);
  }
  return 0;
}

}  // namespace

FrozenThread::FrozenThread(pid_t pid, const std::string& name) {
  const pid_t thread = FindThread(pid, name);
  if (thread == 0) {
    error_ = absl::StrCat(pid, " has no thread ", name);
    return;
  }
  if (ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) {
    error_ = absl::StrCat("ptrace: ", strerrordesc_np(errno));
    return;
  }
  thread_ = thread;
  int status = 0;
  if (ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) != 0 ||
      waitpid(thread, &status, __WALL) != thread || !WIFSTOPPED(status)) {
    error_ = absl::StrCat("ptrace does not stop it: ", strerrordesc_np(errno));
  }
}

FrozenThread::~FrozenThread() {
  if (thread_ != 0) ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
}

}  // namespace dnsd::testing
