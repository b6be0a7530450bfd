#include "dnsd/cli/doctor_verb.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "catalog/base/json_read.h"
#include "catalog/base/json_write.h"
#include "dnsd/cli/agent_client.h"
#include "dnsd/cli/command.h"
#include "dnsd/cli/json_text.h"
#include "dnsd/cli/printable.h"
#include "dnsd/config_addresses.h"
#include "dnsd/serve/listen_socket.h"

namespace dnsd {
namespace {

using enum DoctorVerdict;

constexpr CommandFlag kFlags[] = {
    {{"config-dir", FlagType::kString},
     "Directory of the agent's configuration; repeatable"},
    {{"config-file", FlagType::kString},
     "A file of the agent's configuration; repeatable"},
};
constexpr CommandSpec kDoctor = {
    "doctor [options]",
    "Checks the machine and the running agent: ports, rights, buffers, files,\n"
    "the chain of resolvers, loops, the clock, the mirrored Consul and its\n"
    "token, how old the catalog is, open recursion, data_dir, certificates, "
    "and\n"
    "whether DNS answers. It changes nothing; a free port is taken for a\n"
    "moment. Exit codes: 0 nothing failed, 1 something did, 2 wrong flags.\n",
    kFlags, false, true};

const char* VerdictWord(DoctorVerdict verdict) {
  switch (verdict) {
    case kOk:
      return "ok";
    case kWarn:
      return "warn";
    case kFail:
      return "fail";
  }
  return "";
}

// Where the configuration's HTTP is, for who is on this machine.
std::string HttpAddressOf(const Config& config) {
  if (config.http_listen.empty()) return "";
  Endpoint endpoint = config.http_listen[0];
  if (endpoint.ip == "0.0.0.0") endpoint.ip = "127.0.0.1";
  if (endpoint.ip == "::") endpoint.ip = "::1";
  return EndpointText(endpoint);
}

// "udp://127.0.0.1:8600" and the like, each address once.
std::vector<Endpoint> DnsAddresses(const Value& self) {
  std::vector<Endpoint> all;
  const Value* const debug = FindMember(self, "DebugConfig");
  const Value* const list =
      debug == nullptr ? nullptr : FindMember(*debug, "DNSAddrs");
  if (list == nullptr) return all;
  for (const Value& item : list->items) {
    const size_t at = item.text.find("://");
    if (at == std::string::npos) continue;
    const auto endpoint = ParseEndpoint(item.text.substr(at + 3), 0);
    if (endpoint && std::find(all.begin(), all.end(), *endpoint) == all.end()) {
      all.push_back(*endpoint);
    }
  }
  return all;
}

// Whether what answers at `address` is this machine.
bool IsLocal(const std::string& address) {
  absl::string_view host = address;
  const size_t scheme = host.find("://");
  if (scheme != absl::string_view::npos) {
    if (absl::StartsWith(host, "unix://")) return true;
    host.remove_prefix(scheme + 3);
  }
  const auto endpoint = ParseEndpoint(std::string(host), 1);
  if (!endpoint) return host.substr(0, host.find(':')) == "localhost";
  // Only an address of this machine can be bound to.
  return ProbePort({endpoint->ip, 0}).ok();
}

uint64_t LoopsOf(const AgentClient& client) {
  constexpr absl::string_view kLoops = "dnsd_forward_loops_total ";
  const auto text = client.Ask("GET", "/metrics", {});
  if (!text.ok()) return 0;
  for (absl::string_view line : absl::StrSplit(*text, '\n')) {
    uint64_t count = 0;
    if (absl::ConsumePrefix(&line, kLoops) && absl::SimpleAtoi(line, &count)) {
      return count;
    }
  }
  return 0;
}

DoctorAgent AskAgent(const AgentClient& client, std::string address) {
  DoctorAgent agent;
  agent.address = std::move(address);
  agent.is_local = IsLocal(agent.address);
  const absl::StatusOr<Value> self = client.Get("/v1/agent/self", {});
  if (!self.ok()) {
    agent.error = std::string(self.status().message());
    return agent;
  }
  const Value* const stats = FindMember(*self, "Stats");
  const Value* const debug = FindMember(*self, "DebugConfig");
  if (stats == nullptr || debug == nullptr ||
      FindMember(*stats, "catalog") == nullptr) {
    agent.error = "it is an agent of Consul, not dnsd";
    return agent;
  }
  agent.is_there = true;
  agent.version = MemberText(*debug, "Version");
  agent.domain = MemberText(*debug, "DNSDomain");
  agent.dns = DnsAddresses(*self);
  for (const Member& section : stats->members) {
    for (const Member& entry : section.value.members) {
      agent.stats[section.key][entry.key] = entry.value.text;
    }
  }
  agent.forward_loops = LoopsOf(client);
  return agent;
}

// Whether this user may not read some of it, and nothing else is wrong.
bool IsUnreadable(const Problems& problems) {
  const std::vector<std::string>& errors = problems.errors();
  return geteuid() != 0 && !errors.empty() &&
         std::all_of(errors.begin(), errors.end(), [](const auto& error) {
           return absl::StrContains(error, std::strerror(EACCES));
         });
}

// The configuration that the flags name, or that of no flags; what is wrong
// with it are findings.
Config ReadConfig(const Command& command, std::vector<Finding>* findings) {
  std::vector<std::string> args;
  for (const char* flag : {"config-dir", "config-file"}) {
    for (const std::string& path : command.Texts(flag)) {
      args.push_back(absl::StrCat("-", flag, "=", path));
    }
  }
  bool help = false;
  Problems problems;
  Config config = LoadConfig(args, &help, &problems, ProcessEnvironment);
  if (IsUnreadable(problems)) {
    // Secrets are often readable to dnsd alone.
    for (const std::string& error : problems.errors()) {
      findings->push_back({kWarn, "config", error,
                           "this user may not read it: what follows is of the "
                           "defaults and of the agent; run it as root"});
    }
    Problems none;
    return LoadConfig({}, &help, &none);
  }
  for (const std::string& error : problems.errors()) {
    findings->push_back({kFail, "config", error, "dnsd does not start so"});
  }
  for (const std::string& warning : problems.warnings()) {
    findings->push_back({kWarn, "config", warning, ""});
  }
  if (!args.empty() && findings->empty()) {
    findings->push_back({kOk, "config", "the configuration is valid", ""});
  }
  return config;
}

}  // namespace

std::string FindingsText(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    std::string word = VerdictWord(finding.verdict);
    word.resize(4, ' ');
    absl::StrAppend(&text, word, "  ", finding.check, ": ",
                    Printable(finding.what), finding.todo.empty() ? "" : " — ",
                    Printable(finding.todo), "\n");
  }
  return text;
}

