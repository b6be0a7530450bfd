#include "tests/documents/reference_text.h"

#include <algorithm>
#include <cstring>
#include <span>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "dnsd/config_keys.h"
#include "dnsd/docs/config_docs.h"

namespace dnsd::testing {
namespace {

constexpr size_t kManualColumns = 78;

const char* TypeWord(KeyType type) {
  switch (type) {
    case KeyType::kString:
      return "text";
    case KeyType::kInt:
      return "number";
    case KeyType::kBool:
      return "boolean";
    case KeyType::kDuration:
      return "duration";
    case KeyType::kStrings:
      return "list";
    case KeyType::kWords:
      return "text or list";
    case KeyType::kSecret:
      return "secret";
    case KeyType::kStringMap:
      return "map";
    case KeyType::kDefinitions:
      return "definitions";
    case KeyType::kBlock:
    case KeyType::kIgnored:
      break;
  }
  return "";
}

bool IsHeading(const ConfigDoc& doc) { return doc.path[0] == ' '; }

std::string TypeOf(const ConfigDoc& doc) {
  const ConfigKey* key = FindConfigKey(doc.path);
  return key == nullptr ? "" : TypeWord(key->type);
}

// "-dns-port", or "" for keys without a flag.
std::string FlagOf(const ConfigDoc& doc) {
  for (const AgentFlag& flag : AgentFlags()) {
    if (flag.path != nullptr && std::strcmp(flag.path, doc.path) == 0) {
      return absl::StrCat("-", flag.name);
    }
  }
  return "";
}

// The name of a field alone; keys are shown whole.
std::string ShownName(const ConfigDoc& doc, bool is_field) {
  const std::string path = doc.path;
  return is_field ? path.substr(path.rfind('.') + 1) : path;
}

std::string DefaultMarkdown(const ConfigDoc& doc) {
  const std::string text = doc.otherwise;
  if (text.empty()) return "";
  if (text.front() == '(') return text.substr(1, text.size() - 2);
  return absl::StrCat("`", text, "`");
}

std::string TableMarkdown(std::span<const ConfigDoc> docs, bool are_fields) {
  std::string out;
  for (const ConfigDoc& doc : docs) {
    if (IsHeading(doc)) {
      absl::StrAppend(&out, out.empty() ? "" : "\n", "## ", doc.path + 1,
                      "\n\n", doc.text, ".\n\n",
                      are_fields
                          ? "| field | default | meaning |\n|---|---|---|"
                            "\n"
                          : "| key | type | default | meaning |\n|---|"
                            "---|---|---|\n");
      continue;
    }
    const std::string flag = are_fields ? "" : FlagOf(doc);
    absl::StrAppend(&out, "| `", ShownName(doc, are_fields), "`",
                    flag.empty() ? "" : absl::StrCat(", `", flag, "`"),
                    are_fields ? "" : absl::StrCat(" | ", TypeOf(doc)), " | ",
                    DefaultMarkdown(doc), " | ",
                    absl::StrReplaceAll(doc.text, {{"|", "\\|"}}),
                    doc.on_reload == OnReload::kNeedsRestart ? " †" : "",
                    " |\n");
  }
  return out;
}

// --- mdoc ---

// Without the marks of Markdown, and with nothing that roff would read.
std::string Plain(std::string text) {
  for (size_t open = text.find("]("); open != std::string::npos;
       open = text.find("](")) {
    text.erase(open, text.find(')', open) - open + 1);
    text.erase(text.rfind('[', open), 1);
  }
  return absl::StrReplaceAll(
      text, {{"`", ""}, {"\\", "\\e"}, {"-", "\\-"}, {"…", "..."}});
}

// Lines of text that none of roff's requests begins, and a new one for each
// sentence.
std::string Wrapped(const std::string& text) {
  std::string out;
  std::string line;
  for (const absl::string_view word :
       absl::StrSplit(Plain(text), absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    if (!line.empty() && (absl::EndsWith(line, ".") ||
                          line.size() + 1 + word.size() > kManualColumns)) {
      absl::StrAppend(&out, line, "\n");
      line.clear();
    }
    if (line.empty() && (word[0] == '.' || word[0] == '\'')) line = "\\&";
    absl::StrAppend(&line, line.empty() || line == "\\&" ? "" : " ", word);
  }
  return absl::StrCat(out, line, "\n");
}

std::string ListManual(std::span<const ConfigDoc> docs, bool are_fields) {
  std::string out;
  bool open = false;
  for (const ConfigDoc& doc : docs) {
    if (IsHeading(doc)) {
      if (open) absl::StrAppend(&out, ".El\n");
      open = true;
      absl::StrAppend(&out, ".Ss ", doc.path + 1, "\n",
                      Wrapped(absl::StrCat(doc.text, ".")),
                      ".Bl -tag -width Ds\n");
      continue;
    }
    const std::string flag = FlagOf(doc);
    const std::string type = TypeOf(doc);
    absl::StrAppend(&out, ".It Ic ", ShownName(doc, are_fields),
                    type.empty() ? "" : absl::StrCat(" No (", type, ")"), "\n",
                    Wrapped(absl::StrCat(doc.text, ".")));
    std::string otherwise = doc.otherwise;
    if (!otherwise.empty()) {
      if (otherwise.front() == '(') {
        otherwise = otherwise.substr(1, otherwise.size() - 2);
      }
      absl::StrAppend(&out, Wrapped(absl::StrCat("Default: ", otherwise, ".")));
    }
    if (!flag.empty() && !are_fields) {
      absl::StrAppend(&out, "Flag:\n.Fl ", flag.substr(1), " .\n");
    }
    if (doc.on_reload == OnReload::kNeedsRestart) {
      absl::StrAppend(&out, "A change needs a restart.\n");
    }
  }
  return open ? absl::StrCat(out, ".El\n") : out;
}

// An option in the help of a verb.
struct HelpItem {
  std::string flag;  // "http-addr=TEXT"
  std::string text;

  bool operator==(const HelpItem&) const = default;
};

// The verb that has the common options and no other.
constexpr char kPlainVerb[] = "reload";

std::vector<HelpItem> HelpItems(const std::string& help) {
  std::vector<HelpItem> items;
  for (absl::string_view line : absl::StrSplit(help, '\n')) {
    if (absl::ConsumePrefix(&line, "  -")) {
      items.push_back({std::string(line), ""});
    } else if (!items.empty() && absl::StartsWith(line, "      ")) {
      absl::StrAppend(&items.back().text, line.substr(5));
    }
  }
  return items;
}

// Less those of `others`; "" where nothing is left.
std::string OptionsManual(const std::vector<HelpItem>& items,
                          const std::vector<HelpItem>& others) {
  std::string out;
  for (const HelpItem& item : items) {
    if (std::find(others.begin(), others.end(), item) != others.end()) continue;
    const size_t equals = item.flag.find('=');
    absl::StrAppend(
        &out, ".It Fl ", item.flag.substr(0, equals),
        equals == std::string::npos
            ? ""
            : absl::StrCat(" Ns = Ns Ar ", item.flag.substr(equals + 1)),
        "\n", Wrapped(absl::StrCat(item.text, ".")));
  }
  return out.empty() ? "" : absl::StrCat(".Bl -tag -width Ds\n", out, ".El\n");
}

}  // namespace

std::string KeysMarkdown() { return TableMarkdown(ConfigDocs(), false); }

std::string DefinitionsMarkdown() {
  return TableMarkdown(DefinitionDocs(), true);
}

std::string IgnoredMarkdown() {
  std::string out;
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.type != KeyType::kIgnored) continue;
    absl::StrAppend(&out, out.empty() ? "" : ",\n", "`", key.path, "`");
  }
  absl::StrAppend(&out, ".\n\nFlags:\n");
  bool first = true;
  for (const AgentFlag& flag : AgentFlags()) {
    if (flag.path != nullptr) continue;
    absl::StrAppend(&out, first ? "" : ",\n", "`-", flag.name, "`");
    first = false;
  }
  return out + ".\n";
}

