#include "dnsd/cli/watch_plan.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "dnsd/go_flags.h"

namespace dnsd {
namespace {

// The flags that are about some types only.
constexpr const char* kTypeFlags[] = {
    "key", "name", "passingonly", "prefix", "service", "state", "tag"};

struct WatchType {
  const char* name;
  std::vector<absl::string_view> flags;
  absl::StatusOr<WatchPlan> (*make)(const Command&);
};

absl::Status Wrong(absl::string_view what) {
  return absl::InvalidArgumentError(what);
}

absl::StatusOr<WatchPlan> Services(const Command&) {
  return WatchPlan{"", "/v1/catalog/services", {}, WatchShape::kServices};
}

absl::StatusOr<WatchPlan> Nodes(const Command&) {
  return WatchPlan{"", "/v1/catalog/nodes", {}, WatchShape::kNodes};
}

// The spellings of Go's strconv.ParseBool; nothing given is false.
absl::StatusOr<bool> PassingOnly(const Command& command) {
  const std::string text = command.Text("passingonly");
  if (text.empty()) return false;
  const FlagSpec spec[] = {{"x", FlagType::kBool}};
  const GoFlags parsed = ParseGoFlags({absl::StrCat("-x=", text)}, spec);
  if (!parsed.flags.empty()) return parsed.flags[0].boolean;
  return Wrong(absl::StrCat(
      "Failed to parse passingonly flag: strconv.ParseBool: parsing \"", text,
      "\": invalid syntax"));
}

absl::StatusOr<WatchPlan> Instances(const Command& command) {
  const std::string service = command.Text("service");
  if (service.empty()) return Wrong("Must specify a single service to watch");
  WatchPlan plan{"",
                 absl::StrCat("/v1/health/service/", service),
                 {},
                 WatchShape::kInstances};
  const absl::StatusOr<bool> passing = PassingOnly(command);
  if (passing.ok() && *passing) plan.parameters.push_back({"passing", "1"});
  for (const std::string& tag : command.Texts("tag")) {
    plan.parameters.push_back({"tag", tag});
  }
  return plan;
}

absl::StatusOr<WatchPlan> Checks(const Command& command) {
  const std::string service = command.Text("service");
  std::string state = command.Text("state");
  if (!service.empty() && !state.empty()) {
    return Wrong("Cannot specify service and state");
  }
  if (state.empty()) state = "any";
  return WatchPlan{"",
                   service.empty()
                       ? absl::StrCat("/v1/health/state/", state)
                       : absl::StrCat("/v1/health/checks/", service),
                   {},
                   WatchShape::kChecks};
}

absl::StatusOr<WatchPlan> Key(const Command& command) {
  const std::string key = command.Text("key");
  if (key.empty()) return Wrong("Must specify a single key to watch");
  return WatchPlan{"", absl::StrCat("/v1/kv/", key), {}, WatchShape::kKey};
}

absl::StatusOr<WatchPlan> KeyPrefix(const Command& command) {
  const std::string prefix = command.Text("prefix");
  if (prefix.empty()) return Wrong("Must specify a single prefix to watch");
  return WatchPlan{"",
                   absl::StrCat("/v1/kv/", prefix),
                   {{"recurse", ""}},
                   WatchShape::kKeys};
}

absl::StatusOr<WatchPlan> Events(const Command& command) {
  WatchPlan plan{"", "/v1/event/list", {}, WatchShape::kEvents};
  const std::string name = command.Text("name");
  if (!name.empty()) plan.parameters.push_back({"name", name});
  return plan;
}

absl::Status CheckType(const std::string& type) {
  for (const char* known : {"connect_roots", "connect_leaf", "agent_service"}) {
    if (type == known) {
      return Wrong(
          absl::StrCat("Type ", type, " is not supported in the CLI tool"));
    }
  }
  return Wrong(absl::StrCat("Unsupported watch type: ", type));
}

}  // namespace

absl::StatusOr<WatchPlan> MakeWatchPlan(const Command& command) {
  const absl::StatusOr<bool> passing = PassingOnly(command);
  if (!passing.ok()) return passing.status();
  const WatchType types[] = {
      {"services", {}, Services},
      {"nodes", {}, Nodes},
      {"service", {"service", "tag", "passingonly"}, Instances},
      {"checks", {"service", "state"}, Checks},
      {"key", {"key"}, Key},
      {"keyprefix", {"prefix"}, KeyPrefix},
      {"event", {"name"}, Events},
  };
  const std::string type = command.Text("type");
  const auto found =
      std::find_if(std::begin(types), std::end(types),
                   [&type](const WatchType& t) { return type == t.name; });
  if (found == std::end(types)) return CheckType(type);
  absl::StatusOr<WatchPlan> plan = found->make(command);
  if (!plan.ok()) return plan;
  std::vector<std::string> unknown;
  for (const char* flag : kTypeFlags) {
    const auto& flags = found->flags;
    if (!command.Text(flag).empty() &&
        std::find(flags.begin(), flags.end(), flag) == flags.end()) {
      unknown.push_back(flag);
    }
  }
  if (!unknown.empty()) {
    return Wrong(absl::StrCat("Invalid parameters: [",
                              absl::StrJoin(unknown, " "), "]"));
  }
  plan->type = type;
  return plan;
}

}  // namespace dnsd
