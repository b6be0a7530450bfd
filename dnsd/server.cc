#include "dnsd/server.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/check.h"
#include "catalog/base/log.h"
#include "catalog/base/uuid.h"
#include "dnsd/config_restart.h"
#include "dnsd/http/log_level_api.h"
#include "dnsd/http/ui_files.h"
#include "dnsd/limits.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/server_metrics.h"
#include "dnsd/version.h"
#include "zones/zone_file.h"

namespace dnsd {
namespace {

constexpr SourceId kConfigSource = 0;
constexpr SourceId kConsulSource = 1;

// How often to look whether readers have let go of old views.
constexpr uint64_t kReclaimMs = 50;
constexpr uint32_t kPreviousSecretSeconds = 3600;

int CoreCount() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return std::clamp(CPU_COUNT(&cores), 1, kWorkersMax);
}

}  // namespace

// One reload on its way: read on the pool, applied on the sync thread.
struct Server::ReloadWork {
  uv_work_t uv;
  Server* server;
  Config config;
  ViewBuilder::Zones zones;
  Errors errors;
  std::vector<std::string> warnings;
  std::vector<ReloadDone> done;
};

ViewBuilder::Zones ReadZones(const Config& config, Errors* errors) {
  ViewBuilder::Zones zones;
  for (const ZoneFileConfig& zone : config.zones) {
    auto data = ReadZoneFile(zone.name, zone.file);
    if (data.ok()) {
      zones.push_back(*std::move(data));
    } else {
      errors->push_back(absl::StrCat(zone.place.ToString(), ": zone \"",
                                     zone.name,
                                     "\": ", data.status().message()));
    }
  }
  return zones;
}

Server::Server(Config config, ReadConfig read_config, Manager manager)
    : config_(std::move(config)),
      read_config_(std::move(read_config)),
      manager_(std::move(manager)),
      publisher_(RandomSeed()),
      sync_([this](const State& state, const Dirty& dirty) {
        OnPublish(state, dirty);
      }),
      reclaim_(std::make_unique<Timer>(sync_.loop(),
                                       [this] {
                                         if (publisher_.Reclaim() > 0)
                                           reclaim_->Start(kReclaimMs);
                                       })),
      forward_(sync_.loop()) {}

Server::~Server() { Stop(); }

void Server::OnPublish(const State& state, const Dirty& dirty) {
  if (mirror_) mirror_->BeforePublish();
  publisher_.Publish(state, dirty, sync_.changed_since_ns());
  if (own_) own_->OnPublished(dirty);
  for (const auto& worker : workers_) {
    if (worker->parked_count() > 0) worker->Poke();
  }
  if (transfers_) transfers_->OnPublished();
  if (publisher_.waiting() > 0) reclaim_->Start(kReclaimMs);
}

void Server::MakeTransfers() {
  if (!config_.transfer.enabled() || config_.dns_listen.empty()) return;
  TransferService::Options options;
  options.transfer = config_.transfer;
  options.view = &publisher_.view();
  options.reader = publisher_.RegisterReader();
  options.seed = RandomSeed();
  for (const Endpoint& listen : config_.dns_listen) {
    const absl::StatusOr<SocketAddress> address = ToSocketAddress(listen);
    if (address.ok()) options.sources.push_back(*address);
  }
  transfers_ = std::make_unique<TransferService>(std::move(options));
}

Errors Server::OpenQueryLog() {
  auto query_log = QueryLog::Open(config_.query_log);
  if (!query_log.ok()) return {std::string(query_log.status().message())};
  query_log_ = *std::move(query_log);
  return {};
}

Errors Server::StartWorkers() {
  if (config_.dns_listen.empty()) return {};
  int count = config_.workers > 0 ? config_.workers : CoreCount();
  std::vector<Endpoint> listen = config_.dns_listen;
  const absl::StatusOr<ForwardOptions> forward = forward_.OptionsOf(config_);
  if (!forward.ok()) return {std::string(forward.status().message())};
  for (int i = 0; i < count; ++i) {
    Worker::Options options;
    options.index = i;
    options.listen = listen;
    options.sockets = manager_.sockets.Take();
    options.view = &publisher_.view();
    options.reader = publisher_.RegisterReader();
    options.seed = RandomSeed();
    options.forward = *forward;
    options.limits = config_.client_limits;
    options.on_loop = forward_.LoopHandler();
    options.transfers = transfers_.get();
    options.samples = query_log_->AddRing();
    options.sample_rules = config_.query_log.rules;
    options.asked = mirror_ ? mirror_->AddRing() : own_->AddRing();
    options.wake = [this] { mirror_ ? mirror_->WakeUp() : own_->WakeUp(); };
    auto worker = Worker::Create(std::move(options));
    if (!worker.ok()) return {std::string(worker.status().message())};
    // The port the kernel chose for the first one is the others' too.
    listen = (*worker)->listening();
    forward_.Add(worker->get());
    workers_.push_back(*std::move(worker));
  }
  return {};
}

