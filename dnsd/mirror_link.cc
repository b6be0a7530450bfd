#include "dnsd/mirror_link.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

// How soon a cold service that was asked for gets its watch.
constexpr uint64_t kAskedMs = 100;

// Of Consul's 200 connections per client, what the mirror leaves.
constexpr size_t kConsulConnections = 200;

DatacenterState ToState(MirrorState state) {
  switch (state) {
    case MirrorState::kAwaited:
      return DatacenterState::kAwaited;
    case MirrorState::kUnavailable:
      return DatacenterState::kUnavailable;
    case MirrorState::kFresh:
      return DatacenterState::kReady;
    case MirrorState::kStale:
      break;
  }
  return DatacenterState::kStale;
}

const char* StateName(MirrorState state) {
  static constexpr const char* kNames[] = {"awaited", "unavailable", "fresh",
                                           "stale"};
  return kNames[static_cast<size_t>(state)];
}

HttpFetcherOptions PassthroughConnections(const ConsulOptions& options) {
  HttpFetcherOptions fetcher;
  fetcher.connections_max = kConsulConnections > options.connections_max
                                ? kConsulConnections - options.connections_max
                                : 1;
  fetcher.tls = options.tls;
  return fetcher;
}

// The first label of wire bytes, or nothing.
std::string FirstLabel(const AskedName& asked) {
  if (asked.size == 0 || asked.name[0] >= asked.size) return "";
  return {reinterpret_cast<const char*>(asked.name) + 1, asked.name[0]};
}

}  // namespace

MirrorLink::MirrorLink(
    SourceId id, const Config& config, CatalogSync* sync, Publisher* publisher,
    std::function<void(const std::string&)> on_local_datacenter)
    : sync_(sync),
      publisher_(publisher),
      fallback_datacenter_(config.policy.datacenter),
      asked_(sync->loop(), [this] { TakeAsked(); }),
      asked_timer_(sync->loop(), [this] { TakeAsked(); }),
      fetcher_(sync->loop(), PassthroughConnections(config.consul)),
      passthrough_(&fetcher_,
                   [this] {
                     const ConsulAddress& address = source_->address();
                     return PassthroughTarget{address.url, address.unix_socket};
                   },
                   {PassthroughConnections(config.consul).connections_max}) {
  ConsulOptions options = config.consul;
  options.data_dir = config.data_dir;
  auto source = std::make_unique<ConsulSource>(
      id, sync->loop(), options,
      config.datacenter_given ? config.node.datacenter : "",
      ConsulSource::Events{std::move(on_local_datacenter),
                           [this] { OnDatacenters(); }});
  source_ = source.get();
  sync->AddSource(std::move(source));
  OnDatacenters();
  asked_timer_.Start(kAskedMs, kAskedMs);
}

MirrorLink::~MirrorLink() = default;

void MirrorLink::BeforePublish() {
  running_ = true;
  wants_asked_names_ = source_->wants_asked_names();
  publisher_->SetWantsAskedNames(wants_asked_names_);
}

void MirrorLink::OnDatacenters() {
  std::vector<KnownDatacenter> known;
  for (const auto& [name, state] : source_->datacenters()) {
    known.push_back(
        {name.empty() ? fallback_datacenter_ : name, ToState(state)});
  }
  publisher_->SetDatacenters(std::move(known));
  // Before the first view, CatalogSync publishes by itself.
  if (running_) sync_->PublishNow();
}

void MirrorLink::TakeAsked() {
  asked_.TakeAll([this](const AskedName& asked) { Take(asked); });
  if (running_ && wants_asked_names_ != source_->wants_asked_names()) {
    sync_->PublishNow();
  }
}

void MirrorLink::Take(const AskedName& asked) {
  const View* view = publisher_->view().current();
  if (asked.datacenter >= view->datacenters.size()) return;
  const std::string& datacenter = view->datacenters[asked.datacenter];
  switch (asked.kind) {
    case AskedName::kService:
      source_->AskedService(datacenter, FirstLabel(asked));
      break;
    case AskedName::kDatacenter:
      source_->AskedDatacenter(datacenter);
      break;
    case AskedName::kQuery:
      if (publisher_->AskQuery(asked.datacenter, {asked.name, asked.size})) {
        sync_->PublishNow();
      }
      break;
  }
}

HttpServer::Handler MirrorLink::passthrough() {
  return [this](const HttpRequest& request, HttpServer::Reply reply) {
    passthrough_.Handle(request, std::move(reply));
  };
}

CatalogHealth MirrorLink::health() const {
  CatalogHealth health;
  const MirrorState state = source_->datacenters().front().state;
  health.is_loaded =
      state == MirrorState::kFresh || state == MirrorState::kStale;
  health.is_stale = state != MirrorState::kFresh;
  if (!health.is_loaded) return health;
  const MirrorStatus local = source_->status().datacenters.front();
  health.age_ms = static_cast<uint64_t>(std::max<int64_t>(0, local.age_ms));
  return health;
}

