// Terminal draws screens over each other and reads keys, where standard output
// is a terminal; elsewhere it prints them one after another.
//
// Threads:   the main thread of a command: it takes SIGINT, SIGTERM and
//            SIGWINCH for itself.
// Ownership: gives the terminal back as it was.
#ifndef DNSD_DNSD_CLI_TERMINAL_H_
#define DNSD_DNSD_CLI_TERMINAL_H_

#include <signal.h>
#include <termios.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "dnsd/cli/top_screen.h"
#include "dnsd/socket_address.h"

namespace dnsd {

class Terminal {
 public:
  enum class Event : uint8_t { kTime, kResize, kQuit };

  Terminal();
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  // Of no terminal: as wide as usual, as long as wanted.
  [[nodiscard]] TopScreenSize Size() const;
  // Printable lines.
  void Show(const std::vector<std::string>& lines);
  // Until `deadline`, or until somebody wants something: "q", Ctrl-C and
  // signals to end are kQuit.
  [[nodiscard]] Event Wait(std::chrono::steady_clock::time_point deadline);

 private:
  [[nodiscard]] Event ReadKeys();
  [[nodiscard]] Event ReadSignal() const;

  bool is_terminal_ = false;  // standard output
  bool reads_keys_ = false;   // standard input
  bool has_shown_ = false;
  termios before_{};
  sigset_t mask_before_{};
  UniqueFd signals_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_TERMINAL_H_
