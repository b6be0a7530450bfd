// What GET /v1/dnsd/stats says of a running Server.
#include <chrono>
#include <utility>
#include <vector>

#include "dnsd/server.h"
#include "dnsd/version.h"

namespace dnsd {
namespace {

constexpr double kNano = 1e-9;
constexpr size_t kTopNamesShown = 20;

void AddQueries(const char* proto, const TransportNumbers<uint64_t>& numbers,
                std::vector<StatsReport::Query>* queries) {
  for (size_t type = 0; type < kTypeNames.size(); ++type) {
    for (size_t rcode = 0; rcode < kRcodeNames.size(); ++rcode) {
      const uint64_t count = numbers.answers[0].at(type, rcode) +
                             numbers.answers[1].at(type, rcode);
      if (count == 0) continue;
      queries->push_back({proto, kTypeNames[type], kRcodeNames[rcode], count});
    }
  }
}

StatsReport::Latency LatencyOf(const WorkerTotals& totals) {
  DurationTotals delay = totals.udp.delay;
  AddTo(totals.tcp.delay, &delay);
  StatsReport::Latency latency;
  for (size_t i = 0; i < kDurationBoundCount; ++i) {
    latency.bounds_s.push_back(DurationBound(i));
  }
  latency.counts.assign(delay.counts.begin(), delay.counts.end());
  latency.sum_s = static_cast<double>(delay.sum_ns) * kNano;
  return latency;
}

StatsReport::Cache CacheOf(const ForwardTotals& totals,
                           const ForwardCacheStats& stats) {
  StatsReport::Cache cache;
  cache.entries = stats.entries;
  cache.bytes = stats.bytes;
  cache.hits = totals.cache_hits;
  cache.stale = totals.stale;
  cache.misses = CacheMisses(totals);
  return cache;
}

}  // namespace

StatsReport::Source Server::SourceNow() const {
  if (mirror_) return mirror_->Describe();
  StatsReport::Source source;
  source.index = sync_.state().index();
  return source;
}

StatsReport Server::Stats(const ForwardFigures& forward) const {
  const WorkerTotals totals = SumStats(WorkerNumbersNow());
  StatsReport report;
  report.version = kVersion;
  report.node = config_.node.name;
  report.datacenter = config_.node.datacenter;
  report.time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  report.uptime_s = static_cast<double>(MonotonicNs() - began_ns_) * kNano;
  report.workers = workers_.size();
  AddQueries("udp", totals.udp, &report.queries);
  AddQueries("tcp", totals.tcp, &report.queries);
  report.latency = LatencyOf(totals);
  if (forward_.is_used()) {
    report.cache = CacheOf(totals.forward, forward.cache);
  }
  for (const auto& [address, upstream] : forward.upstreams) {
    report.forwarders.push_back({address, upstream.up_count > 0,
                                 upstream.rtt_ms(), upstream.counts.sent,
                                 upstream.counts.timeouts,
                                 upstream.counts.failures});
  }
  report.source = SourceNow();
  report.catalog = {sync_.state().node_count(), sync_.state().instance_count(),
                    publisher_.view().current()->table.size(),
                    publisher_.publish_count()};
  for (TopName& top : query_log_->Top(kTopNamesShown)) {
    report.top_names.emplace_back(std::move(top.name), top.count);
  }
  return report;
}

std::vector<Route> Server::StatsRoutes(const AgentHooks& hooks) {
  StatsApi::Options options;
  options.loop = sync_.loop();
  options.collect = [this](const auto& done) {
    forward_.Figures(
        [this, done](const ForwardFigures& forward) { done(Stats(forward)); });
  };
  options.acl = hooks.acl;
  options.node_name = hooks.node_name;
  stats_ = std::make_unique<StatsApi>(std::move(options));
  return stats_->Routes();
}

}  // namespace dnsd
