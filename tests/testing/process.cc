#include "tests/testing/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

// Runs in the child: only what is safe between fork and exec.
[[noreturn]] void BecomeProgram(char* const* argv, int output) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execvp(argv[0], argv);
  const char* why = strerrordesc_np(errno);
  (void)!write(STDERR_FILENO, why, std::strlen(why));
  _exit(127);
}

int ExitCode(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

Process::Process(const std::vector<std::string>& argv) {
  std::vector<char*> pointers;
  for (const std::string& argument : argv) {
    pointers.push_back(const_cast<char*>(argument.c_str()));
  }
  pointers.push_back(nullptr);
  std::array<int, 2> ends{};
  DNSD_CHECK(pipe2(ends.data(), O_CLOEXEC) == 0);
  pid_ = fork();
  DNSD_CHECK(pid_ >= 0);
  if (pid_ == 0) BecomeProgram(pointers.data(), ends[1]);
  close(ends[1]);
  collector_ = std::thread([this, fd = ends[0]] { Collect(fd); });
}

Process::~Process() {
  if (!exit_code_.has_value()) {
    Signal(SIGKILL);
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
  }
  collector_.join();
}

void Process::Collect(int fd) {
  std::array<char, 4096> buffer;
  while (true) {
    const ssize_t bytes = read(fd, buffer.data(), buffer.size());
    if (bytes < 0 && errno == EINTR) continue;
    const std::lock_guard lock(mutex_);
    if (bytes <= 0) {
      closed_ = true;
      grown_.notify_all();
      break;
    }
    output_.append(buffer.data(), static_cast<size_t>(bytes));
    grown_.notify_all();
  }
  close(fd);
}

std::string Process::output() const {
  const std::lock_guard lock(mutex_);
  return output_;
}

size_t Process::OutputBytes() const {
  const std::lock_guard lock(mutex_);
  return output_.size();
}

bool Process::WaitForOutput(const std::string& text, size_t from,
                            std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::unique_lock lock(mutex_);
  while (output_.find(text, from) == std::string::npos) {
    if (closed_) return false;
    if (grown_.wait_until(lock, deadline) == std::cv_status::timeout) {
      return output_.find(text, from) != std::string::npos;
    }
  }
  return true;
}

void Process::Signal(int signal) const {
  if (!exit_code_.has_value()) kill(pid_, signal);
}

void Process::Pause() const {
  Signal(SIGSTOP);
  siginfo_t stopped{};
  waitid(P_PID, static_cast<id_t>(pid_), &stopped, WSTOPPED | WNOWAIT);
}

std::optional<int> Process::Wait(std::chrono::milliseconds timeout) {
  if (exit_code_.has_value()) return exit_code_;
  // glibc 2.36 declares pidfd_open() for C only.
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  DNSD_CHECK(fd >= 0);
  pollfd ended{fd, POLLIN, 0};
  const int ready = poll(&ended, 1, static_cast<int>(timeout.count()));
  close(fd);
  if (ready <= 0) return std::nullopt;
  int status = 0;
  DNSD_CHECK(waitpid(pid_, &status, 0) == pid_);
  exit_code_ = ExitCode(status);
  // Its last words are complete once the pipe is closed. A grandchild that
  // kept the pipe must not hold us up.
  std::unique_lock lock(mutex_);
  grown_.wait_for(lock, timeout, [this] { return closed_; });
  return exit_code_;
}

Finished RunToEnd(const std::vector<std::string>& argv,
                  std::chrono::milliseconds timeout) {
  Process process(argv);
  const std::optional<int> code = process.Wait(timeout);
  return {code.value_or(-1), process.output()};
}

}  // namespace dnsd::testing
