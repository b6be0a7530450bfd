#include "tests/testing/consul_process.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/check.h"

namespace dnsd::testing {
namespace {

constexpr char kDefaultBinary[] = "build/consul/usr/bin/consul";
constexpr int kAttempts = 100;
// Below those that Linux gives to connections on their way out
// (net.ipv4.ip_local_port_range): one of them could take a port before Consul.
constexpr int kPortMin = 10'000;
constexpr int kPortMax = 32'000;

int BindTo(const std::string& ip, int type, uint16_t port) {
  const int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  DNSD_CHECK(fd >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  DNSD_CHECK(inet_pton(AF_INET, ip.c_str(), &address.sin_addr) == 1);
  address.sin_port = htons(port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
      0) {
    return fd;
  }
  close(fd);
  return -1;
}

ConsulProcessOptions Development(const std::vector<std::string>& args) {
  ConsulProcessOptions options;
  options.args = args;
  return options;
}

ConsulProcessOptions WithPorts(ConsulProcessOptions options) {
  if (!options.ports) options.ports = PickConsulPorts(options.ip);
  return options;
}

std::string HclList(const std::vector<std::string>& words) {
  return absl::StrCat(
      "[",
      absl::StrJoin(words, ", ",
                    [](std::string* out, const std::string& word) {
                      *out += JsonQuoted(word);
                    }),
      "]");
}

// Elections and failures are found in a second or so: the defaults are for
// networks, and for machines that are slow. An update check would ask the
// world.
std::string ConfigText(const ConsulProcessOptions& options,
                       const std::string& data_dir) {
  const ConsulPorts& ports = *options.ports;
  const auto optional_port = [](bool on, uint16_t port) {
    return on ? static_cast<int>(port) : -1;
  };
  std::string text = absl::StrCat(
      "ports { dns = ", ports.dns, " http = ", ports.http,
      " https = ", optional_port(options.https, ports.https), " grpc = -1",
      " server = ", ports.server, " serf_lan = ", ports.serf_lan,
      " serf_wan = ", optional_port(options.wan, ports.serf_wan),
      " }\ndisable_update_check = true\nperformance { raft_multiplier = 1 }\n",
      "bind_addr = ", JsonQuoted(options.ip),
      "\nclient_addr = ", JsonQuoted(options.ip),
      "\ndatacenter = ", JsonQuoted(options.datacenter), "\n");
  if (!options.node_name.empty()) {
    absl::StrAppend(&text, "node_name = ", JsonQuoted(options.node_name), "\n");
  }
  if (options.keeps_data) {
    absl::StrAppend(
        &text, "server = true\nbootstrap_expect = ", options.servers_expected,
        "\ndata_dir = ", JsonQuoted(data_dir),
        // Coordinates and checks of the cluster itself would move
        // indexes while a test looks at them.
        "\ndisable_coordinates = true\n",
        "gossip_lan { gossip_interval = \"50ms\" ",
        "probe_interval = \"200ms\" probe_timeout = \"150ms\" ",
        "suspicion_mult = 2 }\n", "gossip_wan { gossip_interval = \"50ms\" ",
        "probe_interval = \"500ms\" probe_timeout = \"400ms\" ",
        "suspicion_mult = 2 }\n");
  }
  if (!options.join.empty()) {
    absl::StrAppend(&text, "retry_join = ", HclList(options.join),
                    "\nretry_interval = \"1s\"\n");
  }
  if (!options.join_wan.empty()) {
    absl::StrAppend(&text, "retry_join_wan = ", HclList(options.join_wan),
                    "\nretry_interval_wan = \"1s\"\n");
  }
  return absl::StrCat(text, options.config, "\n");
}

}  // namespace

std::optional<std::string> ConsulBinary() {
  const char* variable = std::getenv("DNSD_CONSUL");
  const std::string path = variable != nullptr ? variable : kDefaultBinary;
  if (access(path.c_str(), X_OK) != 0) return std::nullopt;
  return path;
}

ConsulPorts PickConsulPorts(const std::string& ip) {
  ConsulPorts ports;
  std::vector<int> held;
  const std::array<uint16_t*, 6> wanted = {&ports.dns,      &ports.http,
                                           &ports.https,    &ports.server,
                                           &ports.serf_lan, &ports.serf_wan};
  std::random_device random;
  std::uniform_int_distribution<int> pick(kPortMin, kPortMax);
  size_t found = 0;
  for (int i = 0; i < kAttempts && found < wanted.size(); ++i) {
    const auto port = static_cast<uint16_t>(pick(random));
    const int tcp = BindTo(ip, SOCK_STREAM, port);
    if (tcp < 0) continue;
    held.push_back(tcp);
    const int udp = BindTo(ip, SOCK_DGRAM, port);
    if (udp < 0) continue;
    held.push_back(udp);
    *wanted[found++] = port;
  }
  for (const int fd : held) close(fd);
  DNSD_CHECK(found == wanted.size());
  return ports;
}

ConsulProcess::ConsulProcess(const std::string& binary,
                             const std::vector<std::string>& args)
    : ConsulProcess(binary, Development(args)) {}

ConsulProcess::ConsulProcess(const std::string& binary,
                             const ConsulProcessOptions& options)
    : binary_(binary), options_(WithPorts(options)), api_(HttpUrl()) {
  dns_.ip = options_.ip;
  dns_.port = ports().dns;
  Start();
}

void ConsulProcess::Start() {
  const std::string config =
      dir_.Write("config.hcl", ConfigText(options_, dir_.Path("data")));
  std::vector<std::string> command = {binary_, "agent"};
  if (!options_.keeps_data) command.push_back("-dev");
  command.insert(command.end(), {"-config-file", config});
  command.insert(command.end(), options_.args.begin(), options_.args.end());
  process_.emplace(command);
}

bool ConsulProcess::WaitUntilSynced(const std::string& node_check_id) {
  return process_->WaitForOutput("Synced check: check=" + node_check_id);
}

bool ConsulProcess::WaitUntilNodeSynced() {
  return process_->WaitForOutput("Synced node info");
}

bool ConsulProcess::WaitForLeader(std::chrono::milliseconds timeout) {
  return api_.WaitForLeader(timeout);
}

void ConsulProcess::Pause() { process_->Pause(); }

void ConsulProcess::Continue() { process_->Signal(SIGCONT); }

void ConsulProcess::Kill() { process_.reset(); }

void ConsulProcess::Restart(Data data) {
  Kill();
  if (data == Data::kWiped) dir_.Remove("data");
  Start();
}

std::string ConsulProcess::HttpAddress() const {
  return absl::StrCat(options_.ip, ":", ports().http);
}

std::string ConsulProcess::HttpUrl() const {
  return absl::StrCat("http://", HttpAddress());
}

}  // namespace dnsd::testing
