// ConsulProcess is a running `consul agent`, the real thing: what dnsd is
// compared with, and what it mirrors.
//
// It is a development server that keeps nothing, or one with a data directory
// that can be killed and come back with its data or without. Its ports stay
// the same all its life. It calls nobody outside this machine.
//
// Threads:   one owner; what api() returns too.
// Ownership: the agent is killed and reaped at the end if it still runs.
// Errors:    waiting has an end and is false then; process().output() has
//            Consul's reasons.
// Limits:    the ports are free when they are picked. Another program may
//            take one before Consul does; then Consul ends at once.
#ifndef DNSD_TESTS_TESTING_CONSUL_PROCESS_H_
#define DNSD_TESTS_TESTING_CONSUL_PROCESS_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

// The binary that DNSD_CONSUL names, or build/consul/usr/bin/consul of the
// source tree; nothing when there is none.
[[nodiscard]] std::optional<std::string> ConsulBinary();

struct ConsulPorts {
  uint16_t dns = 0;
  uint16_t http = 0;
  uint16_t https = 0;
  uint16_t server = 0;
  uint16_t serf_lan = 0;
  uint16_t serf_wan = 0;
};
// Ports of `ip` that are free for TCP and for UDP, all different.
[[nodiscard]] ConsulPorts PickConsulPorts(const std::string& ip);

struct ConsulProcessOptions {
  // True: a server with a data directory. False: `-dev`.
  bool keeps_data = false;
  // With keeps_data: servers that must be there before there is a leader.
  int servers_expected = 1;
  std::string ip = "127.0.0.1";      // bound to and listened on
  std::optional<ConsulPorts> ports;  // nothing: PickConsulPorts()
  bool https = false;     // listen on ports.https; `config` has the certificate
  bool wan = false;       // listen on ports.serf_wan; a cluster of many has to
  std::string node_name;  // empty: the host's
  std::string datacenter = "dc1";
  std::vector<std::string> join;      // "127.0.0.2:8301"
  std::vector<std::string> join_wan;  // "127.0.0.2:8302"
  std::string config;                 // more of it, HCL
  std::vector<std::string> args;      // more of them
};

class ConsulProcess {
 public:
  // `consul agent -dev ARGS...`.
  ConsulProcess(const std::string& binary,
                const std::vector<std::string>& args);
  ConsulProcess(const std::string& binary, const ConsulProcessOptions& options);

  // Waits until everything of the configuration is in the catalog.
  // `node_check_id` is a check of the node that the configuration has: an
  // agent writes those after its services.
  [[nodiscard]] bool WaitUntilSynced(const std::string& node_check_id);
  // Until the agent's node is in the catalog with all it has; the leader puts
  // it there with less at first.
  [[nodiscard]] bool WaitUntilNodeSynced();
  // Waits until there is a leader and it has registered itself.
  [[nodiscard]] bool WaitForLeader(
      std::chrono::milliseconds timeout = kPatience);

  // SIGSTOP and SIGCONT: connections are accepted by the kernel, and nothing
  // is answered.
  void Pause();
  void Continue();
  // SIGKILL; returns when it is gone. Nothing when it is not running.
  void Kill();
  // Starts it again, on the same ports; kills it before if it runs. Wiped
  // means that nothing of its data is left, nor its node id.
  enum class Data : uint8_t { kKept, kWiped };
  void Restart(Data data = Data::kKept);
  [[nodiscard]] bool running() const { return process_.has_value(); }

  [[nodiscard]] const ConsulProcessOptions& options() const { return options_; }
  [[nodiscard]] const ConsulPorts& ports() const { return *options_.ports; }
  [[nodiscard]] const DnsServer& dns() const { return dns_; }
  // The port of the service "consul", which servers register themselves.
  [[nodiscard]] uint16_t server_port() const { return ports().server; }
  // "127.0.0.1:8500" and "http://127.0.0.1:8500".
  [[nodiscard]] std::string HttpAddress() const;
  [[nodiscard]] std::string HttpUrl() const;
  [[nodiscard]] ConsulApi& api() { return api_; }
  // Only while running().
  [[nodiscard]] Process& process() { return *process_; }

 private:
  void Start();

  std::string binary_;
  ConsulProcessOptions options_;
  TempDir dir_;
  DnsServer dns_;
  ConsulApi api_;
  std::optional<Process> process_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CONSUL_PROCESS_H_
