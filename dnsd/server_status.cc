// What a running Server says of itself: numbers for /metrics, words for
// /v1/agent/self and for the log, and how it is.
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/log.h"
#include "dnsd/http/tls_context.h"
#include "dnsd/serve/listen_socket.h"
#include "dnsd/server.h"
#include "dnsd/server_metrics.h"
#include "dnsd/version.h"

namespace dnsd {

namespace {

void AddQueryLogMetrics(const QueryLogCounts& counts, MetricsText* text) {
  const auto add = [&](const char* name, const char* help, uint64_t value) {
    text->Single(name, MetricType::kCounter, help, value);
  };
  add("dnsd_query_samples_dropped_total",
      "Samples of queries for which a worker's ring had no room.",
      counts.ring_dropped);
  add("dnsd_query_log_lines_total", "Lines of the query log written.",
      counts.lines);
  add("dnsd_query_log_lines_dropped_total",
      "Lines of the query log that its file did not take.",
      counts.lines_dropped);
  add("dnsd_dnstap_frames_total",
      "dnstap frames that the reader's socket took.", counts.frames);
  add("dnsd_dnstap_frames_dropped_total",
      "dnstap frames that nobody took, those gathered for a reader that went "
      "too.",
      counts.frames_dropped);
}

}  // namespace

std::vector<const WorkerStats*> Server::WorkerNumbersNow() const {
  std::vector<const WorkerStats*> numbers;
  for (const auto& worker : workers_) numbers.push_back(&worker->stats());
  return numbers;
}

MetricsText Server::Metrics(const ForwardFigures& forward) const {
  ServerNumbers numbers;
  numbers.workers = WorkerNumbersNow();
  numbers.nodes = sync_.state().node_count();
  numbers.instances = sync_.state().instance_count();
  numbers.names = publisher_.view().current()->table.size();
  numbers.publications = publisher_.publish_count();
  numbers.publication_delay = publisher_.delay();
  numbers.retired = publisher_.waiting();
  numbers.grace = publisher_.qsbr().grace();
  numbers.oldest_wait_ns = publisher_.qsbr().oldest_wait_ns();
  numbers.reloads = reload_count_;
  numbers.reload_failures = reload_failure_count_;
  if (http_) numbers.http = http_->counts();
  if (!config_.https_listen.empty() && config_.https_tls) {
    numbers.certificate_end = config_.https_tls->certificate_end();
  }
  numbers.source = SourceNow();
  numbers.node_name = config_.node.name;
  if (!workers_.empty()) {
    numbers.dns_port = workers_[0]->listening()[0].port;
  }
  numbers.is_forwarding = forward_.is_used();
  numbers.forward = forward;
  MetricsText text;
  AddMetrics(numbers, &text);
  if (transfers_) AddTransferMetrics(*transfers_, &text);
  AddQueryLogMetrics(query_log_->counts(), &text);
  if (mirror_) mirror_->AddMetrics(&text);
  if (own_) own_->AddMetrics(&text);
  health_->AddMetrics(&text);
  return text;
}

void Server::SetMetricsHooks(AgentHooks* hooks) {
  hooks->metrics = [this](const AgentHooks::TextDone& done) {
    forward_.Figures([this, done](const ForwardFigures& forward) {
      done(Metrics(forward).Take());
    });
  };
  hooks->metrics_json = [this](const AgentHooks::TextDone& done) {
    forward_.Figures([this, done](const ForwardFigures& forward) {
      done(Metrics(forward).Json(std::time(nullptr)));
    });
  };
}

SelfInfo Server::Describe() const {
  SelfInfo info;
  info.datacenter = config_.node.datacenter;
  info.node_name = config_.node.name;
  info.node_id = config_.node.id;
  info.version = kVersion;
  info.address = config_.node.address;
  info.is_server = own_ != nullptr;
  info.server_port = config_.server_port;
  info.domain = config_.policy.domain;
  if (!workers_.empty()) {
    for (const Endpoint& endpoint : workers_[0]->listening()) {
      info.dns_addresses.push_back(EndpointText(endpoint));
    }
  }
  if (http_) {
    for (const Endpoint& endpoint : http_->listening()) {
      info.http_addresses.push_back(EndpointText(endpoint));
    }
    for (const Endpoint& endpoint : http_->listening_tls()) {
      info.https_addresses.push_back(EndpointText(endpoint));
    }
  }
  info.meta = config_.node.meta;
  auto& agent = info.stats["agent"];
  agent["workers"] = absl::StrCat(workers_.size());
  agent["publications"] = absl::StrCat(publisher_.publish_count());
  info.stats["build"] = {
      {"prerelease", ""}, {"revision", info.revision}, {"version", kVersion}};
  auto& catalog = info.stats["catalog"];
  catalog["nodes"] = absl::StrCat(sync_.state().node_count());
  catalog["instances"] = absl::StrCat(sync_.state().instance_count());
  catalog["names"] = absl::StrCat(publisher_.view().current()->table.size());
  if (mirror_) mirror_->AddStats(&info.stats);
  if (own_) own_->AddStats(&info.stats);
  return info;
}

void Server::Announce() const {
  if (!workers_.empty()) {
    for (const Endpoint& endpoint : workers_[0]->listening()) {
      for (const char* network : {"udp", "tcp"}) {
        LogInfo("agent", "Started DNS server",
                {{"address", EndpointText(endpoint)}, {"network", network}});
      }
    }
  }
  if (http_) {
    for (const auto& [protocol, endpoints] :
         {std::pair{"http", &http_->listening()},
          std::pair{"https", &http_->listening_tls()}}) {
      for (const Endpoint& endpoint : *endpoints) {
        LogInfo("agent", "Starting server",
                {{"address", EndpointText(endpoint)},
                 {"network", "tcp"},
                 {"protocol", protocol}});
      }
    }
  }
  WarnAboutChecks();
  LogInfo("agent", "dnsd agent running",
          {{"workers", workers_.size()},
           {"services", config_.services.size()},
           {"zones", config_.zones.size()}});
}

void Server::WarnAboutChecks() const {
  if (!mirrors()) return;
  size_t count = config_.checks.size();
  for (const ServiceDefinition& service : config_.services) {
    count += service.checks.size();
  }
  if (count == 0) return;
  LogWarn("agent",
          "Health checks are not run beside a mirrored Consul: they keep the "
          "status they are defined with (\"critical\" when none is given)",
          {{"checks", count}});
}

void Server::MakeHealth() {
  health_ = std::make_unique<HealthLink>(
      sync_.loop(), &config_.health,
      [this] { return mirror_ ? mirror_->health() : own_->health(); },
      &manager_.notify);
  for (size_t i = 0; i < workers_.size(); ++i) {
    health_->Watch(absl::StrCat("dnsd-w", i), &workers_[i]->beat());
  }
  if (transfers_) health_->Watch("dnsd-xfr", &transfers_->beat());
  health_->Start();
}

}  // namespace dnsd
