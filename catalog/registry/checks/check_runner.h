// CheckRunner runs health checks and says what came of them. All checks share
// one thread, the one of the EventLoop, and nothing here makes it wait.
//
// Times:     a check first runs after a random part of its interval, then at
//            whole intervals from there: it does not drift. A run that is
//            still going when the next is due replaces it.
// Threads:   the loop's thread only. Hooks may call Add(), Remove(), SetTtl()
//            and CatalogChanged(), but not destroy the runner.
// Ownership: runs are abandoned when their check or the runner goes; programs
//            are killed with their children, and reaped.
// Errors:    of registering, absl::Status with Consul's text; of running,
//            results.
// Limits:    CheckRunnerOptions; what is due above a limit waits its turn, in
//            order. What runs is counted in stats().
// Cost:      of a change or a run, logarithmic in the number of checks.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_CHECK_RUNNER_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_CHECK_RUNNER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/base/event_loop.h"
#include "catalog/registry/checks/alias_result.h"
#include "catalog/registry/checks/probe_tools.h"
#include "catalog/registry/definition.h"

namespace dnsd {

struct CheckFinding {
  std::string check_id;
  HealthStatus status = HealthStatus::kCritical;
  std::string output;
};

struct CheckRunnerOptions {
  ProbeSettings probes;
  std::string node_name;  // what an alias check without alias_node means
  // enable_local_script_checks, enable_script_checks.
  bool local_scripts = false;
  bool remote_scripts = false;

  // Runs at a time. With the default timeout of 10 s this is what 800 checks
  // that hang need at an interval of 10 s, and descriptors for them: each
  // takes one or two.
  size_t probes_max = 1024;
  // Programs at a time, of those.
  size_t processes_max = 64;
  // Runs that start in one turn of the loop, some 50 us each. Of a loop whose
  // turns are slow, too few would never catch up.
  size_t starts_of_turn_max = 256;
  // Consul's, here for configuration and for tests.
  std::chrono::milliseconds interval_min{1'000};
  std::chrono::milliseconds deregister_min{60'000};
  std::chrono::milliseconds reap_interval{30'000};
  std::chrono::milliseconds alias_interval{60'000};
  int output_bytes_max = 4096;  // check_output_max_size
  uint64_t seed = 0;            // 0: a random one
};

// Where a check was defined: who may define scripts.
enum class CheckOrigin : uint8_t { kLocal, kRemote };

// What a check starts from.
struct CheckStart {
  HealthStatus status = HealthStatus::kCritical;  // as registered or restored
  std::string output;
  CheckOrigin origin = CheckOrigin::kLocal;
  // Of a restored TTL check: what is left of its time. Nothing: all of it.
  std::optional<std::chrono::milliseconds> ttl_left;
};

struct CheckRunnerStats {
  size_t checks = 0;
  size_t running = 0;    // probes on their way
  size_t processes = 0;  // programs among them, and dead ones not yet reaped
  size_t waiting = 0;    // due, above a limit
  uint64_t runs = 0;
  uint64_t timeouts = 0;
  uint64_t skipped = 0;  // because the one before was still running
  int64_t late_ms = 0;   // of the last start, behind its plan
  int64_t late_ms_max = 0;
};

class CheckRunner {
 public:
  struct Hooks {
    // A result that counts by the check's thresholds, be it new or not.
    std::function<void(const CheckFinding&)> report;
    // The check was critical for longer than deregister_critical_service_after
    // says. Again at each reap interval until the check is removed.
    std::function<void(const std::string& service_id,
                       const std::string& check_id)>
        reap;
    // `node` is empty when the check names none: this agent, as it knows
    // itself.
    std::function<AliasTarget(const std::string& node,
                              const std::string& service_id)>
        alias;
  };

  CheckRunner(EventLoop* loop, CheckRunnerOptions options, Hooks hooks);
  ~CheckRunner();
  CheckRunner(const CheckRunner&) = delete;
  CheckRunner& operator=(const CheckRunner&) = delete;

  // Replaces the one of the same id. If what is run stays the same, its times,
  // counters and a run on its way stay, too. An error changes nothing.
  // Alias checks report from the loop, soon.
  [[nodiscard]] absl::Status Add(const CheckDefinition& definition,
                                 const CheckStart& start);
  // Unknown ids are ignored.
  void Remove(const std::string& check_id);

  // PUT /v1/agent/check/{pass,warn,fail,update}: reports at once. kNotFound
  // when there is no such TTL check.
  [[nodiscard]] absl::Status SetTtl(const std::string& check_id,
                                    HealthStatus status,
                                    absl::string_view output);
  // What is left of a TTL check's time, to be restored from; nothing when it
  // is none.
  [[nodiscard]] std::optional<std::chrono::milliseconds> TtlLeft(
      const std::string& check_id) const;

  // Something of an instance or its checks has changed, or, without
  // `service_id`, of the node's own checks: alias checks look again.
  void CatalogChanged(absl::string_view node, absl::string_view service_id);

  [[nodiscard]] CheckRunnerStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_CHECK_RUNNER_H_
