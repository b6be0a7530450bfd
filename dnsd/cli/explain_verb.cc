#include "dnsd/cli/explain_verb.h"

#include <cstdio>

#include "absl/strings/str_cat.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/columns.h"
#include "dnsd/cli/command.h"
#include "dnsd/cli/json_text.h"
#include "dnsd/cli/printable.h"

namespace dnsd {
namespace {

constexpr CommandFlag kFlags[] = {
    {{"edns", FlagType::kString},
     "Bytes that the client announces by EDNS, 0: none (default 1232)"},
    {{"tcp", FlagType::kPlainBool}, "As asked over TCP, not UDP"},
};
constexpr CommandSpec kExplain = {
    "explain [options] NAME [TYPE]",
    "Says what DNS would answer for a name, and why: which instances are left\n"
    "out by which check, tag, right or limit, and who is asked for names of\n"
    "others. TYPE is A unless it is given.\n",
    kFlags, false, true};

const std::vector<Value>& ItemsOf(const Value& object, const char* key) {
  static const std::vector<Value> kNone;
  const Value* const list = FindMember(object, key);
  return list == nullptr ? kNone : list->items;
}

void AppendIndented(const std::vector<TableRow>& rows, std::string* text) {
  std::string table = FormatColumns(rows);
  size_t at = 0;
  while (at < table.size()) {
    size_t end = table.find('\n', at);
    if (end == std::string::npos) end = table.size();
    absl::StrAppend(text, "  ", table.substr(at, end - at), "\n");
    at = end + 1;
  }
}

// Names, tags and what checks say are others': nothing of it is to move the
// cursor.
std::string ShownText(const Value& object, const char* name) {
  return Printable(MemberText(object, name));
}

void AppendRecords(const Value& explanation, const char* section,
                   std::string* text) {
  const std::vector<Value>& records = ItemsOf(explanation, section);
  if (records.empty()) return;
  std::vector<TableRow> rows;
  for (const Value& record : records) {
    rows.push_back({ShownText(record, "Name"), ShownText(record, "Ttl"),
                    ShownText(record, "Type"), ShownText(record, "Data")});
  }
  absl::StrAppend(text, "\n", section, ":\n");
  AppendIndented(rows, text);
}

void AppendInstances(const Value& explanation, std::string* text) {
  const std::vector<Value>& instances = ItemsOf(explanation, "Instances");
  if (instances.empty()) return;
  std::vector<TableRow> rows = {
      {"", "Node", "ID", "Address", "Status", "Left out, because"}};
  for (const Value& instance : instances) {
    const Value* const included = FindMember(instance, "Included");
    const bool is_in = included != nullptr && included->boolean;
    rows.push_back({is_in ? "+" : "-", ShownText(instance, "Node"),
                    ShownText(instance, "ServiceID"),
                    absl::StrCat(ShownText(instance, "Address"), ":",
                                 ShownText(instance, "Port")),
                    ShownText(instance, "Status"),
                    ShownText(instance, "Reason")});
  }
  absl::StrAppend(text, "\nInstances (+ are in the answer):\n");
  AppendIndented(rows, text);
}

}  // namespace

std::string ExplanationText(const Value& explanation) {
  const std::string rcode = ShownText(explanation, "Rcode");
  std::string text = absl::StrCat(ShownText(explanation, "Name"), " ",
                                  ShownText(explanation, "Type"), ": ",
                                  rcode.empty() ? "not known yet" : rcode, " (",
                                  ShownText(explanation, "Source"), ", ",
                                  ShownText(explanation, "Kind"), ")\n");
  AppendRecords(explanation, "Answer", &text);
  AppendRecords(explanation, "Authority", &text);
  AppendRecords(explanation, "Additional", &text);
  AppendInstances(explanation, &text);
  absl::StrAppend(&text, "\nWhy:\n");
  for (const Value& step : ItemsOf(explanation, "Steps")) {
    absl::StrAppend(&text, "  * ", Printable(step.text), "\n");
  }
  return text;
}

int ExplainVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kExplain, args, &exit_code);
  if (!command) return exit_code;
  const std::vector<std::string>& words = command->rest();
  if (words.empty() || words.size() > 2) {
    PrintErrorLine("A name is expected, and perhaps a type behind it");
    std::fputs(CommandHelp(kExplain).c_str(), stderr);
    return 1;
  }
  QueryParameters parameters = {{"name", words[0]}};
  if (words.size() == 2) parameters.push_back({"type", words[1]});
  if (command->Bool("tcp")) parameters.push_back({"transport", "tcp"});
  const std::string edns = command->Text("edns");
  if (!edns.empty()) parameters.push_back({"edns", edns});
  const auto client = ConnectOrSay(*command);
  if (!client) return 1;
  const absl::StatusOr<Value> answer =
      client->Get("/v1/dnsd/explain", parameters);
  if (!answer.ok()) {
    PrintErrorLine(
        absl::StrCat("Error explaining: ", answer.status().message()));
    return 1;
  }
  std::fputs(command->json()
                 ? (JsonText(*answer, JsonLayout::kIndented) + "\n").c_str()
                 : ExplanationText(*answer).c_str(),
             stdout);
  return 0;
}

}  // namespace dnsd