Errors Server::MakeDataDir() const {
  if (config_.data_dir.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(config_.data_dir, error);
  if (!error) return {};
  return {absl::StrCat("cannot make data_dir ", config_.data_dir, ": ",
                       error.message())};
}

Errors Server::WritePidFile() const {
  if (config_.pid_file.empty()) return {};
  std::ofstream file(config_.pid_file, std::ios::trunc);
  file << getpid() << "\n";
  file.close();
  if (file.good()) return {};
  return {absl::StrCat("cannot write pid file ", config_.pid_file, ": ",
                       std::strerror(errno))};
}

void Server::RemovePidFile() const {
  if (!config_.pid_file.empty()) unlink(config_.pid_file.c_str());
}

// What the configuration puts into the catalog. An agent that only mirrors is
// no node of it.
Definitions Server::DefinitionsNow() const {
  Definitions definitions{true, config_.node, config_.services, config_.checks};
  if (mirrors()) {
    definitions.is_present =
        is_datacenter_known_ &&
        !(config_.services.empty() && config_.checks.empty());
  }
  return definitions;
}

void Server::OnLocalDatacenter(const std::string& name) {
  is_datacenter_known_ = true;
  config_.node.datacenter = name;
  if (config_.policy.datacenter != name) {
    config_.policy.datacenter = name;
    publisher_.SetPolicy(config_.policy);
  }
  Define(DefinitionsNow());
}

void Server::Define(Definitions definitions) {
  if (own_) {
    own_->Update(std::move(definitions));
  } else {
    config_source_->Update(std::move(definitions));
  }
}

// What else than the catalog answers depend on. A mirrored Consul shows what
// the mirror's own token may see; tokens of this agent are no part of that.
void Server::SetAnswers(ViewBuilder::Zones zones) {
  publisher_.SetPolicy(config_.policy);
  publisher_.SetZones(std::move(zones));
  if (!mirrors()) publisher_.SetRights(DnsRights(config_.acl));
}

Errors Server::StartSources() {
  if (mirrors()) {
    auto source =
        std::make_unique<ConfigSource>(kConfigSource, DefinitionsNow());
    config_source_ = source.get();
    sync_.AddSource(std::move(source));
    mirror_ = std::make_unique<MirrorLink>(
        kConsulSource, config_, &sync_, &publisher_,
        [this](const std::string& name) { OnLocalDatacenter(name); });
    return {};
  }
  absl::StatusOr<std::string> id = NodeId(config_);
  if (!id.ok()) return {std::string(id.status().message())};
  config_.node.id = *std::move(id);
  absl::StatusOr<std::unique_ptr<RegistryLink>> own = RegistryLink::Open(
      kConfigSource, config_, DefinitionsNow(), &sync_, &publisher_);
  if (!own.ok()) return {std::string(own.status().message())};
  own_ = *std::move(own);
  return {};
}

// Cookies made before a change of the secret are good for an hour more
// (RFC 9018 section 5).
void Server::SetCookieSecret(const CookiePolicy& before, Config* config) const {
  CookiePolicy& cookies = config->policy.cookies;
  cookies.secret = config->cookie_secret.value_or(random_cookie_secret_);
  if (cookies.secret == before.secret) {
    cookies.previous = before.previous;
    cookies.previous_until = before.previous_until;
  } else {
    cookies.previous = before.secret;
    cookies.previous_until =
        static_cast<uint32_t>(std::time(nullptr)) + kPreviousSecretSeconds;
  }
}

Errors Server::Start() {
  config_.policy.cookies.secret =
      config_.cookie_secret.value_or(random_cookie_secret_);
  Errors errors;
  ViewBuilder::Zones zones = ReadZones(config_, &errors);
  if (!errors.empty()) return errors;
  errors = MakeDataDir();
  if (!errors.empty()) return errors;
  SetAnswers(std::move(zones));

  errors = StartSources();
  if (!errors.empty()) return errors;
  MakeTransfers();
  errors = OpenQueryLog();
  if (!errors.empty()) return errors;
  errors = StartWorkers();
  if (!errors.empty()) return errors;
  MakeHealth();
  MakeRoutes();
  errors = StartHttp();
  if (!errors.empty()) return errors;
  errors = WritePidFile();
  if (!errors.empty()) return errors;

  const absl::Status synced = sync_.Start();
  if (!synced.ok()) {
    RemovePidFile();
    return {std::string(synced.message())};
  }
  started_ = true;
  if (transfers_) transfers_->Start();
  query_log_->Start();
  for (const auto& worker : workers_) worker->Start();
  sync_.RunAndWait([this] { Announce(); });
  manager_.notify.Ready();
  return {};
}

void Server::MakeRoutes() {
  AgentHooks hooks;
  hooks.reload = [this](ReloadDone done) { StartReload(std::move(done)); };
  SetMetricsHooks(&hooks);
  hooks.self = [this] { return AgentSelf(Describe()); };
  hooks.acl = RequestAcl([this] { return config_.acl; });
  hooks.node_name = config_.node.name;
  ForwardCacheHooks cache;
  cache.dump = [this](const CacheNames& names, size_t limit, auto done) {
    forward_.Dump(names, limit, std::move(done));
  };
  cache.flush = [this](const CacheNames& names, auto done) {
    forward_.Flush(names, std::move(done));
  };
  cache.acl = hooks.acl;
  cache.node_name = hooks.node_name;
  std::vector<Route> routes = StatsRoutes(hooks);
  const auto add = [&routes](std::vector<Route> more) {
    std::move(more.begin(), more.end(), std::back_inserter(routes));
  };
  add(LogLevelRoutes(hooks.acl, hooks.node_name));
  monitor_ = std::make_unique<MonitorApi>(
      MonitorApi::Options{sync_.loop(), hooks.acl, hooks.node_name});
  add(monitor_->Routes());
  add(AgentRoutes(std::move(hooks)));
  add(health_->MakeRoutes());
  add(ForwardCacheRoutes(std::move(cache)));
  add(MakeExplainRoutes());
  add(UiFileRoutes([this] { return config_.ui; }));
  if (own_) {
    RegistryLink::Hooks own;
    own.member = [this] { return AgentMember(Describe()); };
    // To the process: this thread takes no signals.
    own.leave = [] { kill(getpid(), SIGTERM); };
    own.acl = [this] { return config_.acl; };
    add(own_->MakeRoutes(std::move(own)));
  }
  routes_ = std::make_unique<Routes>(
      std::move(routes),
      mirror_ ? mirror_->passthrough() : HttpServer::Handler());
}

Errors Server::StartHttp() {
  if (config_.http_listen.empty() && config_.https_listen.empty()) return {};
  HttpLimits limits;
  limits.connections_per_client_max = config_.http_connections_per_client_max;
  limits.requests_max = config_.http_requests_max;
  limits.requests_per_client_max = config_.http_requests_per_client_max;
  limits.handshake_ms = config_.https_handshake_ms;
  if (mirror_) limits.body_bytes_max = kPassthroughBodyBytesMax;
  http_ = std::make_unique<HttpServer>(
      sync_.loop(),
      [this](const HttpRequest& request, HttpServer::Reply reply) {
        routes_->Handle(request, std::move(reply));
      },
      limits);
  absl::Status listening = http_->Listen(config_.http_listen);
  if (listening.ok() && !config_.https_listen.empty()) {
    listening = http_->ListenTls(config_.https_listen, config_.https_tls);
  }
  if (!listening.ok()) return {std::string(listening.message())};
  return {};
}

void Server::Reload() {
  sync_.loop()->Post([this] { StartReload([](const Errors&) {}); });
}

void Server::StartReload(ReloadDone done) {
  waiting_.push_back(std::move(done));
  if (!reloading_) ReadAgain();  // else when the one on its way is through
}

void Server::ReadAgain() {
  reloading_ = true;
  manager_.notify.Reloading();
  LogInfo("agent", "Reloading configuration...");
  auto work = std::make_unique<ReloadWork>();
  work->server = this;
  work->done.swap(waiting_);
  work->uv.data = work.get();
  auto read = [](uv_work_t* uv) {
    auto* task = static_cast<ReloadWork*>(uv->data);
    Problems problems;
    task->config = task->server->read_config_(&problems);
    task->errors = problems.errors();
    task->warnings = problems.warnings();
    if (problems.ok()) task->zones = ReadZones(task->config, &task->errors);
  };
  auto finish = [](uv_work_t* uv, int) {
    std::unique_ptr<ReloadWork> task(static_cast<ReloadWork*>(uv->data));
    task->server->FinishReload(task.get());
  };
  uv_queue_work(sync_.loop()->uv(), &work.release()->uv, read, finish);
}

void Server::FinishReload(ReloadWork* work) {
  reloading_ = false;
  if (stopping_) return;
  for (const std::string& warning : work->warnings) {
    LogWarn("agent", warning);
  }
  ++reload_count_;
  if (work->errors.empty()) {
    Apply(std::move(work->config), std::move(work->zones));
    LogInfo("agent", "Configuration reloaded",
            {{"services", config_.services.size()},
             {"zones", config_.zones.size()}});
  } else {
    ++reload_failure_count_;
    for (const std::string& error : work->errors) {
      LogError("agent", "Reload failed, the old configuration goes on",
               {{"error", error}});
    }
  }
  for (const ReloadDone& done : work->done) done(work->errors);
  manager_.notify.Ready();
  if (!waiting_.empty()) ReadAgain();
}

void Server::Apply(Config config, ViewBuilder::Zones zones) {
  if (!config.datacenter_given && mirrors()) {
    config.node.datacenter = config_.node.datacenter;
  }
  KeepWhatNeedsRestart(config_, &config);
  SetCookieSecret(config_.policy.cookies, &config);
  config_ = std::move(config);
  // First, so that it is more likely to know what workers then send.
  query_log_->Configure(config_.query_log);
  for (const auto& worker : workers_) {
    worker->SetLimits(config_.client_limits);
    worker->SetSampleRules(config_.query_log.rules);
  }
  SetLogLevel(config_.log_level);
  // Addresses were judged when they were read.
  if (const auto forward = forward_.OptionsOf(config_); forward.ok()) {
    forward_.Configure(*forward);
  }
  if (http_) {
    http_->SetConnectionsPerClientMax(config_.http_connections_per_client_max);
    http_->SetRequestsMax(config_.http_requests_max,
                          config_.http_requests_per_client_max);
    if (!config_.https_listen.empty() && config_.https_tls) {
      http_->SetTls(config_.https_tls);
    }
  }
  SetAnswers(std::move(zones));
  Define(DefinitionsNow());
  // Policy and zones change answers even where no definition did.
  sync_.PublishNow();
  WarnAboutChecks();
}

uint64_t Server::BeginStop() {
  manager_.notify.Stopping();
  uint64_t lame_duck_ms = 0;
  sync_.RunAndWait([this, &lame_duck_ms] {
    health_->BeginStop();
    lame_duck_ms = config_.health.lame_duck_ms;
  });
  return lame_duck_ms;
}

void Server::Stop() {
  // All together, so that it takes as long as the slowest one.
  for (const auto& worker : workers_) worker->BeginStop(kDrainMs);
  for (const auto& worker : workers_) worker->Stop(kDrainMs);
  if (transfers_) transfers_->Stop();
  if (query_log_) query_log_->Stop();
  if (started_) {
    started_ = false;
    sync_.RunAndWait([this] {
      // A reload on its way ends in the pool, and changes nothing any more.
      stopping_ = true;
      http_.reset();
      stats_.reset();
      monitor_.reset();
      forward_.Stop();
      health_.reset();
      own_.reset();
      reclaim_.reset();
    });
    sync_.Stop();
    mirror_.reset();
    RemovePidFile();
    LogInfo("agent", "Stopped");
  }
  http_.reset();
  health_.reset();
  reclaim_.reset();
  workers_.clear();
  query_log_.reset();
  transfers_.reset();
  mirror_.reset();
}

}  // namespace dnsd
