#include "dnsd/cli/catalog_verbs.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/columns.h"
#include "dnsd/cli/json_text.h"

namespace dnsd {
namespace {

constexpr char kUsage[] =
    "Usage: dnsd catalog <subcommand> [options]\n"
    "\n"
    "Shows the catalog of a datacenter.\n"
    "\n"
    "Subcommands:\n"
    "    datacenters    Lists the datacenters that are known\n"
    "    nodes          Lists the nodes of a datacenter\n"
    "    services       Lists the services of a datacenter\n";

constexpr CommandSpec kDatacenters = {
    "catalog datacenters [options]",
    "Lists the datacenters that are known, the nearest first.\n",
    {},
    true,
    true};

constexpr CommandFlag kNodesFlags[] = {
    {{"detailed", FlagType::kPlainBool}, "Show whole ids, addresses and meta"},
    {{"filter", FlagType::kString}, "Expression that nodes must match"},
    {{"near", FlagType::kString},
     "Node to sort by the distance from; _agent is the agent's own"},
    {{"node-meta", FlagType::kKeyValue}, "Meta that nodes must have; repeats"},
    {{"service", FlagType::kString}, "Only nodes that run this service"},
};
constexpr CommandSpec kNodes = {"catalog nodes [options]",
                                "Lists the nodes of a datacenter.\n",
                                kNodesFlags, true, true};

constexpr CommandFlag kServicesFlags[] = {
    {{"namespace", FlagType::kString}, "Namespace, where there are any"},
    {{"node", FlagType::kString}, "Only services of this node or node id"},
    {{"node-meta", FlagType::kKeyValue},
     "Meta that the services' nodes must have; repeats"},
    {{"tags", FlagType::kPlainBool}, "Show the services' tags"},
};
constexpr CommandSpec kServices = {"catalog services [options]",
                                   "Lists the services of a datacenter.\n",
                                   kServicesFlags, true, true};

int Fail(absl::string_view what, const absl::Status& status) {
  PrintErrorLine(absl::StrCat(what, ": ", status.message()));
  return 1;
}

int PrintJson(const Value& value) {
  PrintLine(JsonText(value, JsonLayout::kIndented));
  return 0;
}

// "a=1" as "a:1". Of a key that is given twice the last value counts.
void AddNodeMeta(const Command& command, QueryParameters* parameters) {
  std::map<std::string, std::string> meta;
  for (const std::string& text : command.Texts("node-meta")) {
    const size_t equals = text.find('=');
    meta[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const auto& [key, value] : meta) {
    parameters->push_back({"node-meta", absl::StrCat(key, ":", value)});
  }
}

void AddIfGiven(const Command& command, const char* flag, const char* parameter,
                QueryParameters* parameters) {
  const std::string text = command.Text(flag);
  if (!text.empty()) parameters->push_back({parameter, text});
}

// "a=1, b=2", sorted.
std::string MapText(const Value& node, absl::string_view key) {
  std::map<std::string, std::string> sorted;
  if (const Value* const map = FindMember(node, key)) {
    for (const Member& member : map->members) {
      sorted[member.key] = member.value.text;
    }
  }
  return absl::StrJoin(sorted, ", ", absl::PairFormatter("="));
}

std::string ShortId(const std::string& id) {
  return id.substr(0, id.find('-'));
}

int DatacentersVerb(const Command& command) {
  const auto client = ConnectOrSay(command);
  if (!client) return 1;
  const auto found =
      client->Get("/v1/catalog/datacenters", client->read_parameters());
  if (!found.ok()) return Fail("Error listing datacenters", found.status());
  if (command.json()) return PrintJson(*found);
  for (const Value& name : found->items) PrintLine(name.text);
  return 0;
}

// The answer for -service is instances; here they are as nodes.
void AsNodes(std::vector<Value>* instances) {
  for (Value& instance : *instances) {
    for (Member& member : instance.members) {
      if (member.key == "NodeMeta") member.key = "Meta";
    }
  }
}

int NodesVerb(const Command& command) {
  const auto client = ConnectOrSay(command);
  if (!client) return 1;
  QueryParameters parameters = client->read_parameters();
  AddIfGiven(command, "near", "near", &parameters);
  AddIfGiven(command, "filter", "filter", &parameters);
  AddNodeMeta(command, &parameters);
  const std::string service = command.Text("service");
  absl::StatusOr<Value> found = client->Get(
      service.empty() ? "/v1/catalog/nodes"
                      : absl::StrCat("/v1/catalog/service/", service),
      parameters);
  if (!found.ok()) {
    return Fail(service.empty() ? "Error listing nodes"
                                : "Error listing nodes for service",
                found.status());
  }
  if (command.json()) return PrintJson(*found);
  if (!service.empty()) AsNodes(&found->items);
  if (found->items.empty()) {
    PrintErrorLine(
        "No nodes match the given query - try expanding your search.");
    return 0;
  }
  PrintLine(NodesText(found->items, command.Bool("detailed")));
  return 0;
}

// The services of a node's answer as an object of tags by service: the tags of
// one instance after the other.
Value TagsByService(const Value& node) {
  Value services;
  services.kind = Value::Kind::kObject;
  const Value* const instances = FindMember(node, "Services");
  if (instances == nullptr) return services;
  std::map<std::string, Value> sorted;
  for (const Member& instance : instances->members) {
    Value& tags = sorted[MemberText(instance.value, "Service")];
    tags.kind = Value::Kind::kList;
    if (const Value* const given = FindMember(instance.value, "Tags")) {
      tags.items.insert(tags.items.end(), given->items.begin(),
                        given->items.end());
    }
  }
  for (auto& [name, tags] : sorted) {
    services.members.push_back({name, 0, std::move(tags)});
  }
  return services;
}

int ServicesVerb(const Command& command) {
  const auto client = ConnectOrSay(command);
  if (!client) return 1;
  QueryParameters parameters = client->read_parameters();
  AddIfGiven(command, "namespace", "ns", &parameters);
  AddNodeMeta(command, &parameters);
  const std::string node = command.Text("node");
  absl::StatusOr<Value> found =
      client->Get(node.empty() ? "/v1/catalog/services"
                               : absl::StrCat("/v1/catalog/node/", node),
                  parameters);
  if (!found.ok()) {
    return Fail(node.empty() ? "Error listing services"
                             : "Error listing services for node",
                found.status());
  }
  if (command.json()) return PrintJson(*found);
  if (!node.empty()) *found = TagsByService(*found);
  if (found->members.empty()) {
    PrintErrorLine(
        "No services match the given query - try expanding your search.");
    return 0;
  }
  PrintLine(ServicesText(*found, command.Bool("tags")));
  return 0;
}

}  // namespace

std::string NodesText(const std::vector<Value>& nodes, bool detailed) {
  std::vector<TableRow> rows = {{"Node", "ID", "Address", "DC"}};
  if (detailed) rows[0].insert(rows[0].end(), {"TaggedAddresses", "Meta"});
  for (const Value& node : nodes) {
    const std::string id = MemberText(node, "ID");
    rows.push_back({MemberText(node, "Node"), detailed ? id : ShortId(id),
                    MemberText(node, "Address"),
                    MemberText(node, "Datacenter")});
    if (!detailed) continue;
    rows.back().push_back(MapText(node, "TaggedAddresses"));
    rows.back().push_back(MapText(node, "Meta"));
  }
  return FormatColumns(rows);
}

std::string ServicesText(const Value& services, bool tags) {
  std::map<std::string, std::vector<std::string>> sorted;
  for (const Member& service : services.members) {
    std::vector<std::string>& texts = sorted[service.key];
    for (const Value& tag : service.value.items) texts.push_back(tag.text);
    std::sort(texts.begin(), texts.end());
  }
  std::vector<TableRow> rows;
  for (const auto& [name, texts] : sorted) {
    rows.push_back({name, absl::StrJoin(texts, ",")});
  }
  if (tags) return FormatPairs(rows);
  return absl::StrJoin(rows, "\n", [](std::string* out, const TableRow& row) {
    *out += row[0];
  });
}

int CatalogVerb(const std::vector<std::string>& args) {
  struct Verb {
    const char* name;
    const CommandSpec* spec;
    int (*run)(const Command&);
  };
  static constexpr Verb kVerbs[] = {
      {"datacenters", &kDatacenters, DatacentersVerb},
      {"nodes", &kNodes, NodesVerb},
      {"services", &kServices, ServicesVerb},
  };
  const std::string name = args.empty() ? "" : args[0];
  for (const Verb& verb : kVerbs) {
    if (name != verb.name) continue;
    int exit_code = 0;
    const auto command =
        ParseCommand(*verb.spec, {args.begin() + 1, args.end()}, &exit_code);
    if (!command) return exit_code;
    return RefuseWords(*command) ? verb.run(*command) : 1;
  }
  const bool help = name == "-h" || name == "-help" || name == "--help";
  std::fputs(kUsage, help ? stdout : stderr);
  return help ? 0 : 1;
}

}  // namespace dnsd
