// The dnsd command: the agent, the verbs that ask one, and the set-up of
// machines.
//
// Exit codes: 0 success, 1 error, 127 unknown command, as Consul's.
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/base/log.h"
#include "catalog/base/log_control.h"
#include "dnsd/cli/agent_verbs.h"
#include "dnsd/cli/catalog_verbs.h"
#include "dnsd/cli/doctor_verb.h"
#include "dnsd/cli/explain_verb.h"
#include "dnsd/cli/health_verb.h"
#include "dnsd/cli/monitor_verb.h"
#include "dnsd/cli/service_verbs.h"
#include "dnsd/cli/setup_verb.h"
#include "dnsd/cli/top_verb.h"
#include "dnsd/cli/watch_verb.h"
#include "dnsd/config.h"
#include "dnsd/passed_sockets.h"
#include "dnsd/server.h"
#include "dnsd/systemd_notify.h"
#include "dnsd/version.h"

namespace dnsd {
namespace {

using Args = std::vector<std::string>;

constexpr char kUsage[] =
    "Usage: dnsd [--version] [--help] <command> [<args>]\n"
    "\n"
    "Available commands are:\n"
    "    agent             Runs an agent\n"
    "    catalog           Lists services, nodes, datacenters\n"
    "    doctor            Checks the machine and the agent\n"
    "    explain           Says what DNS would answer, and why\n"
    "    health            Says whether an agent is healthy, or ready\n"
    "    info              Shows what an agent knows about itself\n"
    "    leave             Makes an agent leave its cluster and end\n"
    "    maint             Puts a node or a service into maintenance\n"
    "    members           Lists the members of the cluster\n"
    "    monitor           Shows the log of an agent as it is written\n"
    "    reload            Makes an agent read its configuration again\n"
    "    services          Registers and deregisters services\n"
    "    setup-resolver    Makes this machine ask dnsd for its names\n"
    "    top               Shows what an agent does, as it does it\n"
    "    validate          Checks configuration files\n"
    "    version           Prints the version\n"
    "    watch             Shows a view of the catalog, or follows it\n";

void PrintErrors(const std::vector<std::string>& errors) {
  for (const std::string& error : errors) {
    std::fprintf(stderr, "==> %s\n", error.c_str());
  }
}

void PrintWarnings(const Problems& problems) {
  for (const std::string& warning : problems.warnings()) {
    std::fprintf(stderr, "==> warning: %s\n", warning.c_str());
  }
}

void PrintBanner(const Config& config) {
  std::printf(
      "==> Starting dnsd agent...\n"
      "           Version: '%s'\n"
      "           Node ID: '%s'\n"
      "         Node name: '%s'\n"
      "        Datacenter: '%s'\n"
      "            Domain: '%s'\n"
      "      Cluster Addr: '%s'\n"
      "\n"
      "==> Log data will now stream in as it occurs:\n"
      "\n",
      kVersion, config.node.id.c_str(), config.node.name.c_str(),
      config.node.datacenter.c_str(), config.policy.domain.c_str(),
      config.node.address.c_str());
  std::fflush(stdout);
}

// Thousands of TCP connections per worker do not fit the usual 1024
// descriptors.
void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    LogWarn("agent", "Cannot raise the limit of open files");
  }
}

// Waits for signals until one ends the agent.
void HandleSignals(const sigset_t& signals, Server* server) {
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal == SIGHUP) {
      LogInfo("agent", "Caught", {{"signal", "hangup"}});
      server->Reload();
      continue;
    }
    LogInfo("agent", "Caught",
            {{"signal", signal == SIGINT ? "interrupt" : "terminated"}});
    return;
  }
}

// Goes on serving for `lame_duck_ms`, or until a second signal to stop; a
// reload comes too late.
void WaitAsLameDuck(const sigset_t& signals, uint64_t lame_duck_ms) {
  using std::chrono::steady_clock;
  if (lame_duck_ms == 0) return;
  LogInfo("agent", "Serving for a while, for others to leave; again ends it",
          {{"lame_duck_ms", lame_duck_ms}});
  const auto end =
      steady_clock::now() + std::chrono::milliseconds(lame_duck_ms);
  for (;;) {
    const int64_t left_ns =
        std::chrono::nanoseconds(end - steady_clock::now()).count();
    if (left_ns <= 0) return;
    const timespec left{left_ns / 1'000'000'000, left_ns % 1'000'000'000};
    const int signal = sigtimedwait(&signals, nullptr, &left);
    if (signal == SIGINT || signal == SIGTERM) return;
  }
}

