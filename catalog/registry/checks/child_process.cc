#include "catalog/registry/checks/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/registry/checks/go_text.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

// Of one turn of the loop, in 16 KiB: a child that writes without end shares
// the loop with others.
constexpr int kReadsOfTurnMax = 16;

// What was killed is gone within this; what hangs in the kernel is init's.
constexpr int kDeathMs = 1'000;

// glibc 2.36 has this only for C++20 in <sys/pidfd.h>.
int OpenPidFd(pid_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
}

bool IsExecutable(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
         (status.st_mode & 0111) != 0;
}

// As Go's exec.LookPath: a name with a slash is a path. "": not found.
std::string FindProgram(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* const path = std::getenv("PATH");
  for (const auto part : absl::StrSplit(path == nullptr ? "" : path, ':')) {
    const std::string full = absl::StrCat(part.empty() ? "." : part, "/", name);
    if (IsExecutable(full)) return full;
  }
  return "";
}

}  // namespace

ProcessWatch::ProcessWatch(EventLoop* loop, int pid_fd)
    : pid_fd_(pid_fd), poll_(loop, pid_fd, [this](int) {
        const auto on_end = on_end_;
        if (on_end) on_end();
      }) {
  poll_.Start(UV_READABLE);
}

ProcessWatch::~ProcessWatch() {
  poll_.Stop();
  close(pid_fd_);
}

bool ProcessWatch::Reap(int* exit_code) const {
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(pid_fd_), &info, WEXITED | WNOHANG) !=
      0) {
    return errno != EINTR;  // somebody else has reaped it
  }
  if (info.si_pid == 0) return false;
  *exit_code = info.si_code == CLD_EXITED ? info.si_status : -1;
  return true;
}

void ProcessWatch::WaitForEnd(int timeout_ms) const {
  pollfd ended{.fd = pid_fd_, .events = POLLIN, .revents = 0};
  poll(&ended, 1, timeout_ms);
}

ChildReaper::ChildReaper(EventLoop* loop) : sweep_(loop, [this] { Sweep(); }) {}

ChildReaper::~ChildReaper() {
  int ignored = 0;
  for (const auto& dead : dead_) {
    dead->WaitForEnd(kDeathMs);
    (void)dead->Reap(&ignored);
  }
}

void ChildReaper::Take(std::unique_ptr<ProcessWatch> dead) {
  ProcessWatch* const watch = dead.get();
  dead_.push_back(std::move(dead));
  // Not here: a Poll is not destroyed in its callback.
  watch->Watch([this, watch] {
    watch->Stop();
    sweep_.Start(0);
  });
  sweep_.Start(0);
}

void ChildReaper::Sweep() {
  const auto is_gone = [](const std::unique_ptr<ProcessWatch>& dead) {
    int ignored = 0;
    return dead->Reap(&ignored);
  };
  dead_.erase(std::remove_if(dead_.begin(), dead_.end(), is_gone), dead_.end());
}

ChildProcess::ChildProcess(EventLoop* loop, ChildReaper* reaper,
                           const std::vector<std::string>& args,
                           Callbacks callbacks)
    : loop_(loop), reaper_(reaper), callbacks_(std::move(callbacks)) {
  const std::string path = FindProgram(args[0]);
  if (path.empty()) {
    error_ = absl::StrCat("exec: ", GoQuoted(args[0]),
                          ": executable file not found in $PATH");
    return;
  }
  Spawn(path, args);
}

ChildProcess::~ChildProcess() {
  output_.reset();
  if (pipe_ >= 0) close(pipe_);
  if (pid_ < 0 || is_reaped_) return;
  kill(-pid_, SIGKILL);
  reaper_->Take(std::move(watch_));
}

void ChildProcess::Spawn(const std::string& path,
                         const std::vector<std::string>& args) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    error_ = absl::StrCat("pipe2: ", GoErrno(errno));
    return;
  }
  // Ours alone does not block: the child's end is another description.
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
  // Whoever forgot O_CLOEXEC, the child does not have it.
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP |
                                            POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> argv;
  argv.reserve(args.size() + 1);
  for (const std::string& arg : args) {
    argv.push_back(const_cast<char*>(arg.c_str()));
  }
  argv.push_back(nullptr);
  const int error = posix_spawn(&pid_, path.c_str(), &actions, &attributes,
                                argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  pipe_ = ends[0];
  if (error != 0) {
    pid_ = -1;
    error_ = absl::StrCat("fork/exec ", path, ": ", GoErrno(error));
    return;
  }
  const int pid_fd = OpenPidFd(pid_);
  if (pid_fd < 0) {
    error_ = absl::StrCat("pidfd_open: ", GoErrno(errno));
    kill(-pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);  // it is dead
    pid_ = -1;
    return;
  }
  watch_ = std::make_unique<ProcessWatch>(loop_, pid_fd);
  watch_->Watch([this] { OnExit(); });
  output_ = std::make_unique<Poll>(loop_, pipe_, [this](int) { OnReadable(); });
  output_->Start(UV_READABLE);
}

void ChildProcess::OnReadable() {
  std::array<char, 16u << 10> buffer;
  for (int i = 0; i < kReadsOfTurnMax && !is_closed_; ++i) {
    const ssize_t bytes = read(pipe_, buffer.data(), buffer.size());
    if (bytes < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (bytes <= 0) {
      is_closed_ = true;
      output_->Stop();
    } else {
      callbacks_.on_output({buffer.data(), static_cast<size_t>(bytes)});
    }
  }
  EndIfDone();
}

// The leader is reaped only when its output is closed, too: until then its
// number is the group's, and whom to kill at the timeout.
void ChildProcess::OnExit() {
  watch_->Stop();
  has_exited_ = true;
  EndIfDone();
}

void ChildProcess::EndIfDone() {
  if (!has_exited_ || !is_closed_) return;
  is_reaped_ = watch_->Reap(&exit_code_);
  callbacks_.on_end(exit_code_);
}

}  // namespace dnsd
