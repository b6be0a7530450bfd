// Server is the agent: it starts everything in order, reloads, and stops.
//
//   sync thread   catalog-sync: State, sources (the configuration's services,
//                 a mirrored Consul), HTTP, publication
//   workers       DNS, one thread each, reading Published<View>
//   main thread   signals; calls Start(), Reload(), BeginStop(), Stop()
//
// Threads:   Start(), Reload(), BeginStop() and Stop() on the main thread.
// Ownership: owns all of the above.
// Errors:    Start() and Reload() return everything that is wrong, a line
//            each. A failed reload changes nothing.
#ifndef DNSD_DNSD_SERVER_H_
#define DNSD_DNSD_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "catalog/registry/config_source.h"
#include "catalog/sync.h"
#include "dnsd/config.h"
#include "dnsd/duration_histogram.h"
#include "dnsd/forward_link.h"
#include "dnsd/health_link.h"
#include "dnsd/http/http_server.h"
#include "dnsd/http/metrics_text.h"
#include "dnsd/http/monitor_api.h"
#include "dnsd/http/routes.h"
#include "dnsd/http/stats_api.h"
#include "dnsd/mirror_link.h"
#include "dnsd/passed_sockets.h"
#include "dnsd/publisher.h"
#include "dnsd/querylog/query_log.h"
#include "dnsd/registry_link.h"
#include "dnsd/serve/random_key.h"
#include "dnsd/serve/worker.h"
#include "dnsd/systemd_notify.h"
#include "dnsd/transfer/transfer_service.h"

namespace dnsd {

using Errors = std::vector<std::string>;

class Server {
 public:
  // `read_config` reads the agent's flags and files again, for reloads. It is
  // called on a thread of libuv's pool.
  using ReadConfig = std::function<Config(Problems*)>;

  // What the service manager has to do with it: it hears of the start, reloads,
  // health and the stop, and may have bound the sockets of DNS, with which
  // `config` and what `read_config` reads then agree.
  struct Manager {
    SystemdNotify notify;
    PassedSockets sockets;
  };

  Server(Config config, ReadConfig read_config, Manager manager);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // When it returns without errors, every listener answers.
  [[nodiscard]] Errors Start();

  // Reads the configuration again and applies what can change at run time:
  // services, checks, node meta, dns_config, forwarding, zones, log level. The
  // verdict is logged.
  void Reload();

  // From now on /ready says that it stops; everything is answered as before.
  // For how long the caller is to wait before Stop(): milliseconds.
  [[nodiscard]] uint64_t BeginStop();

  // Answers what was received, then stops. Milliseconds.
  void Stop();

  static constexpr uint64_t kDrainMs = 1'000;

 private:
  using ReloadDone = std::function<void(const Errors&)>;
  struct ReloadWork;

  [[nodiscard]] Errors StartSources();
  void Define(Definitions definitions);
  void SetAnswers(ViewBuilder::Zones zones);
  void SetCookieSecret(const CookiePolicy& before, Config* config) const;
  void MakeTransfers();
  [[nodiscard]] Errors OpenQueryLog();
  [[nodiscard]] Errors StartWorkers();
  void MakeRoutes();
  [[nodiscard]] std::vector<Route> MakeExplainRoutes();
  [[nodiscard]] Errors StartHttp();
  [[nodiscard]] Errors MakeDataDir() const;
  [[nodiscard]] Errors WritePidFile() const;
  void RemovePidFile() const;
  // What listens and what is served, as log lines; on the sync thread, which
  // owns the configuration once it runs.
  void Announce() const;
  void StartReload(ReloadDone done);
  void ReadAgain();
  void FinishReload(ReloadWork* work);
  void Apply(Config config, ViewBuilder::Zones zones);
  void OnPublish(const State& state, const Dirty& dirty);
  void OnLocalDatacenter(const std::string& name);
  [[nodiscard]] bool mirrors() const {
    return !config_.consul.addresses.empty();
  }
  [[nodiscard]] Definitions DefinitionsNow() const;
  // What a mirroring agent's own definitions lack.
  void WarnAboutChecks() const;
  [[nodiscard]] std::vector<const WorkerStats*> WorkerNumbersNow() const;
  [[nodiscard]] MetricsText Metrics(const ForwardFigures& forward) const;
  void SetMetricsHooks(AgentHooks* hooks);
  [[nodiscard]] StatsReport::Source SourceNow() const;
  [[nodiscard]] StatsReport Stats(const ForwardFigures& forward) const;
  [[nodiscard]] std::vector<Route> StatsRoutes(const AgentHooks& hooks);
  // Once everything is made and before it runs.
  void MakeHealth();
  [[nodiscard]] SelfInfo Describe() const;

  const SipKey random_cookie_secret_ = RandomKey();
  Config config_;
  ReadConfig read_config_;
  Manager manager_;
  Publisher publisher_;
  CatalogSync sync_;
  std::unique_ptr<Timer> reclaim_;
  ForwardLink forward_;
  // One of the two: a Consul is mirrored, beside what the configuration
  // defines, or registrations are our own.
  ConfigSource* config_source_ = nullptr;
  std::unique_ptr<MirrorLink> mirror_;
  std::unique_ptr<RegistryLink> own_;
  // Whether it is known which datacenter is ours.
  bool is_datacenter_known_ = false;
  std::unique_ptr<StatsApi> stats_;
  std::unique_ptr<MonitorApi> monitor_;
  std::unique_ptr<Routes> routes_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<TransferService> transfers_;  // outlives the workers
  std::unique_ptr<QueryLog> query_log_;         // so does this
  std::unique_ptr<HealthLink> health_;
  std::vector<std::unique_ptr<Worker>> workers_;
  bool reloading_ = false;             // sync thread
  bool stopping_ = false;              // sync thread
  std::vector<ReloadDone> waiting_;    // reloads asked for meanwhile
  uint64_t reload_failure_count_ = 0;  // sync thread
  uint64_t reload_count_ = 0;          // sync thread
  bool started_ = false;
  const uint64_t began_ns_ = MonotonicNs();
};

// Reads the zone files of a configuration; errors name file and line.
[[nodiscard]] ViewBuilder::Zones ReadZones(const Config& config,
                                           Errors* errors);

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVER_H_