void MirrorLink::AddStats(AgentStats* stats) const {
  const ConsulStatus status = source_->status();
  auto& consul = (*stats)["consul"];
  consul["address"] = status.address;
  consul["version"] = status.version;
  consul["http2"] = status.is_http2 ? "true" : "false";
  consul["requests"] = absl::StrCat(status.traffic.requests);
  consul["request_errors"] = absl::StrCat(status.traffic.errors);
  consul["requests_per_minute"] = absl::StrCat(status.requests_per_minute);
  consul["bytes"] = absl::StrCat(status.traffic.bytes);
  consul["bytes_per_minute"] = absl::StrCat(status.bytes_per_minute);
  consul["connects"] = absl::StrCat(status.traffic.connects);
  consul["saves"] = absl::StrCat(status.saves);
  consul["last_save_error"] = status.last_save_error;
  const PassthroughCounts passed = passthrough_.counts();
  consul["passed_through"] = absl::StrCat(passed.requests);
  consul["passed_through_now"] = absl::StrCat(passed.active);
  consul["passed_through_refused"] = absl::StrCat(passed.refused);
  for (const MirrorStatus& mirror : status.datacenters) {
    auto& section = (*stats)["mirror_" + mirror.datacenter];
    section["state"] = StateName(mirror.state);
    section["phase"] = mirror.phase;
    section["age_ms"] = absl::StrCat(mirror.age_ms);
    section["index"] = absl::StrCat(mirror.index);
    section["followed_by"] = mirror.by_delta ? "delta" : "watches";
    section["deltas"] = absl::StrCat(mirror.deltas);
    section["watches"] = absl::StrCat(mirror.watches);
    section["services_without_watch"] = absl::StrCat(mirror.cold_services);
    section["nodes"] = absl::StrCat(mirror.nodes);
    section["services"] = absl::StrCat(mirror.services);
    section["instances"] = absl::StrCat(mirror.instances);
    section["checks"] = absl::StrCat(mirror.checks);
    section["prepared_queries"] = absl::StrCat(mirror.queries);
    section["loads"] = absl::StrCat(mirror.loads);
    section["losses"] = absl::StrCat(mirror.losses);
    section["sweeps"] = absl::StrCat(mirror.sweeps);
    section["load_ms"] = absl::StrCat(mirror.load_ms);
    section["held_back"] = mirror.is_held ? "true" : "false";
    section["last_error"] = mirror.last_error;
  }
}

StatsReport::Source MirrorLink::Describe() const {
  const ConsulStatus status = source_->status();
  StatsReport::Source source;
  source.kind = "mirror";
  source.address = status.address;
  source.state = "loading";
  if (status.datacenters.empty()) return source;
  const MirrorStatus& local = status.datacenters[0];
  if (local.state == MirrorState::kFresh) source.state = "ok";
  if (local.state == MirrorState::kStale) source.state = "stale";
  source.age_s = static_cast<double>(std::max<int64_t>(0, local.age_ms)) / 1e3;
  source.index = local.index;
  return source;
}

void MirrorLink::AddMetrics(MetricsText* text) const {
  const ConsulStatus status = source_->status();
  text->Single("dnsd_consul_requests_total", MetricType::kCounter,
               "Requests to the mirrored Consul.", status.traffic.requests);
  text->Single("dnsd_consul_request_errors_total", MetricType::kCounter,
               "Requests to Consul that failed or were refused.",
               status.traffic.errors);
  text->Single("dnsd_consul_received_bytes_total", MetricType::kCounter,
               "Bytes of answers from Consul, as they came.",
               status.traffic.bytes);
  text->Single("dnsd_consul_connects_total", MetricType::kCounter,
               "Connections made to Consul.", status.traffic.connects);
  text->Single("dnsd_consul_passed_through_total", MetricType::kCounter,
               "HTTP requests of clients handed on to Consul.",
               passthrough_.counts().requests);
  const auto family = [&](const char* name, MetricType type, const char* help,
                          auto value) {
    text->Family(name, type, help);
    for (const MirrorStatus& mirror : status.datacenters) {
      text->Sample({{"datacenter", mirror.datacenter}}, value(mirror));
    }
  };
  family("dnsd_mirror_age_seconds", MetricType::kGauge,
         "Since what is known was last known to be true.",
         [](const MirrorStatus& m) {
           return static_cast<double>(std::max<int64_t>(0, m.age_ms)) / 1e3;
         });
  family("dnsd_mirror_stale", MetricType::kGauge,
         "1 when answers are called stale, or there are none.",
         [](const MirrorStatus& m) {
           return m.state != MirrorState::kFresh ? 1 : 0;
         });
  family("dnsd_mirror_held_back", MetricType::kGauge,
         "1 while a catalog that came back too small is held back.",
         [](const MirrorStatus& m) { return m.is_held ? 1 : 0; });
  family("dnsd_mirror_watches", MetricType::kGauge,
         "Blocking queries parked with Consul.",
         [](const MirrorStatus& m) { return m.watches; });
  family("dnsd_mirror_services", MetricType::kGauge, "Services mirrored.",
         [](const MirrorStatus& m) { return m.services; });
  family("dnsd_mirror_services_without_watch", MetricType::kGauge,
         "Services that have no watch of their own.",
         [](const MirrorStatus& m) { return m.cold_services; });
  family("dnsd_mirror_instances", MetricType::kGauge, "Instances mirrored.",
         [](const MirrorStatus& m) { return m.instances; });
  family("dnsd_mirror_loads_total", MetricType::kCounter,
         "Times that everything was loaded anew.",
         [](const MirrorStatus& m) { return m.loads; });
  family("dnsd_mirror_losses_total", MetricType::kCounter,
         "Times that Consul was lost.",
         [](const MirrorStatus& m) { return m.losses; });
  family("dnsd_mirror_sweeps_total", MetricType::kCounter,
         "Times that everything was asked for to find a change.",
         [](const MirrorStatus& m) { return m.sweeps; });
}

}  // namespace dnsd
