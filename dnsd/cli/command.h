// Command reads the words after a verb: the flags that Consul's commands have
// in common, those of the verb itself, and what is left.
//
// Threads: one owner; a plain value.
// Errors:  ParseCommand() prints them, worded as Go words them, and the help
//          of the verb; its caller ends with the exit code it says.
#ifndef DNSD_DNSD_CLI_COMMAND_H_
#define DNSD_DNSD_CLI_COMMAND_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "dnsd/go_flags.h"

namespace dnsd {

struct CommandFlag {
  FlagSpec spec;
  const char* help;  // one line
};

struct CommandSpec {
  const char* usage;    // "members [options]"
  const char* summary;  // lines, each with its line end
  std::span<const CommandFlag> flags;
  // Whether -datacenter and -stale are flags of it.
  bool asks_servers = false;
  // Whether it lists, so that -format is a flag of it.
  bool lists = false;
  // Whether it asks an agent, so that the common flags are flags of it.
  bool asks_agent = true;
};

class Command {
 public:
  Command(const CommandSpec* spec, GoFlags given)
      : spec_(spec), given_(std::move(given)) {}

  // The last value given, or what stands for nothing.
  [[nodiscard]] std::string Text(absl::string_view name) const;
  [[nodiscard]] bool Bool(absl::string_view name, bool otherwise = false) const;
  [[nodiscard]] int64_t Int(absl::string_view name) const;
  // Every value given, in order.
  [[nodiscard]] std::vector<std::string> Texts(absl::string_view name) const;

  // -format=json
  [[nodiscard]] bool json() const { return Text("format") == "json"; }
  [[nodiscard]] const std::vector<std::string>& rest() const {
    return given_.rest;
  }
  [[nodiscard]] const CommandSpec& spec() const { return *spec_; }

 private:
  [[nodiscard]] const GivenFlag* Find(absl::string_view name) const;

  const CommandSpec* spec_;
  GoFlags given_;
};

// Nothing, with the exit code, when the verb ends here: after -help, or after
// errors. `spec` must outlive the command.
[[nodiscard]] std::optional<Command> ParseCommand(
    const CommandSpec& spec, const std::vector<std::string>& args,
    int* exit_code);

// The verb's help.
[[nodiscard]] std::string CommandHelp(const CommandSpec& spec);

// A line on standard output or standard error.
void PrintLine(absl::string_view text);
void PrintErrorLine(absl::string_view text);

// False, after saying so, when words follow that mean nothing.
[[nodiscard]] bool RefuseWords(const Command& command);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_COMMAND_H_
