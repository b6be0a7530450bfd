// ForwardServers starts what forward_cost compares: a dnsd, the forwarders of
// others that are there, and two yardsticks, all with the same upstream. The
// servers run on one core, the upstream on another, one thread for queries
// each.
//
// Threads:   one owner; moves the calling thread to the upstream's core.
// Ownership: the processes end with it.
// Errors:    Start() is false, having said why, when one does not answer.
#ifndef DNSD_BENCH_FORWARD_SERVERS_H_
#define DNSD_BENCH_FORWARD_SERVERS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/child_servers.h"
#include "bench/cost_arguments.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

struct ForwardServer {
  std::string name;
  uint16_t port = 0;
  pid_t pid = 0;
  bool answers = true;   // without the upstream, what it was asked before
  bool forwards = true;  // what it was not asked before
};

struct ForwardServersOptions : ComparedServers {
  size_t upstream_delay_us = 0;
};

class ForwardServers {
 public:
  explicit ForwardServers(ForwardServersOptions options);

  [[nodiscard]] bool Start();
  [[nodiscard]] const std::vector<ForwardServer>& servers() const {
    return servers_;
  }
  [[nodiscard]] uint16_t upstream_port() const { return upstream_port_; }

 private:
  [[nodiscard]] uint16_t StartPlain(const std::vector<std::string>& args);
  [[nodiscard]] bool StartAll();
  [[nodiscard]] bool StartDnsd(const std::string& name);
  [[nodiscard]] bool StartPeer(const PeerServer& peer);
  [[nodiscard]] bool StartConsul();
  void Add(const std::string& name, uint16_t port, pid_t pid);

  ForwardServersOptions options_;
  TempDir dir_;
  uint16_t upstream_port_ = 0;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<std::unique_ptr<AgentProcess>> agents_;
  std::optional<ConsulProcess> consul_;
  std::vector<ForwardServer> servers_;
};

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_FORWARD_SERVERS_H_
