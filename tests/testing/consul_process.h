// ConsulProcess is a running `consul agent -dev`, the real thing, on free
// ports of 127.0.0.1: what dnsd is compared with.
//
// Threads:   one owner.
// Ownership: the agent is killed and reaped at the end if it still runs.
// Errors:    WaitUntilSynced() is false when the agent ended or did not get
//            there in time; process().output() has its reasons.
// Limits:    the ports are free when they are picked. Another program may
//            take one before Consul does; then Consul ends at once.
#ifndef DNSD_TESTS_TESTING_CONSUL_PROCESS_H_
#define DNSD_TESTS_TESTING_CONSUL_PROCESS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/testing/dns_client.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

// The binary that DNSD_CONSUL names, or build/consul/usr/bin/consul of the
// source tree; nothing when there is none.
[[nodiscard]] std::optional<std::string> ConsulBinary();

class ConsulProcess {
 public:
  // `consul agent -dev ARGS...`.
  ConsulProcess(const std::string& binary,
                const std::vector<std::string>& args);

  // Waits until everything of the configuration is in the catalog.
  // `node_check_id` is a check of the node that the configuration has: an
  // agent writes those after its services.
  [[nodiscard]] bool WaitUntilSynced(const std::string& node_check_id);

  [[nodiscard]] const DnsServer& dns() const { return dns_; }
  // The port of the service "consul", which servers register themselves.
  [[nodiscard]] uint16_t server_port() const { return server_port_; }
  [[nodiscard]] Process& process() { return *process_; }

 private:
  TempDir dir_;
  DnsServer dns_;
  uint16_t server_port_ = 0;
  std::optional<Process> process_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CONSUL_PROCESS_H_
