#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/agent_verbs.h"
#include "dnsd/cli/json_text.h"

namespace dnsd {
namespace {

constexpr CommandFlag kFlags[] = {
    {{"disable", FlagType::kPlainBool}, "End the maintenance"},
    {{"enable", FlagType::kPlainBool}, "Begin the maintenance"},
    {{"reason", FlagType::kString}, "Why, for those who see the check"},
    {{"service", FlagType::kString},
     "Id of the service that is meant; default: the node"},
};
constexpr CommandSpec kMaint = {
    "maint [options]",
    "Takes a node or a service out of all answers, and brings it back.\n"
    "Without -enable and -disable: lists what is in maintenance.\n",
    kFlags, false, true};

constexpr char kNodeCheck[] = "_node_maintenance";
constexpr char kServiceCheck[] = "_service_maintenance:";

int Fail(absl::string_view what, const absl::Status& status) {
  PrintErrorLine(absl::StrCat(what, ": ", status.message()));
  return 1;
}

// The agent's checks by their ids, only those of maintenance.
absl::StatusOr<Value> MaintenanceChecks(const AgentClient& client) {
  absl::StatusOr<Value> checks = client.Get("/v1/agent/checks", {});
  if (!checks.ok()) return checks;
  Value found;
  found.kind = Value::Kind::kObject;
  for (const Member& check : checks->members) {
    if (check.key == kNodeCheck || absl::StartsWith(check.key, kServiceCheck)) {
      found.members.push_back(check);
    }
  }
  return found;
}

int List(const Command& command, const AgentClient& client) {
  const absl::StatusOr<Value> self = client.Get("/v1/agent/self", {});
  if (!self.ok()) return Fail("Error querying Consul agent", self.status());
  const absl::StatusOr<Value> checks = MaintenanceChecks(client);
  if (!checks.ok()) return Fail("Error querying Consul agent", checks.status());
  if (command.json()) {
    PrintLine(JsonText(*checks, JsonLayout::kIndented));
    return 0;
  }
  const Value* const config = FindMember(*self, "Config");
  for (const Member& check : checks->members) {
    if (check.key == kNodeCheck) {
      PrintLine("Node:");
      PrintLine(absl::StrCat(
          "  Name:   ",
          config == nullptr ? "" : MemberText(*config, "NodeName")));
    } else {
      PrintLine("Service:");
      PrintLine(
          absl::StrCat("  ID:     ", MemberText(check.value, "ServiceID")));
    }
    PrintLine(absl::StrCat("  Reason: ", MemberText(check.value, "Notes")));
    PrintLine("");
  }
  return 0;
}

int Switch(const Command& command, const AgentClient& client, bool enable) {
  const std::string service = command.Text("service");
  const std::string what = service.empty() ? "node" : "service";
  QueryParameters parameters = {{"enable", enable ? "true" : "false"}};
  if (enable) parameters.push_back({"reason", command.Text("reason")});
  const std::string path =
      service.empty() ? "/v1/agent/maintenance"
                      : absl::StrCat("/v1/agent/service/maintenance/", service);
  const auto answer = client.Ask("PUT", path, parameters);
  if (!answer.ok()) {
    return Fail(absl::StrCat("Error ", enable ? "enabling" : "disabling", " ",
                             what, " maintenance"),
                answer.status());
  }
  const char* const state = enable ? "enabled" : "disabled";
  if (service.empty()) {
    PrintLine(absl::StrCat("Node maintenance is now ", state));
  } else {
    PrintLine(absl::StrCat("Service maintenance is now ", state, " for \"",
                           service, "\""));
  }
  return 0;
}

}  // namespace

int MaintVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kMaint, args, &exit_code);
  if (!command) return exit_code;
  const bool enable = command->Bool("enable");
  const bool disable = command->Bool("disable");
  const char* wrong = nullptr;
  if (enable && disable) {
    wrong = "Only one of -enable or -disable may be provided";
  } else if (!enable && !command->Text("reason").empty()) {
    wrong = "Reason may only be provided with -enable";
  } else if (!enable && !disable && !command->Text("service").empty()) {
    wrong = "Service requires either -enable or -disable";
  }
  if (wrong != nullptr) {
    PrintErrorLine(wrong);
    return 1;
  }
  const auto client = ConnectOrSay(*command);
  if (!client) return 1;
  if (!enable && !disable) return List(*command, *client);
  return Switch(*command, *client, enable);
}

}  // namespace dnsd
