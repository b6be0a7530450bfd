// ConsulCluster is some Consul servers that form one datacenter on this
// machine, each on an address of 127.0.0.0/8 of its own, with its data on
// disk, so that one can be killed and come back. Two clusters can be joined
// over what they take for the WAN.
//
// Threads:   one owner.
// Ownership: all servers are killed and reaped at the end.
// Errors:    waiting has an end and is false then; Outputs() has what the
//            servers said.
// Limits:    the addresses are free to bind on Linux without set-up.
#ifndef DNSD_TESTS_TESTING_CONSUL_CLUSTER_H_
#define DNSD_TESTS_TESTING_CONSUL_CLUSTER_H_

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/testing/consul_api.h"
#include "tests/testing/consul_process.h"

namespace dnsd::testing {

struct ConsulClusterOptions {
  size_t server_count = 3;
  std::string datacenter = "dc1";
  int first_ip = 2;  // 127.0.0.2, 127.0.0.3 and so on
  // Servers of another cluster: its WanAddresses().
  std::vector<std::string> join_wan;
  std::string config;  // more of it, HCL, for all servers
};

class ConsulCluster {
 public:
  ConsulCluster(const std::string& binary, const ConsulClusterOptions& options);

  [[nodiscard]] size_t size() const { return servers_.size(); }
  [[nodiscard]] ConsulProcess& server(size_t i) { return *servers_[i]; }
  // "127.0.0.2:8302" of each.
  [[nodiscard]] std::vector<std::string> WanAddresses() const;
  // "http://127.0.0.2:8500" of each.
  [[nodiscard]] std::vector<std::string> HttpUrls() const;

  // Waits until every server that runs names the same leader, which runs, and
  // knows of as many servers "consul" in its catalog as there are running.
  // The leader; nothing when the time is over.
  [[nodiscard]] std::optional<size_t> WaitForLeader(
      std::chrono::milliseconds timeout = kPatience);
  // The server that those that run take for their leader; nothing when they
  // know none, or do not agree, or it does not run.
  [[nodiscard]] std::optional<size_t> Leader();
  // Waits until every server that runs can ask the other datacenter.
  [[nodiscard]] bool WaitForDatacenter(
      const std::string& datacenter,
      std::chrono::milliseconds timeout = kPatience);

  void KillServer(size_t i);
  // With the data it had, on its ports; it joins the others by itself.
  void StartServer(size_t i);

  // What each has printed, for messages of failed tests.
  [[nodiscard]] std::string Outputs();

 private:
  std::vector<std::unique_ptr<ConsulProcess>> servers_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CONSUL_CLUSTER_H_
