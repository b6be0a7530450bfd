#include "dnsd/cli/top_verb.h"

#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/registry/definition.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/command.h"
#include "dnsd/cli/printable.h"
#include "dnsd/cli/terminal.h"
#include "dnsd/cli/top_screen.h"
#include "dnsd/cli/top_stats.h"

namespace dnsd {
namespace {

// Keys and Ctrl-C wait as long for an agent that hangs.
constexpr int64_t kAnswerWaitMs = 2'000;

constexpr CommandFlag kFlags[] = {
    {{"interval", FlagType::kString}, "Time between two screens (1s)"},
    {{"n", FlagType::kPlainInt}, "Screens to show; 0: until q is pressed (0)"},
};
constexpr CommandSpec kTop = {
    "top [options]",
    "Shows what an agent does: queries by type and rcode, latency, cache,\n"
    "forwarders, source, and the names asked for most. The first screen is of\n"
    "all since the agent's start, each other of the time since the one "
    "before.\n"
    "q ends it. What is no terminal gets screens as plain text.\n",
    kFlags};

class Top {
 public:
  Top(const AgentClient* client, std::chrono::nanoseconds interval,
      int64_t screens)
      : client_(client), interval_(interval), screens_(screens) {}

  int Run() {
    absl::StatusOr<Value> first = Ask();
    if (!first.ok()) {
      PrintErrorLine(
          absl::StrCat("Error querying agent: ", first.status().message()));
      return 1;
    }
    now_ = ReadTopStats(*first);
    shown_ = now_;
    seconds_ = now_.uptime_s;
    Terminal terminal;
    for (int64_t screen = 1;; ++screen) {
      Show(&terminal);
      if (screen == screens_) return 0;
      if (!WaitForNext(&terminal)) return 0;
      Next(Ask());
    }
  }

 private:
  [[nodiscard]] absl::StatusOr<Value> Ask() const {
    return client_->Get("/v1/dnsd/stats", {});
  }

  // False: it is to end.
  bool WaitForNext(Terminal* terminal) {
    const auto deadline =
        std::chrono::steady_clock::now() +
        std::chrono::duration_cast<std::chrono::steady_clock::duration>(
            interval_);
    for (;;) {
      switch (terminal->Wait(deadline)) {
        case Terminal::Event::kTime:
          return true;
        case Terminal::Event::kQuit:
          return false;
        case Terminal::Event::kResize:
          Show(terminal);
          break;
      }
    }
  }

  void Next(const absl::StatusOr<Value>& answer) {
    error_.clear();
    if (!answer.ok()) {
      error_ = std::string(answer.status().message());
      return;
    }
    TopStats next = ReadTopStats(*answer);
    // An agent that began anew counts from its start.
    const bool is_new = next.uptime_s < now_.uptime_s;
    seconds_ = is_new ? next.uptime_s : next.time_s - now_.time_s;
    shown_ = is_new ? next : Since(now_, next);
    now_ = std::move(next);
  }

  void Show(Terminal* terminal) const {
    std::vector<std::string> lines =
        TopScreen(shown_, seconds_, terminal->Size());
    if (!error_.empty() && !lines.empty()) {
      lines[0] = absl::StrCat("No answer: ", Printable(error_))
                     .substr(0, terminal->Size().columns);
    }
    terminal->Show(lines);
  }

  const AgentClient* client_;
  const std::chrono::nanoseconds interval_;
  const int64_t screens_;  // 0: without end
  TopStats now_;
  TopStats shown_;
  double seconds_ = 0;  // that shown_ is of
  std::string error_;
};

// Nothing, after saying why, when it is none.
std::optional<std::chrono::nanoseconds> ReadInterval(const Command& command) {
  const std::string text = command.Text("interval");
  std::chrono::nanoseconds interval = std::chrono::seconds(1);
  if (!text.empty() && (!ParseGoDuration(text, &interval) ||
                        interval < std::chrono::milliseconds(100))) {
    PrintErrorLine(absl::StrCat("-interval: \"", text,
                                "\" is no duration of at least 100ms"));
    return std::nullopt;
  }
  return interval;
}

}  // namespace

int TopVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kTop, args, &exit_code);
  if (!command) return exit_code;
  if (!RefuseWords(*command)) return 1;
  const auto interval = ReadInterval(*command);
  if (!interval) return 1;
  const int64_t screens = command->Int("n");
  if (screens < 0) {
    PrintErrorLine(absl::StrCat("-n: ", screens, " is negative"));
    return 1;
  }
  auto client = ConnectOrSay(*command);
  if (!client) return 1;
  client->WaitAtMost(kAnswerWaitMs);
  return Top(&*client, *interval, screens).Run();
}

}  // namespace dnsd
