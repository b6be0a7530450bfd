#include "dnsd/cli/command.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

constexpr CommandFlag kCommonFlags[] = {
    {{"ca-file", FlagType::kString},
     "Certificates of authorities to trust (CONSUL_CACERT)"},
    {{"ca-path", FlagType::kString},
     "Directory of such certificates (CONSUL_CAPATH)"},
    {{"client-cert", FlagType::kString},
     "Certificate to show to the server (CONSUL_CLIENT_CERT)"},
    {{"client-key", FlagType::kString}, "Its key (CONSUL_CLIENT_KEY)"},
    {{"http-addr", FlagType::kString},
     "Whom to ask: [http[s]://]HOST:PORT or unix://PATH (CONSUL_HTTP_ADDR)"},
    {{"tls-server-name", FlagType::kString},
     "Name the server's certificate must have (CONSUL_TLS_SERVER_NAME)"},
    {{"token", FlagType::kString}, "ACL token (CONSUL_HTTP_TOKEN)"},
    {{"token-file", FlagType::kString},
     "File with the ACL token; wins over -token (CONSUL_HTTP_TOKEN_FILE)"},
};

constexpr CommandFlag kServerFlags[] = {
    {{"datacenter", FlagType::kString},
     "Datacenter to ask about; default: the agent's own"},
    {{"stale", FlagType::kBool}, "Any server may answer, not only the leader"},
};

constexpr CommandFlag kFormatFlags[] = {
    {{"format", FlagType::kString}, "pretty (default) or json"},
};

std::vector<std::span<const CommandFlag>> FlagGroups(const CommandSpec& spec) {
  std::vector<std::span<const CommandFlag>> groups;
  if (spec.asks_agent) groups.push_back(kCommonFlags);
  if (spec.asks_servers) groups.push_back(kServerFlags);
  if (spec.lists) groups.push_back(kFormatFlags);
  groups.push_back(spec.flags);
  return groups;
}

std::vector<CommandFlag> SortedFlags(const CommandSpec& spec) {
  std::vector<CommandFlag> flags;
  for (const auto group : FlagGroups(spec)) {
    flags.insert(flags.end(), group.begin(), group.end());
  }
  std::sort(flags.begin(), flags.end(),
            [](const CommandFlag& a, const CommandFlag& b) {
              return absl::string_view(a.spec.name) < b.spec.name;
            });
  return flags;
}

const char* Placeholder(FlagType type) {
  switch (type) {
    case FlagType::kBool:
    case FlagType::kPlainBool:
      return "";
    case FlagType::kInt:
    case FlagType::kPlainInt:
      return "=N";
    case FlagType::kKeyValue:
      return "=KEY=VALUE";
    case FlagType::kString:
      return "=TEXT";
  }
  return "";
}

bool KnownFormat(const std::string& format) {
  return format.empty() || format == "pretty" || format == "json";
}

}  // namespace

const GivenFlag* Command::Find(absl::string_view name) const {
  const auto found =
      std::find_if(given_.flags.rbegin(), given_.flags.rend(),
                   [name](const GivenFlag& flag) { return flag.name == name; });
  return found == given_.flags.rend() ? nullptr : &*found;
}

std::string Command::Text(absl::string_view name) const {
  const GivenFlag* const flag = Find(name);
  return flag == nullptr ? "" : flag->text;
}

bool Command::Bool(absl::string_view name, bool otherwise) const {
  const GivenFlag* const flag = Find(name);
  return flag == nullptr ? otherwise : flag->boolean;
}

int64_t Command::Int(absl::string_view name) const {
  const GivenFlag* const flag = Find(name);
  return flag == nullptr ? 0 : flag->integer;
}

std::vector<std::string> Command::Texts(absl::string_view name) const {
  std::vector<std::string> texts;
  for (const GivenFlag& flag : given_.flags) {
    if (flag.name == name) texts.push_back(flag.text);
  }
  return texts;
}

std::optional<Command> ParseCommand(const CommandSpec& spec,
                                    const std::vector<std::string>& args,
                                    int* exit_code) {
  std::vector<FlagSpec> specs;
  for (const CommandFlag& flag : SortedFlags(spec)) specs.push_back(flag.spec);
  GoFlags given = ParseGoFlags(args, specs);
  if (given.help) {
    std::fputs(CommandHelp(spec).c_str(), stdout);
    *exit_code = 0;
    return std::nullopt;
  }
  std::vector<std::string> errors = given.errors;
  Command command(&spec, std::move(given));
  if (spec.lists && !KnownFormat(command.Text("format"))) {
    errors.push_back(
        absl::StrCat("invalid value \"", command.Text("format"),
                     "\" for flag -format: must be pretty or json"));
  }
  if (!errors.empty()) {
    for (const std::string& error : errors) PrintErrorLine(error);
    std::fputs(CommandHelp(spec).c_str(), stderr);
    *exit_code = 1;
    return std::nullopt;
  }
  return command;
}

std::string CommandHelp(const CommandSpec& spec) {
  std::string text =
      absl::StrCat("Usage: dnsd ", spec.usage, "\n\n", spec.summary, "\n");
  for (const CommandFlag& flag : SortedFlags(spec)) {
    absl::StrAppend(&text, "  -", flag.spec.name, Placeholder(flag.spec.type),
                    "\n      ", flag.help, "\n");
  }
  return text;
}

void PrintLine(absl::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
}

void PrintErrorLine(absl::string_view text) {
  std::fflush(stdout);
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fputc('\n', stderr);
}

bool RefuseWords(const Command& command) {
  const size_t count = command.rest().size();
  if (count == 0) return true;
  PrintErrorLine(
      absl::StrCat("Too many arguments (expected 0, got ", count, ")"));
  return false;
}

}  // namespace dnsd
