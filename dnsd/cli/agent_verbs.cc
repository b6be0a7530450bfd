#include "dnsd/cli/agent_verbs.h"

#include <cstdio>
#include <map>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/json_text.h"

namespace dnsd {
namespace {

constexpr CommandSpec kInfo = {"info [options]",
                               "Prints what an agent knows about itself.\n",
                               {},
                               false,
                               true};
constexpr CommandSpec kReload = {
    "reload [options]",
    "Makes an agent read its configuration files again.\n",
    {}};
constexpr CommandSpec kLeave = {
    "leave [options]", "Makes an agent leave its cluster and end.\n", {}};

int Fail(absl::string_view what, const absl::Status& status) {
  PrintErrorLine(absl::StrCat(what, ": ", status.message()));
  return 1;
}

}  // namespace

absl::StatusOr<std::string> InfoText(const Value& self) {
  const Value* const stats = FindMember(self, "Stats");
  if (stats == nullptr) {
    return absl::InvalidArgumentError(
        "Agent response did not contain 'Stats' key");
  }
  std::map<std::string, std::map<std::string, std::string>> sections;
  for (const Member& section : stats->members) {
    for (const Member& entry : section.value.members) {
      sections[section.key][entry.key] = entry.value.text;
    }
  }
  std::string text;
  for (const auto& [name, entries] : sections) {
    absl::StrAppend(&text, name, ":\n");
    for (const auto& [key, value] : entries) {
      absl::StrAppend(&text, "\t", key, " = ", value, "\n");
    }
  }
  return text;
}

int InfoVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kInfo, args, &exit_code);
  if (!command) return exit_code;
  const auto client = ConnectOrSay(*command);
  if (!client) return 1;
  const absl::StatusOr<Value> self = client->Get("/v1/agent/self", {});
  if (!self.ok()) return Fail("Error querying agent", self.status());
  if (command->json()) {
    PrintLine(JsonText(*self, JsonLayout::kIndented));
    return 0;
  }
  const absl::StatusOr<std::string> text = InfoText(*self);
  if (!text.ok()) {
    PrintErrorLine(text.status().message());
    return 1;
  }
  std::fputs(text->c_str(), stdout);
  return 0;
}

int ReloadVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kReload, args, &exit_code);
  if (!command) return exit_code;
  const auto client = ConnectOrSay(*command);
  if (!client) return 1;
  const auto answer = client->Ask("PUT", "/v1/agent/reload", {});
  if (!answer.ok()) return Fail("Error reloading", answer.status());
  PrintLine("Configuration reload triggered");
  return 0;
}

int LeaveVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kLeave, args, &exit_code);
  if (!command) return exit_code;
  if (!command->rest().empty()) {
    PrintErrorLine(absl::StrCat("Error found unexpected args: [",
                                absl::StrJoin(command->rest(), " "), "]"));
    std::fputs(CommandHelp(kLeave).c_str(), stdout);
    return 1;
  }
  const auto client = ConnectOrSay(*command);
  if (!client) return 1;
  const auto answer = client->Ask("PUT", "/v1/agent/leave", {});
  if (!answer.ok()) return Fail("Error leaving", answer.status());
  PrintLine("Graceful leave complete");
  return 0;
}

}  // namespace dnsd
