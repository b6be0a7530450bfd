#include "bench/serve/serve_servers.h"

#include <signal.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "bench/process_cpu.h"
#include "bench/serve/questions.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process_usage.h"

namespace dnsd::testing {

struct ServeServers::Yardstick {
  const char* name;
  const char* kind;  // as plain_server knows it
  bool is_for_few_clients;
};

namespace {

constexpr std::chrono::milliseconds kTry{500};
constexpr std::chrono::seconds kEndPatience{5};

// Both read the zone "consul" from its file. Nobody limits rates.
const PeerServer kPeers[] = {
    {"Knot",
     "sbin/knotd",
     R"(server:
  rundir: "DIR"
  listen: 127.0.0.1@PORT
  pidfile: "DIR/knot.pid"
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  tcp-max-clients: 4096
database:
  storage: "DIR"
log:
  - target: stderr
    any: warning
zone:
  - domain: consul
    file: "ZONE"
    zonefile-sync: -1
    journal-content: none
)",
     {"-c", "CONFIG"}},
    {"NSD",
     "sbin/nsd",
     R"(server:
  ip-address: 127.0.0.1@PORT
  username: ""
  chroot: ""
  zonesdir: "DIR"
  database: ""
  pidfile: "DIR/nsd.pid"
  xfrdfile: "DIR/xfrd.state"
  xfrdir: "DIR"
  zonelistfile: "DIR/zone.list"
  server-count: 1
  tcp-count: 4096
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "consul"
  zonefile: "ZONE"
)",
     {"-d", "-c", "CONFIG"}},
};

// The sizes of a server's answers, as plain_server takes them.
std::vector<std::string> AnswerSizes(const DnsServer& server) {
  std::vector<std::string> sizes;
  for (size_t kind = 0; kind < kQuestionKinds; ++kind) {
    for (const bool edns : {false, true}) {
      const std::string packet =
          MakeQuestion(static_cast<QuestionKind>(kind), 0, edns);
      DnsSocket socket = DnsSocket::Udp(server);
      static_cast<void>(socket.Send(
          {reinterpret_cast<const uint8_t*>(packet.data()), packet.size()}));
      sizes.push_back(absl::StrCat(socket.Receive().wire.size()));
    }
  }
  return sizes;
}

}  // namespace

ServeServers::ServeServers(ServeServersOptions options)
    : options_(std::move(options)), catalog_(options_.size) {}

ServeServers::~ServeServers() {
  // NSD's children end when it ends in its own way.
  for (const auto& process : processes_) process->Signal(SIGTERM);
  for (const auto& process : processes_) {
    static_cast<void>(process->Wait(kEndPatience));
  }
}

bool ServeServers::Add(const std::string& name, uint16_t port, pid_t pid) {
  DnsServer address;
  address.port = port;
  const std::string problem = catalog_.ProblemOf(address);
  if (!problem.empty()) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), problem.c_str());
    return false;
  }
  servers_.push_back(MakeServer(name, port, pid));
  return true;
}

ServeServer ServeServers::MakeServer(const std::string& name, uint16_t port,
                                     pid_t pid) {
  ServeServer server;
  server.name = name;
  server.port = port;
  server.pids = ProcessesOf(pid);
  for (const pid_t one : server.pids) {
    server.resident_bytes += ResidentBytes(one);
  }
  return server;
}

bool ServeServers::Start() {
  PinTo(options_.server_core);
  const bool ok = StartAll();
  PinTo(options_.load_core);
  return ok;
}

bool ServeServers::StartAll() {
  constexpr Yardstick kYardsticks[] = {{"echo", "echo", false},
                                       {"echo, GSO", "gso", true},
                                       {"echo, GSO and GRO", "gso-gro", true}};
  if (!StartDnsd("dnsd")) return false;
  for (const Yardstick& yardstick : kYardsticks) {
    if (!StartYardstick(yardstick)) return false;
  }
  if (!options_.IsWanted("dnsd")) servers_.pop_back();
  if (!options_.also.empty()) {
    setenv("DNSD_BINARY", options_.also.c_str(), 1);
    if (!StartDnsd("dnsd also")) return false;
  }
  for (const PeerServer& peer : kPeers) {
    if (!StartPeer(peer)) return false;
  }
  return StartConsul();
}

bool ServeServers::StartDnsd(const std::string& name) {
  agents_.push_back(std::make_unique<AgentProcess>(
      std::vector<std::string>{"-dev", "-workers", "1"}));
  AgentProcess& agent = *agents_.back();
  if (!agent.WaitUntilServing()) {
    std::fprintf(stderr, "%s\n", agent.process().output().c_str());
    return false;
  }
  const absl::Status status = catalog_.Register(agent.http_port());
  if (!status.ok()) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(),
                 std::string(status.message()).c_str());
    return false;
  }
  if (!Add(name, agent.dns().port, agent.process().pid())) return false;
  servers_.back().http_port = agent.http_port();
  return true;
}

// Before dnsd's row.
bool ServeServers::StartYardstick(const Yardstick& yardstick) {
  std::vector<std::string> args = AnswerSizes(agents_.front()->dns());
  args.insert(args.begin(), yardstick.kind);
  std::optional<ChildServer> server = StartPlainServer(args);
  if (!server) return false;
  ServeServer made =
      MakeServer(yardstick.name, server->port, server->process->pid());
  made.is_yardstick = true;
  made.is_for_few_clients = yardstick.is_for_few_clients;
  servers_.insert(servers_.end() - 1, std::move(made));
  processes_.push_back(std::move(server->process));
  return true;
}

bool ServeServers::StartPeer(const PeerServer& peer) {
  if (!options_.IsWanted(peer.name)) return true;
  if (ProgramOf(peer).empty()) {
    std::fprintf(stderr, "without %s: it was not fetched\n", peer.name);
    return true;
  }
  const std::string zone = dir_.Path("consul.zone");
  if (!std::filesystem::exists(zone)) {
    const DnsReply soa =
        AskUdp(agents_.front()->dns(), {"consul.", "SOA"}, kTry);
    if (soa.answer.size() != 1) return false;
    dir_.Write("consul.zone", catalog_.ZoneText(soa.answer[0]));
  }
  std::optional<ChildServer> server = StartPeerServer(
      peer, dir_, {{"ZONE", zone}}, [](const DnsServer& address) {
        return AskUdp(address, {"consul.", "SOA"}, kTry).rcode == "NOERROR";
      });
  if (!server) return false;
  processes_.push_back(std::move(server->process));
  return Add(peer.name, server->port, processes_.back()->pid());
}

bool ServeServers::StartConsul() {
  if (!options_.IsWanted("Consul")) return true;
  const std::optional<std::string> binary = ConsulBinary();
  if (!binary) {
    std::fprintf(stderr, "without Consul: it was not fetched\n");
    return true;
  }
  ConsulProcessOptions options;
  // It would leave out addresses otherwise.
  options.config =
      absl::StrCat("log_level = \"ERR\"\ndns_config { udp_answer_limit = ",
                   options_.size.instances, " }");
  consul_.emplace(*binary, options);
  if (!consul_->WaitForLeader()) {
    std::fprintf(stderr, "%s\n", consul_->process().output().c_str());
    return false;
  }
  const absl::Status status = catalog_.Register(consul_->ports().http);
  if (!status.ok()) {
    std::fprintf(stderr, "Consul: %s\n", std::string(status.message()).c_str());
    return false;
  }
  if (!Add("Consul", consul_->ports().dns, consul_->process().pid())) {
    return false;
  }
  servers_.back().http_port = consul_->ports().http;
  return true;
}

}  // namespace dnsd::testing