std::string FindingsJson(const std::vector<Finding>& findings) {
  std::string text;
  JsonWriter json(&text);
  json.BeginArray();
  for (const Finding& finding : findings) {
    json.BeginObject();
    const std::pair<const char*, std::string> fields[] = {
        {"Status", VerdictWord(finding.verdict)},
        {"Check", finding.check},
        {"What", finding.what},
        {"Todo", finding.todo}};
    for (const auto& [key, value] : fields) {
      json.Key(key);
      json.String(value);
    }
    json.EndObject();
  }
  json.EndArray();
  return IndentJson(text);
}

int DoctorVerb(const std::vector<std::string>& args) {
  int exit_code = 0;
  const auto command = ParseCommand(kDoctor, args, &exit_code);
  if (!command) return exit_code == 0 ? 0 : 2;
  if (!RefuseWords(*command)) return 2;
  std::vector<Finding> findings;
  Config config = ReadConfig(*command, &findings);
  const bool is_valid =
      std::none_of(findings.begin(), findings.end(),
                   [](const Finding& f) { return f.verdict == kFail; });
  if (is_valid) {
    // Whom the flags name, else whom the configuration makes.
    std::string address = command->Text("http-addr");
    if (address.empty()) address = HttpAddressOf(config);
    DoctorAgent agent;
    if (!address.empty()) {
      const auto client =
          AgentClient::Make(*command, [&address](const char* name) {
            return absl::string_view(name) == "CONSUL_HTTP_ADDR"
                       ? address
                       : ProcessEnvironment(name);
          });
      if (!client.ok()) {
        PrintErrorLine(client.status().message());
        return 2;
      }
      agent = AskAgent(*client, address);
    }
    for (Finding& finding :
         Doctor(std::move(config), std::move(agent)).Examine()) {
      findings.push_back(std::move(finding));
    }
  }
  const std::string text =
      command->json() ? FindingsJson(findings) : FindingsText(findings);
  std::fputs(text.c_str(), stdout);
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& f) { return f.verdict == kFail; })
             ? 1
             : 0;
}

}  // namespace dnsd
