#include "dnsd/cli/monitor_verb.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/command.h"

namespace dnsd {
namespace {

constexpr CommandFlag kFlags[] = {
    {{"log-json", FlagType::kPlainBool}, "Lines are JSON"},
    {{"log-level", FlagType::kString},
     "trace, debug, info, warn or error (info)"},
};
constexpr CommandSpec kMonitor = {
    "monitor [options]",
    "Shows the log of an agent from now on, line by line, until Ctrl-C. Its\n"
    "level is that of -log-level, also where the agent writes less itself.\n",
    kFlags};

// What was printed before is out already.
void EndWell(int /*signal*/) { _exit(0); }

int Fail(const absl::Status& status) {
  PrintErrorLine(absl::StrCat("Error starting monitor: ", status.message()));
  return 1;
}

}  // namespace

std::string MonitorText(absl::string_view lines) {
  std::string text;
  text.reserve(lines.size());
  for (const char c : lines) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_iscntrl(byte) && c != '\n' && c != '\t') {
      absl::StrAppendFormat(&text, "\\x%02x", byte);
    } else {
      text.push_back(c);
    }
  }
  return text;
}

int MonitorVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kMonitor, args, &exit_code);
  if (!command) return exit_code;
  if (!RefuseWords(*command)) return 1;
  const auto client = ConnectOrSay(*command);
  if (!client) return 1;
  QueryParameters parameters;
  const std::string level = command->Text("log-level");
  parameters.push_back({"loglevel", level.empty() ? "INFO" : level});
  if (command->Bool("log-json")) parameters.push_back({"logjson", "true"});
  signal(SIGINT, EndWell);
  signal(SIGTERM, EndWell);
  bool has_begun = false;
  const auto answer = client->Stream(
      "/v1/agent/monitor", parameters, [&has_begun](absl::string_view piece) {
        has_begun = true;
        std::fputs(MonitorText(piece).c_str(), stdout);
        std::fflush(stdout);
      });
  if (has_begun) {
    // However that came about: it has no end of its own.
    PrintLine(
        "\nRemote side ended the monitor! This usually means that the\n"
        "remote side has exited or crashed.");
    return 1;
  }
  return Fail(answer.ok() ? UnexpectedStatus(*answer) : answer.status());
}

}  // namespace dnsd