int Agent(const Args& args) {
  bool help = false;
  Problems problems;
  Config config = LoadConfig(args, &help, &problems, ProcessEnvironment);
  if (help) {
    std::fputs(AgentUsage().c_str(), stdout);
    return 0;
  }
  if (!problems.ok()) {
    PrintErrors(problems.errors());
    return 1;
  }
  InitLogging(config.log_level, config.log_json);
  if (!config.log_file.path.empty()) {
    const absl::Status status = LogToFile(config.log_file);
    if (!status.ok()) {
      PrintErrors({std::string(status.message())});
      return 1;
    }
  }
  if (config.enable_syslog) LogToSyslog(config.syslog_facility);
  if (!config.log_json) PrintBanner(config);
  for (const std::string& warning : problems.warnings()) {
    LogWarn("agent", warning);
  }

  // Every thread started from here on leaves signals to this one.
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGHUP, SIGINT, SIGTERM}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  RaiseDescriptorLimit();

  absl::StatusOr<PassedSockets> sockets = PassedSockets::FromEnvironment();
  if (!sockets.ok()) {
    PrintErrors({std::string(sockets.status().message())});
    return 1;
  }
  const PassedAddresses passed = sockets->addresses();
  passed.Override(&config);
  Server server(std::move(config),
                [args, passed](Problems* found) {
                  bool ignored = false;
                  Config read =
                      LoadConfig(args, &ignored, found, ProcessEnvironment);
                  passed.Override(&read);
                  return read;
                },
                {SystemdNotify::FromEnvironment(), *std::move(sockets)});
  std::vector<std::string> errors = server.Start();
  if (!errors.empty()) {
    for (const std::string& error : errors) LogError("agent", error);
    FlushLogging();
    PrintErrors(errors);
    return 1;
  }
  HandleSignals(signals, &server);
  WaitAsLameDuck(signals, server.BeginStop());
  server.Stop();
  FlushLogging();
  return 0;
}

int Validate(const Args& args) {
  bool quiet = false;
  Args paths;
  for (const std::string& arg : args) {
    if (arg == "-quiet" || arg == "--quiet") {
      quiet = true;
    } else {
      paths.push_back(arg);
    }
  }
  if (paths.empty()) {
    std::fputs(
        "Usage: dnsd validate [-quiet] FILE_OR_DIRECTORY...\n"
        "Must specify at least one config file or directory\n",
        stderr);
    return 1;
  }
  Problems problems;
  Config config = LoadConfigFiles(paths, &problems);
  Errors errors = problems.errors();
  (void)ReadZones(config, &errors);
  PrintWarnings(problems);
  if (!errors.empty()) {
    std::fputs("Config validation failed:\n", stderr);
    PrintErrors(errors);
    return 1;
  }
  if (!quiet) std::puts("Configuration is valid!");
  return 0;
}

int Version() {
  std::printf("dnsd v%s\n", kVersion);
  return 0;
}

// The verbs of cli/; nothing for another word.
std::optional<int> ClientVerb(const std::string& command, const Args& args) {
  struct Verb {
    const char* name;
    int (*run)(const Args&);
  };
  static constexpr Verb kVerbs[] = {
      {"catalog", CatalogVerb},   {"doctor", DoctorVerb},
      {"explain", ExplainVerb},   {"health", HealthVerb},
      {"info", InfoVerb},         {"leave", LeaveVerb},
      {"maint", MaintVerb},       {"members", MembersVerb},
      {"monitor", MonitorVerb},   {"reload", ReloadVerb},
      {"services", ServicesVerb}, {"setup-resolver", SetupResolverVerb},
      {"top", TopVerb},           {"watch", WatchVerb},
  };
  for (const Verb& verb : kVerbs) {
    if (command == verb.name) return verb.run(args);
  }
  return std::nullopt;
}

int Main(const Args& args) {
  if (args.empty()) {
    std::fputs(kUsage, stderr);
    return 127;
  }
  Args rest(args.begin() + 1, args.end());
  const std::string& command = args[0];
  if (command == "agent") return Agent(rest);
  if (command == "validate") return Validate(rest);
  if (const auto exit_code = ClientVerb(command, rest)) return *exit_code;
  if (command == "version" || command == "--version" || command == "-version" ||
      command == "-v") {
    return Version();
  }
  if (command == "help" || command == "--help" || command == "-help" ||
      command == "-h") {
    std::fputs(kUsage, stdout);
    return 0;
  }
  std::fprintf(stderr, "dnsd: unknown command \"%s\"\n\n%s", command.c_str(),
               kUsage);
  return 127;
}

}  // namespace
}  // namespace dnsd

int main(int argc, char** argv) {
  return dnsd::Main(dnsd::Args(argv + 1, argv + argc));
}
