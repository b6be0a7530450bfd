#include "dnsd/cli/watch_handler.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace dnsd {
namespace {

sigset_t EndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  return signals;
}

std::string ErrorText(int error) {
  return absl::AsciiStrToLower(strerror(error));
}

// A file in memory with `text` in it, to be read from its beginning; -1 when
// there is none to be had. A pipe would fill when the command does not read.
int FileOf(const std::string& text) {
  const int fd = memfd_create("dnsd-watch", MFD_CLOEXEC);
  if (fd < 0) return -1;
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = pwrite(fd, text.data() + done, text.size() - done,
                                 static_cast<off_t>(done));
    if (wrote <= 0) {
      close(fd);
      return -1;
    }
    done += static_cast<size_t>(wrote);
  }
  return fd;
}

// The process's environment with CONSUL_INDEX in it.
std::vector<std::string> Environment(uint64_t index) {
  std::vector<std::string> variables;
  for (char** at = environ; *at != nullptr; ++at) {
    if (!absl::StartsWith(*at, "CONSUL_INDEX=")) variables.emplace_back(*at);
  }
  variables.push_back(absl::StrCat("CONSUL_INDEX=", index));
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>* texts) {
  std::vector<char*> pointers;
  for (std::string& text : *texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// 0, or why it did not start.
int Spawn(std::vector<std::string> argv, uint64_t index, int input,
          pid_t* pid) {
  std::vector<std::string> variables = Environment(index);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  const int error =
      posix_spawnp(pid, argv[0].c_str(), &actions, &attributes,
                   Pointers(&argv).data(), Pointers(&variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

absl::Status StartError(const std::string& program, int error) {
  const bool in_path = absl::StrContains(program, '/');
  if (!in_path && error == ENOENT) {
    return absl::NotFoundError(
        absl::StrCat("Error starting handler: exec: \"", program,
                     "\": executable file not found in $PATH"));
  }
  return absl::UnknownError(absl::StrCat("Error starting handler: fork/exec ",
                                         program, ": ", ErrorText(error)));
}

absl::Status EndOf(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  const std::string how =
      WIFEXITED(status)
          ? absl::StrCat("exit status ", WEXITSTATUS(status))
          : absl::StrCat("signal: ",
                         absl::AsciiStrToLower(strsignal(WTERMSIG(status))));
  return absl::UnknownError(absl::StrCat("Error executing handler: ", how));
}

}  // namespace

WatchHandler::WatchHandler(std::vector<std::string> command, bool shell)
    : child_(std::make_shared<Child>()) {
  if (!command.empty() && shell) {
    const char* program = std::getenv("SHELL");
    argv_ = {program == nullptr || *program == '\0' ? "/bin/sh" : program, "-c",
             absl::StrJoin(command, " ")};
  } else {
    argv_ = std::move(command);
  }
  const sigset_t signals = EndingSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread(EndOnSignal, child_).detach();
}

void WatchHandler::EndOnSignal(const std::shared_ptr<Child>& child) {
  const sigset_t signals = EndingSignals();
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
  // To the end: no command starts any more.
  child->mutex.lock();
  if (child->pid > 0) kill(child->pid, signal);
  _exit(0);
}

absl::Status WatchHandler::Run(uint64_t index, const std::string& json) {
  std::fflush(stdout);
  const int input = FileOf(json);
  if (input < 0) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "Error starting handler: cannot keep its input: ", ErrorText(errno)));
  }
  pid_t pid = 0;
  {
    const std::lock_guard<std::mutex> lock(child_->mutex);
    const int error = Spawn(argv_, index, input, &pid);
    close(input);
    if (error != 0) return StartError(argv_[0], error);
    child_->pid = pid;
  }
  siginfo_t ended;
  while (waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT) < 0 &&
         errno == EINTR) {
  }
  const std::lock_guard<std::mutex> lock(child_->mutex);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  child_->pid = 0;
  return EndOf(status);
}

}  // namespace dnsd
