#include "dnsd/cli/service_verbs.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/json_text.h"
#include "dnsd/cli/service_body.h"
#include "dnsd/config_files.h"
#include "dnsd/config_settings.h"

namespace dnsd {
namespace {

constexpr char kUsage[] =
    "Usage: dnsd services <subcommand> [options] [FILE...]\n"
    "\n"
    "Changes what services an agent has.\n"
    "\n"
    "Subcommands:\n"
    "    deregister    Takes services from an agent\n"
    "    register      Gives services to an agent\n";

constexpr CommandFlag kRegisterFlags[] = {
    {{"address", FlagType::kString}, "The service's address"},
    {{"id", FlagType::kString}, "Its id; default: its name"},
    {{"kind", FlagType::kString}, "Its kind"},
    {{"meta", FlagType::kKeyValue}, "Meta; repeats"},
    {{"name", FlagType::kString}, "Its name"},
    {{"namespace", FlagType::kString}, "Namespace, where there are any"},
    {{"port", FlagType::kPlainInt}, "Its port"},
    {{"tag", FlagType::kString}, "A tag; repeats"},
    {{"tagged-address", FlagType::kKeyValue},
     "An address by name, as in lan=10.0.0.1:80; repeats"},
};
constexpr CommandSpec kRegister = {
    "services register [options] [FILE...]",
    "Gives the services of configuration files, or the one of the flags, to\n"
    "an agent.\n",
    kRegisterFlags, true};

constexpr CommandFlag kDeregisterFlags[] = {
    {{"id", FlagType::kString}, "Id of the service"},
    {{"namespace", FlagType::kString}, "Namespace, where there are any"},
};
constexpr CommandSpec kDeregister = {
    "services deregister [options] [FILE...]",
    "Takes the services of configuration files, or the one with an id, from\n"
    "an agent.\n",
    kDeregisterFlags, true};

int Fail(absl::string_view what, const absl::Status& status) {
  PrintErrorLine(absl::StrCat(what, ": ", status.message()));
  return 1;
}

// Whether the path is to be read. Says what Consul says of those that are not
// there and those that are skipped.
bool ShallRead(const std::string& path, bool* failed) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0) {
    PrintErrorLine(absl::StrCat("Error: config: Open failed on ", path,
                                ". open ", path, ": ",
                                absl::AsciiStrToLower(strerror(errno))));
    *failed = true;
    return false;
  }
  if (S_ISREG(info.st_mode) && !absl::EndsWith(path, ".json") &&
      !absl::EndsWith(path, ".hcl")) {
    PrintErrorLine(absl::StrCat("skipping file ", path,
                                ", extension must be .hcl or .json, or config "
                                "format must be set"));
    return false;
  }
  return true;
}

// A service without a name is the agent's to refuse, and can be deregistered:
// the configuration's own judgement is about the rest of it.
Value NamedDefinitions(Value document) {
  for (Member& member : document.members) {
    const std::string key = absl::AsciiStrToLower(member.key);
    if (key != "service" && key != "services") continue;
    std::vector<Value*> services;
    if (member.value.kind == Value::Kind::kObject) {
      services.push_back(&member.value);
    }
    for (Value& item : member.value.items) services.push_back(&item);
    for (Value* service : services) {
      if (service->kind != Value::Kind::kObject) continue;
      if (!DefinitionText(*service, "name").empty()) continue;
      service->members.push_back({"name", service->line, TextValue("unnamed")});
    }
  }
  return document;
}

// Nothing, after saying why, when a file is wrong.
std::optional<std::vector<Value>> ReadServices(
    const std::vector<std::string>& paths) {
  bool failed = false;
  std::vector<std::string> read;
  for (const std::string& path : paths) {
    if (ShallRead(path, &failed)) read.push_back(path);
    if (failed) return std::nullopt;
  }
  std::vector<Value> services;
  Settings settings;
  Problems problems;
  const auto sink = [&](const Value& document, const std::string& file) {
    const bool is_object = document.kind == Value::Kind::kObject;
    settings.ReadDocument(is_object ? NamedDefinitions(document) : document,
                          file, &problems);
    for (Value& service : ServicesOfDocument(document)) {
      services.push_back(std::move(service));
    }
  };
  for (const std::string& path : read) {
    ReadConfigDocuments(path, "", sink, &problems);
  }
  for (const std::string& error : problems.errors()) {
    PrintErrorLine(absl::StrCat("Error: ", error));
  }
  if (!problems.ok()) return std::nullopt;
  return services;
}

Value ObjectValue() {
  Value value;
  value.kind = Value::Kind::kObject;
  return value;
}

// "10.0.0.1:80" or "[::1]:80", as Go splits it.
absl::StatusOr<Value> HostPort(const std::string& text) {
  const auto wrong = [&text](const char* what) {
    return absl::InvalidArgumentError(
        absl::StrCat("address ", text, ": ", what));
  };
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return wrong("missing port in address");
  std::string host = text.substr(0, colon);
  const std::string port = text.substr(colon + 1);
  if (absl::StartsWith(host, "[") && absl::EndsWith(host, "]")) {
    host = host.substr(1, host.size() - 2);
  } else if (absl::StrContains(host, ':')) {
    return wrong("too many colons in address");
  }
  int number = 0;
  if (!absl::SimpleAtoi(port, &number)) {
    return absl::InvalidArgumentError(
        absl::StrCat("strconv.Atoi: parsing \"", port, "\": invalid syntax"));
  }
  Value address = ObjectValue();
  if (!host.empty()) address.members.push_back({"Address", 0, TextValue(host)});
  address.members.push_back({"Port", 0, IntValue(number)});
  return address;
}