std::string KeysManual() { return ListManual(ConfigDocs(), false); }

std::string DefinitionsManual() { return ListManual(DefinitionDocs(), true); }

std::string FlagsManual() {
  std::string out = ".Bl -tag -width Ds\n";
  for (const AgentFlag& flag : AgentFlags()) {
    if (flag.path == nullptr) continue;
    const char* value = flag.type == FlagType::kBool  ? ""
                        : flag.type == FlagType::kInt ? " Ns = Ns Ar number"
                                                      : " Ns = Ns Ar value";
    absl::StrAppend(&out, ".It Fl ", flag.name, value, "\n",
                    Wrapped(absl::StrCat(flag.help, ".")));
  }
  return out + ".El\n";
}

std::string VerbsManual(const std::vector<VerbHelp>& verbs) {
  std::string out = ".Bl -tag -width setup-resolver\n";
  for (const VerbHelp& verb : verbs) {
    absl::StrAppend(&out, ".It Cm ", verb.name, "\n",
                    Wrapped(absl::StrCat(verb.summary, ".")));
  }
  return out + ".El\n";
}

std::string VerbOptionsManual(const std::vector<VerbHelp>& verbs) {
  std::vector<HelpItem> common;
  for (const VerbHelp& verb : verbs) {
    if (verb.name == kPlainVerb) common = HelpItems(verb.help);
  }
  std::string out = ".Ss All that ask an agent\n" + OptionsManual(common, {});
  for (const VerbHelp& verb : verbs) {
    const std::string list = OptionsManual(HelpItems(verb.help), common);
    if (list.empty()) continue;
    absl::StrAppend(&out, ".Ss dnsd ", verb.name, "\n", list);
  }
  return out;
}

std::string WithGenerated(const std::string& document, const std::string& name,
                          const std::string& text) {
  const size_t begin = document.find(absl::StrCat("BEGIN GENERATED: ", name));
  if (begin == std::string::npos) return document;
  const size_t from = document.find('\n', begin) + 1;
  const size_t end = document.find("END GENERATED", from);
  if (end == std::string::npos) return document;
  const size_t to = document.rfind('\n', end) + 1;
  return absl::StrCat(document.substr(0, from), text, document.substr(to));
}

}  // namespace dnsd::testing
