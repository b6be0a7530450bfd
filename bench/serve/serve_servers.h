// ServeServers starts what the serving benchmark compares, all with the same
// catalog and one worker on one core: yardsticks, a dnsd, Knot, NSD and Consul.
//
// Threads:   one owner; moves the calling thread to the load's core.
// Ownership: the processes end with it.
// Errors:    Start() is false, having said why, when one does not start or
//            answers something else than the catalog.
#ifndef DNSD_BENCH_SERVE_SERVE_SERVERS_H_
#define DNSD_BENCH_SERVE_SERVE_SERVERS_H_

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/bench_data.h"
#include "bench/child_servers.h"
#include "bench/cost_arguments.h"
#include "bench/serve/serve_catalog.h"
#include "tests/testing/agent_process.h"
#include "tests/testing/consul_process.h"
#include "tests/testing/process.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

struct ServeServer {
  std::string name;
  uint16_t port = 0;
  uint16_t http_port = 0;  // 0: its catalog cannot be changed
  std::vector<pid_t> pids;
  size_t resident_bytes = 0;  // with the catalog, all processes
  bool is_yardstick = false;  // its answers are as long as real ones, no more
  bool is_for_few_clients = false;  // a yardstick that joins datagrams
};

struct ServeServersOptions : ComparedServers {
  bench::CatalogSize size{1000, 5};
};

class ServeServers {
 public:
  explicit ServeServers(ServeServersOptions options);
  ~ServeServers();

  [[nodiscard]] bool Start();
  [[nodiscard]] const ServeCatalog& catalog() const { return catalog_; }
  // The first is the yardstick of all.
  [[nodiscard]] const std::vector<ServeServer>& servers() const {
    return servers_;
  }

 private:
  struct Yardstick;

  [[nodiscard]] bool StartAll();
  [[nodiscard]] bool StartDnsd(const std::string& name);
  [[nodiscard]] bool StartYardstick(const Yardstick& yardstick);
  [[nodiscard]] bool StartPeer(const PeerServer& peer);
  [[nodiscard]] bool StartConsul();
  [[nodiscard]] bool Add(const std::string& name, uint16_t port, pid_t pid);
  [[nodiscard]] static ServeServer MakeServer(const std::string& name,
                                              uint16_t port, pid_t pid);

  ServeServersOptions options_;
  ServeCatalog catalog_;
  TempDir dir_;
  std::vector<std::unique_ptr<Process>> processes_;
  std::vector<std::unique_ptr<AgentProcess>> agents_;
  std::optional<ConsulProcess> consul_;
  std::vector<ServeServer> servers_;
};

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_SERVE_SERVE_SERVERS_H_
