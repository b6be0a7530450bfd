#include "dnsd/registry_link.h"

#include <chrono>
#include <fstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/log.h"
#include "catalog/base/uuid.h"
#include "catalog/registry/memory_store.h"
#include "catalog/registry/sqlite_store.h"
#include "dnsd/http/absent_api.h"
#include "dnsd/http/api_context.h"
#include "dnsd/http/api_filters.h"
#include "dnsd/http/catalog_api.h"
#include "dnsd/http/catalog_write_api.h"
#include "dnsd/http/health_api.h"
#include "dnsd/http/query_api.h"
#include "dnsd/registry_metrics.h"
#include "dnsd/version.h"

namespace dnsd {
namespace {

// In data_dir. Consul keeps its node's id under the same name.
constexpr char kStoreFile[] = "registry.db";
constexpr char kNodeIdFile[] = "node-id";

std::string InDataDir(const Config& config, const char* name) {
  return absl::StrCat(config.data_dir, "/", name);
}

absl::StatusOr<std::unique_ptr<Store>> OpenStore(const Config& config,
                                                 EventLoop* loop) {
  if (config.data_dir.empty()) {
    if (!config.dev) {
      LogWarn("agent",
              "Without data_dir, registrations are lost when this agent ends");
    }
    return OpenMemoryStore(loop);
  }
  return OpenSqliteStore(loop, InDataDir(config, kStoreFile));
}

std::chrono::milliseconds Millis(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

CheckRunnerOptions CheckOptionsOf(const Config& config) {
  const CheckSettings& settings = config.check_settings;
  CheckRunnerOptions options;
  options.node_name = config.node.name;
  options.local_scripts = settings.enable_local_scripts;
  options.remote_scripts = settings.enable_scripts;
  options.reap_interval = Millis(settings.reap_interval);
  options.deregister_min = Millis(settings.deregister_after_min);
  options.output_bytes_max = settings.output_bytes_max;
  return options;
}

RegistryOptions OptionsOf(SourceId id, const Config& config,
                          CatalogSync* sync) {
  const CheckSettings& settings = config.check_settings;
  RegistryOptions options;
  options.id = id;
  options.server_port = config.server_port;
  options.version = kVersion;
  options.check_update_ms =
      static_cast<uint64_t>(Millis(settings.update_interval).count());
  options.when_published = [sync](std::function<void()> told) {
    sync->WhenPublished(std::move(told));
  };
  options.checks = CheckOptionsOf(config);
  return options;
}

}  // namespace

absl::StatusOr<std::string> NodeId(const Config& config) {
  if (!config.node.id.empty()) return config.node.id;
  if (config.data_dir.empty()) return NewUuid();
  const std::string path = InDataDir(config, kNodeIdFile);
  std::string id;
  std::ifstream(path) >> id;
  if (IsUuid(id)) return AsciiLower(id);
  if (!id.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": \"", id.substr(0, 60), "\" is not a UUID"));
  }
  id = NewUuid();
  std::ofstream file(path, std::ios::trunc);
  file << id;
  file.close();
  if (file.good()) return id;
  return absl::UnavailableError(absl::StrCat("cannot write ", path));
}

absl::StatusOr<std::unique_ptr<RegistryLink>> RegistryLink::Open(
    SourceId id, const Config& config, Definitions definitions,
    CatalogSync* sync, Publisher* publisher) {
  absl::StatusOr<std::unique_ptr<Store>> store =
      OpenStore(config, sync->loop());
  if (!store.ok()) return store.status();
  auto registry = std::make_unique<Registry>(
      sync->loop(), &sync->state(), *std::move(store), std::move(definitions),
      OptionsOf(id, config, sync));
  const absl::Status loaded = registry->Load(sync->MakeSink());
  if (!loaded.ok()) {
    return absl::Status(
        loaded.code(),
        absl::StrCat(InDataDir(config, kStoreFile), ": ", loaded.message()));
  }
  Registry* const borrowed = registry.get();
  auto link =
      std::unique_ptr<RegistryLink>(new RegistryLink(config, sync, borrowed));
  link->publisher_ = publisher;
  sync->AddSource(std::move(registry));
  return link;
}

RegistryLink::RegistryLink(const Config& config, CatalogSync* sync,
                           Registry* registry)
    : config_(config),
      sync_(sync),
      registry_(registry),
      asked_(sync->loop(), [this] { TakeAsked(); }),
      blocking_(sync->loop(), &sync->state(), RandomSeed()) {}

