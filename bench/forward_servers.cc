#include "bench/forward_servers.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/child_servers.h"
#include "bench/process_cpu.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"

namespace dnsd::testing {

namespace {

constexpr std::chrono::milliseconds kTry{500};

// As much room for answers as `kUnboundConfig` and the others give.
constexpr char kDnsdConfig[] = "dns_config { cache { size = \"256MB\" } }\n";

// None validates, as dnsd does not.
constexpr char kUnboundConfig[] = R"(server:
  interface: 127.0.0.1@PORT
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "DIR"
  pidfile: ""
  use-syslog: no
  verbosity: 0
  do-not-query-localhost: no
  module-config: "iterator"
  num-threads: 1
  outgoing-range: 8192
  num-queries-per-thread: 4096
  msg-cache-size: 128m
  rrset-cache-size: 128m
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@UPSTREAM
)";

constexpr char kBindConfig[] = R"(options {
  directory "DIR";
  listen-on port PORT { 127.0.0.1; };
  listen-on-v6 { none; };
  pid-file none;
  session-keyfile none;
  dnssec-validation no;
  empty-zones-enable no;
  recursive-clients 10000;
  max-cache-size 256m;
  forward only;
  forwarders { 127.0.0.1 port UPSTREAM; };
};
logging { category default { null; }; };
controls {};
)";

constexpr char kDnsdistConfig[] = R"(setLocal("127.0.0.1:PORT")
setACL("127.0.0.0/8")
setSecurityPollSuffix("")
newServer({address="127.0.0.1:UPSTREAM", checkName="check.example."})
getPool(""):setCache(newPacketCache(1000000, {maxTTL=86400}))
)";

}  // namespace

ForwardServers::ForwardServers(ForwardServersOptions options)
    : options_(std::move(options)) {}

void ForwardServers::Add(const std::string& name, uint16_t port, pid_t pid) {
  servers_.push_back({name, port, pid});
}

// Its port; 0: it did not start.
uint16_t ForwardServers::StartPlain(const std::vector<std::string>& args) {
  std::optional<ChildServer> server = StartPlainServer(args);
  if (!server) return 0;
  processes_.push_back(std::move(server->process));
  return server->port;
}

bool ForwardServers::Start() {
  PinTo(options_.load_core);
  upstream_port_ =
      StartPlain({"authority", absl::StrCat(options_.upstream_delay_us)});
  if (upstream_port_ == 0) return false;
  PinTo(options_.server_core);
  const bool ok = StartAll();
  PinTo(options_.load_core);
  return ok;
}

bool ForwardServers::StartAll() {
  const PeerServer peers[] = {
      {"unbound", "sbin/unbound", kUnboundConfig, {"-d", "-c", "CONFIG"}},
      {"dnsdist",
       "bin/dnsdist",
       kDnsdistConfig,
       {"--supervised", "--disable-syslog", "-C", "CONFIG"}},
      {"BIND", "sbin/named", kBindConfig, {"-g", "-n", "1", "-c", "CONFIG"}},
  };
  const uint16_t echo = StartPlain({"authority"});
  if (echo == 0) return false;
  Add("echo", echo, processes_.back()->pid());
  servers_.back().forwards = false;
  const uint16_t relay = StartPlain({"relay", absl::StrCat(upstream_port_)});
  if (relay == 0) return false;
  Add("relay", relay, processes_.back()->pid());
  servers_.back().answers = false;
  if (!StartDnsd("dnsd")) return false;
  if (!options_.also.empty()) {
    setenv("DNSD_BINARY", options_.also.c_str(), 1);
    if (!StartDnsd("dnsd also")) return false;
  }
  for (const PeerServer& peer : peers) {
    if (!StartPeer(peer)) return false;
  }
  return StartConsul();
}

bool ForwardServers::StartDnsd(const std::string& name) {
  const std::vector<std::string> args = {
      "-dev",
      "-workers",
      "1",
      "-config-file",
      dir_.Write("dnsd.hcl", kDnsdConfig),
      "-recursor",
      absl::StrCat("127.0.0.1:", upstream_port_)};
  agents_.push_back(std::make_unique<AgentProcess>(args));
  AgentProcess& agent = *agents_.back();
  if (!agent.WaitUntilServing()) {
    std::fprintf(stderr, "%s\n", agent.process().output().c_str());
    return false;
  }
  Add(name, agent.dns().port, agent.process().pid());
  return true;
}

bool ForwardServers::StartPeer(const PeerServer& peer) {
  if (!options_.IsWanted(peer.name)) return true;
  if (ProgramOf(peer).empty()) {
    std::fprintf(stderr, "without %s: it was not fetched\n", peer.name);
    return true;
  }
  std::optional<ChildServer> server = StartPeerServer(
      peer, dir_, {{"UPSTREAM", absl::StrCat(upstream_port_)}},
      [](const DnsServer& address) {
        return AskUdp(address, {"up.example."}, kTry).rcode == "NOERROR";
      });
  if (!server) return false;
  Add(peer.name, server->port, server->process->pid());
  processes_.push_back(std::move(server->process));
  return true;
}

bool ForwardServers::StartConsul() {
  const std::optional<std::string> binary = ConsulBinary();
  if (!options_.IsWanted("Consul")) return true;
  if (!binary) {
    std::fprintf(stderr, "without Consul: it was not fetched\n");
    return true;
  }
  ConsulProcessOptions options;
  options.config =
      absl::StrCat("log_level = \"ERR\"\nrecursors = [",
                   JsonQuoted(absl::StrCat("127.0.0.1:", upstream_port_)), "]");
  consul_.emplace(*binary, options);
  if (!consul_->WaitForLeader()) {
    std::fprintf(stderr, "%s\n", consul_->process().output().c_str());
    return false;
  }
  Add("Consul", consul_->ports().dns, consul_->process().pid());
  return true;
}

}  // namespace dnsd::testing
