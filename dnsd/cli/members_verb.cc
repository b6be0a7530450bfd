#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/agent_verbs.h"
#include "dnsd/cli/columns.h"
#include "dnsd/cli/json_text.h"

namespace dnsd {
namespace {

constexpr CommandFlag kFlags[] = {
    {{"detailed", FlagType::kPlainBool}, "Show every tag of the members"},
    {{"segment", FlagType::kString}, "Members of this segment only"},
    {{"status", FlagType::kString},
     "Members whose status this regular expression matches"},
    {{"wan", FlagType::kPlainBool}, "The servers of all datacenters"},
};
constexpr CommandSpec kMembers = {
    "members [options]",
    "Lists the members of the cluster that an agent sees.\n", kFlags, false,
    true};

// What Go's regexp says where RE2 says it otherwise.
std::string RegexpError(const re2::RE2& regexp) {
  const char* what = nullptr;
  switch (regexp.error_code()) {
    case re2::RE2::ErrorMissingBracket:
      what = "missing closing ]";
      break;
    case re2::RE2::ErrorMissingParen:
      what = "missing closing )";
      break;
    case re2::RE2::ErrorRepeatArgument:
      what = "missing argument to repetition operator";
      break;
    default:
      return absl::StrCat("error parsing regexp: ", regexp.error());
  }
  return absl::StrCat("error parsing regexp: ", what, ": `", regexp.error_arg(),
                      "`");
}

std::string StatusName(int64_t status) {
  switch (status) {
    case 0:
      return "none";
    case 1:
      return "alive";
    case 2:
      return "leaving";
    case 3:
      return "left";
    case 4:
      return "failed";
    default:
      return absl::StrCat("unknown status ", status);
  }
}

std::string StatusOf(const Value& member) {
  const Value* const status = FindMember(member, "Status");
  return StatusName(status == nullptr ? 0 : status->integer);
}

std::string AddressOf(const Value& member) {
  const std::string address = MemberText(member, "Addr");
  const Value* const port = FindMember(member, "Port");
  return absl::StrCat(absl::StrContains(address, ':')
                          ? absl::StrCat("[", address, "]")
                          : address,
                      ":", port == nullptr ? 0 : port->integer);
}

// The tags, with the segment that Consul's table has in them.
std::map<std::string, std::string> TagsOf(const Value& member) {
  std::map<std::string, std::string> tags;
  if (const Value* const given = FindMember(member, "Tags")) {
    for (const Member& tag : given->members) tags[tag.key] = tag.value.text;
  }
  const auto role = tags.find("role");
  if (role != tags.end() && role->second == "consul") {
    tags["segment"] = "<all>";
  } else if (tags["segment"].empty()) {
    tags["segment"] = "<default>";
  }
  return tags;
}

TableRow StandardRow(const Value& member) {
  std::map<std::string, std::string> tags = TagsOf(member);
  std::string build = tags["build"];
  build = build.empty() ? "< 0.3" : build.substr(0, build.find(':'));
  TableRow row = {MemberText(member, "Name"), AddressOf(member),
                  StatusOf(member)};
  const std::string role = tags["role"];
  if (role != "node" && role != "consul") {
    row.insert(row.end(), {"unknown", "", "", "", ""});
    return row;
  }
  row.insert(row.end(), {role == "node" ? "client" : "server", build,
                         tags["vsn"], tags["dc"], tags["segment"]});
  return row;
}

TableRow DetailedRow(const Value& member) {
  return {MemberText(member, "Name"), AddressOf(member), StatusOf(member),
          absl::StrJoin(TagsOf(member), ",", absl::PairFormatter("="))};
}

}  // namespace

std::string MembersText(std::vector<Value> members, bool detailed) {
  const auto key = [](const Value& member) {
    return std::make_pair(MemberText(member, "Name"),
                          TagsOf(member)["segment"]);
  };
  std::stable_sort(
      members.begin(), members.end(),
      [&key](const Value& a, const Value& b) { return key(a) < key(b); });
  std::vector<TableRow> rows;
  if (detailed) {
    rows.push_back({"Node", "Address", "Status", "Tags"});
  } else {
    rows.push_back({"Node", "Address", "Status", "Type", "Build", "Protocol",
                    "DC", "Segment"});
  }
  for (const Value& member : members) {
    rows.push_back(detailed ? DetailedRow(member) : StandardRow(member));
  }
  return FormatColumns(rows);
}

int MembersVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kMembers, args, &exit_code);
  if (!command) return exit_code;
  std::string pattern = command->Text("status");
  if (pattern.empty()) pattern = ".*";
  re2::RE2::Options options;
  options.set_log_errors(false);
  const re2::RE2 regexp(pattern, options);
  if (!regexp.ok()) {
    PrintErrorLine(
        absl::StrCat("Failed to compile status regexp: ", RegexpError(regexp)));
    return 1;
  }
  const auto client = ConnectOrSay(*command);
  if (!client) return 1;
  std::string segment = command->Text("segment");
  if (segment.empty()) segment = "_all";
  QueryParameters parameters = {{"segment", segment}};
  if (command->Bool("wan")) parameters.push_back({"wan", "1"});
  absl::StatusOr<Value> members = client->Get("/v1/agent/members", parameters);
  if (!members.ok()) {
    PrintErrorLine(
        absl::StrCat("Error retrieving members: ", members.status().message()));
    return 1;
  }
  std::vector<Value>& list = members->items;
  list.erase(std::remove_if(list.begin(), list.end(),
                            [&regexp](const Value& member) {
                              return !re2::RE2::PartialMatch(StatusOf(member),
                                                             regexp);
                            }),
             list.end());
  if (command->json()) {
    PrintLine(JsonText(*members, JsonLayout::kIndented));
  } else if (!list.empty()) {
    PrintLine(MembersText(list, command->Bool("detailed")));
  }
  return list.empty() ? 2 : 0;
}

}  // namespace dnsd