std::vector<Route> RegistryLink::MakeRoutes(Hooks hooks) {
  AgentApiOptions agent;
  agent.loop = sync_->loop();
  agent.registry = registry_;
  agent.runs_scripts = config_.check_settings.enable_scripts;
  agent.member = std::move(hooks.member);
  agent.leave = std::move(hooks.leave);
  agent.rights = MakeApiRights(hooks.acl);
  agent.compile_service_filter = CompileAgentServiceFilter;
  agent.compile_check_filter = [this](absl::string_view expression) {
    return CompileAgentCheckFilter(&config_.node, expression);
  };
  agent_api_ = std::make_unique<AgentApi>(std::move(agent));

  rights_ = std::make_unique<AclReadRights>(hooks.acl);
  auto context = std::make_shared<ApiContext>();
  context->rights = rights_.get();
  context->compile_filter = CompileRowFilter;
  context->state = &sync_->state();
  context->blocking = &blocking_;
  context->datacenter = config_.node.datacenter;
  context->node_name = config_.node.name;
  context->leader_address = LeaderAddress();
  context->always_pretty = config_.dev;

  QueryApiOptions queries;
  queries.registry = registry_;
  queries.state = &sync_->state();
  queries.acl = RequestAcl(hooks.acl);

  std::vector<Route> routes = agent_api_->Routes();
  auto add = [&routes](std::vector<Route> more) {
    routes.insert(routes.end(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
  };
  add(CatalogRoutes(context));
  add(StatusRoutes(context));
  add(HealthRoutes(context));
  add(UiRoutes(context));
  add(CatalogWriteRoutes(registry_, &sync_->state(), MakeApiRights(hooks.acl)));
  add(QueryRoutes(std::move(queries)));
  add(AbsentRoutes(hooks.acl));
  return WithKnownTokens(std::move(routes), RequestAcl(hooks.acl));
}

std::string RegistryLink::LeaderAddress() const {
  return absl::StrCat(config_.node.address, ":", config_.server_port);
}

// Names that only templates of prepared queries may match get their entries.
void RegistryLink::TakeAsked() {
  bool is_new = false;
  asked_.TakeAll([&](const AskedName& asked) {
    if (asked.kind != AskedName::kQuery) return;
    if (publisher_->AskQuery(asked.datacenter, {asked.name, asked.size})) {
      is_new = true;
    }
  });
  if (is_new) sync_->PublishNow();
}

void RegistryLink::Update(Definitions definitions) {
  registry_->Update(std::move(definitions));
  if (agent_api_) agent_api_->Changed();
}

void RegistryLink::OnPublished(const Dirty& dirty) {
  blocking_.Wake(dirty.watched);
}

// As Consul counts: the server's own service is one of the agent's, its check
// is not.
void RegistryLink::AddAgentStats(AgentStats* stats) const {
  size_t script_count = 0;
  size_t ttl_count = 0;
  for (const auto& [id, known] : registry_->agent().checks()) {
    if (!known.definition.args.empty()) ++script_count;
    if (known.definition.ttl.count() > 0) ++ttl_count;
  }
  auto& agent = (*stats)["agent"];
  agent["check_monitors"] = absl::StrCat(script_count);
  agent["check_ttls"] = absl::StrCat(ttl_count);
  agent["checks"] = absl::StrCat(registry_->agent().checks().size());
  agent["services"] = absl::StrCat(registry_->agent().services().size() + 1);
  (*stats)["consul"] = {
      {"acl", config_.acl->enabled() ? "enabled" : "disabled"},
      {"bootstrap", "false"},
      {"known_datacenters", absl::StrCat(sync_->state().Datacenters().size())},
      {"leader", "true"},
      {"leader_addr", LeaderAddress()},
      {"server", "true"}};
}

void RegistryLink::AddStats(AgentStats* stats) const {
  AddAgentStats(stats);
  auto& section = (*stats)["registry"];
  section["services"] = absl::StrCat(registry_->agent().services().size());
  section["checks"] = absl::StrCat(registry_->agent().checks().size());
  section["queries"] = absl::StrCat(registry_->queries().size());
  section["index"] = absl::StrCat(sync_->state().index());
  const StoreStats& store = registry_->store().stats();
  section["store_commits"] = absl::StrCat(store.commit_count);
  section["store_failures"] = absl::StrCat(store.failed_count);
  section["store_pending"] = absl::StrCat(store.pending_count);
  if (!store.last_error.ok()) {
    section["store_error"] = std::string(store.last_error.message());
  }
  section["blocked_requests"] = absl::StrCat(blocking_.counts().parked);
}

CatalogHealth RegistryLink::health() const {
  CatalogHealth health;
  const absl::Status& stored = registry_->store().stats().last_error;
  if (!stored.ok()) health.store_error = std::string(stored.message());
  return health;
}

void RegistryLink::AddMetrics(MetricsText* text) const {
  AddRegistryMetrics({&registry_->store().stats(), registry_->checks().stats(),
                      blocking_.counts(), registry_->agent().services().size()},
                     text);
}

}  // namespace dnsd
