#include "dnsd/cli/terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace dnsd {
namespace {

// ECMA-48, and the other screen of xterm, which all have.
constexpr char kBegin[] = "\x1b[?1049h\x1b[?25l";
constexpr char kEnd[] = "\x1b[?25h\x1b[?1049l";
constexpr char kHome[] = "\x1b[H";
constexpr char kClearLine[] = "\x1b[K";
constexpr char kClearBelow[] = "\x1b[J";

constexpr char kCtrlC = 3;

}  // namespace

Terminal::Terminal() {
  is_terminal_ = isatty(STDOUT_FILENO) == 1;
  sigset_t wanted;
  sigemptyset(&wanted);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGWINCH}) {
    sigaddset(&wanted, signal);
  }
  sigprocmask(SIG_BLOCK, &wanted, &mask_before_);
  signals_ = UniqueFd(signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!is_terminal_) return;
  if (tcgetattr(STDIN_FILENO, &before_) == 0) {
    reads_keys_ = true;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  std::fputs(kBegin, stdout);
}

Terminal::~Terminal() {
  if (is_terminal_) {
    std::fputs(kEnd, stdout);
    std::fflush(stdout);
  }
  if (reads_keys_) tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  sigprocmask(SIG_SETMASK, &mask_before_, nullptr);
}

TopScreenSize Terminal::Size() const {
  TopScreenSize size;
  size.rows = 0;
  if (!is_terminal_) return size;
  winsize window{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_col == 0) {
    return {};
  }
  return {window.ws_col, window.ws_row};
}

void Terminal::Show(const std::vector<std::string>& lines) {
  std::string text;
  if (is_terminal_) text = kHome;
  if (!is_terminal_ && has_shown_) text += "\n";
  for (size_t i = 0; i < lines.size(); ++i) {
    text += lines[i];
    if (is_terminal_) {
      text += kClearLine;
      // A line end below the last line would scroll.
      if (i + 1 < lines.size()) text += "\r\n";
    } else {
      text.erase(text.find_last_not_of(' ') + 1);
      text += "\n";
    }
  }
  if (is_terminal_) text += kClearBelow;
  has_shown_ = true;
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

Terminal::Event Terminal::Wait(std::chrono::steady_clock::time_point deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd wait[] = {{signals_.get(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    const int ready =
        poll(wait, reads_keys_ ? 2 : 1,
             static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready == 0) return Event::kTime;
    Event event = Event::kTime;
    if ((wait[0].revents & POLLIN) != 0) event = ReadSignal();
    if (event == Event::kTime && reads_keys_ && wait[1].revents != 0) {
      event = ReadKeys();
    }
    if (event != Event::kTime) return event;
  }
}

Terminal::Event Terminal::ReadSignal() const {
  signalfd_siginfo info{};
  if (read(signals_.get(), &info, sizeof(info)) != sizeof(info)) {
    return Event::kTime;
  }
  return info.ssi_signo == SIGWINCH ? Event::kResize : Event::kQuit;
}

Terminal::Event Terminal::ReadKeys() {
  char keys[64];
  const ssize_t count = read(STDIN_FILENO, keys, sizeof(keys));
  if (count <= 0) return Event::kQuit;  // the terminal is gone
  const bool quits = std::any_of(keys, keys + count, [](char key) {
    return key == 'q' || key == 'Q' || key == kCtrlC;
  });
  return quits ? Event::kQuit : Event::kTime;
}

}  // namespace dnsd