std::map<std::string, std::string> Pairs(const Command& command,
                                         const char* flag) {
  std::map<std::string, std::string> pairs;
  for (const std::string& text : command.Texts(flag)) {
    const size_t equals = text.find('=');
    pairs[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return pairs;
}

absl::StatusOr<Value> ServiceFromFlags(const Command& command) {
  Value body = ObjectValue();
  const auto add = [&body](const char* key, Value value) {
    body.members.push_back({key, 0, std::move(value)});
  };
  const auto add_text = [&](const char* key, const char* flag) {
    const std::string text = command.Text(flag);
    if (!text.empty()) add(key, TextValue(text));
  };
  add_text("Kind", "kind");
  add_text("ID", "id");
  add_text("Name", "name");
  Value tags;
  tags.kind = Value::Kind::kList;
  for (const std::string& tag : command.Texts("tag")) {
    tags.items.push_back(TextValue(tag));
  }
  if (!tags.items.empty()) add("Tags", std::move(tags));
  if (command.Int("port") != 0) add("Port", IntValue(command.Int("port")));
  add_text("Address", "address");
  Value addresses = ObjectValue();
  for (const auto& [name, text] : Pairs(command, "tagged-address")) {
    absl::StatusOr<Value> address = HostPort(text);
    if (!address.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("Invalid Tagged Address: ", address.status().message()));
    }
    addresses.members.push_back({name, 0, *std::move(address)});
  }
  if (!addresses.members.empty()) add("TaggedAddresses", std::move(addresses));
  Value meta = ObjectValue();
  for (const auto& [key, text] : Pairs(command, "meta")) {
    meta.members.push_back({key, 0, TextValue(text)});
  }
  if (!meta.members.empty()) add("Meta", std::move(meta));
  return body;
}

QueryParameters WriteParameters(const Command& command,
                                const AgentClient& client) {
  QueryParameters parameters = client.write_parameters();
  const std::string name_space = command.Text("namespace");
  if (!name_space.empty()) parameters.push_back({"ns", name_space});
  return parameters;
}

int Register(const Command& command) {
  const bool by_flags = !command.Text("name").empty();
  if (command.rest().empty() && !by_flags) {
    PrintErrorLine(
        "Service registration requires at least one argument or flags.");
    return 1;
  }
  // An -id beside files is not looked at, as by Consul.
  if (!command.rest().empty() && by_flags) {
    PrintErrorLine("Service registration requires arguments or -id, not both.");
    return 1;
  }
  std::vector<Value> bodies;
  if (by_flags) {
    absl::StatusOr<Value> body = ServiceFromFlags(command);
    if (!body.ok()) {
      PrintErrorLine(body.status().message());
      return 1;
    }
    bodies.push_back(*std::move(body));
  } else {
    const auto services = ReadServices(command.rest());
    if (!services) return 1;
    for (const Value& service : *services) {
      bodies.push_back(ServiceBody(service));
    }
  }
  const auto client = ConnectOrSay(command);
  if (!client) return 1;
  for (const Value& body : bodies) {
    const std::string name = MemberText(body, "Name");
    const auto answer = client->Ask("PUT", "/v1/agent/service/register",
                                    WriteParameters(command, *client),
                                    JsonText(body, JsonLayout::kCompact));
    if (!answer.ok()) {
      return Fail(absl::StrCat("Error registering service \"", name, "\""),
                  answer.status());
    }
    PrintLine(absl::StrCat("Registered service: ", name));
  }
  return 0;
}

int Deregister(const Command& command) {
  std::string id = command.Text("id");
  if (command.rest().empty() && id.empty()) {
    PrintErrorLine(
        "Service deregistration requires at least one argument or -id.");
    return 1;
  }
  if (!command.rest().empty() && !id.empty()) {
    PrintErrorLine(
        "Service deregistration requires arguments or -id, not both.");
    return 1;
  }
  // The names are for messages; by id there is none.
  std::vector<std::pair<std::string, std::string>> ids_names;
  if (!id.empty()) {
    ids_names.push_back({id, ""});
  } else {
    const auto services = ReadServices(command.rest());
    if (!services) return 1;
    for (const Value& service : *services) {
      const std::string name = DefinitionText(service, "name");
      id = DefinitionText(service, "id");
      if (id.empty()) id = name;
      if (!id.empty()) ids_names.push_back({id, name});
    }
  }
  const auto client = ConnectOrSay(command);
  if (!client) return 1;
  for (const auto& [service_id, name] : ids_names) {
    const auto answer = client->Ask(
        "PUT", absl::StrCat("/v1/agent/service/deregister/", service_id),
        WriteParameters(command, *client));
    if (!answer.ok()) {
      // Consul says "registering" here too.
      return Fail(absl::StrCat("Error registering service \"", name, "\""),
                  answer.status());
    }
    PrintLine(absl::StrCat("Deregistered service: ", service_id));
  }
  return 0;
}

}  // namespace

int ServicesVerb(const std::vector<std::string>& args) {
  const std::string name = args.empty() ? "" : args[0];
  if (name == "register" || name == "deregister") {
    const bool registers = name == "register";
    int exit_code = 0;
    const auto command =
        ParseCommand(registers ? kRegister : kDeregister,
                     {args.begin() + 1, args.end()}, &exit_code);
    if (!command) return exit_code;
    return registers ? Register(*command) : Deregister(*command);
  }
  const bool help = name == "-h" || name == "-help" || name == "--help";
  std::fputs(kUsage, help ? stdout : stderr);
  return help ? 0 : 1;
}

}  // namespace dnsd
