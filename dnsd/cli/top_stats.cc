#include "dnsd/cli/top_stats.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/string_view.h"
#include "dnsd/cli/json_text.h"

namespace dnsd {
namespace {

double Number(const Value* value) {
  if (value == nullptr) return 0;
  if (value->kind == Value::Kind::kInt) {
    return static_cast<double>(value->integer);
  }
  return value->kind == Value::Kind::kDouble ? value->real : 0;
}

double NumberOf(const Value& object, absl::string_view key) {
  return Number(FindMember(object, key));
}

// The member, or a value that has nothing.
const Value& Part(const Value& object, absl::string_view key) {
  static const Value kNothing;
  const Value* const part = FindMember(object, key);
  return part == nullptr ? kNothing : *part;
}

std::vector<double> Numbers(const Value& list) {
  std::vector<double> numbers;
  for (const Value& item : list.items) numbers.push_back(Number(&item));
  return numbers;
}

void ReadQueries(const Value& json, TopStats* stats) {
  for (const Value& row : Part(json, "Queries").items) {
    const double count = NumberOf(row, "Count");
    stats->queries += count;
    stats->by_proto[MemberText(row, "Proto")] += count;
    stats->by_type[MemberText(row, "Type")] += count;
    stats->by_rcode[MemberText(row, "Rcode")] += count;
  }
  const Value& latency = Part(json, "Latency");
  stats->latency_bounds_s = Numbers(Part(latency, "BoundsSeconds"));
  stats->latency_counts = Numbers(Part(latency, "Counts"));
  stats->latency_sum_s = NumberOf(latency, "SumSeconds");
}

void ReadForwarding(const Value& json, TopStats* stats) {
  const Value& cache = Part(json, "Cache");
  if (cache.kind == Value::Kind::kObject) {
    stats->cache =
        TopStats::Cache{NumberOf(cache, "Entries"), NumberOf(cache, "Bytes"),
                        NumberOf(cache, "Hits"), NumberOf(cache, "Misses"),
                        NumberOf(cache, "Stale")};
  }
  for (const Value& row : Part(json, "Forwarders").items) {
    stats->forwarders.push_back(
        {MemberText(row, "Address"), Part(row, "Up").boolean,
         NumberOf(row, "RttMs"), NumberOf(row, "Sent"),
         NumberOf(row, "Timeouts"), NumberOf(row, "Failures")});
  }
}

// What counted less before was counted anew.
double Minus(double now, double before) {
  return now >= before ? now - before : now;
}

void Subtract(const NamedCounts& before, NamedCounts* now) {
  for (auto& [name, count] : *now) {
    const auto was = before.find(name);
    if (was != before.end()) count = Minus(count, was->second);
  }
}

}  // namespace

TopStats ReadTopStats(const Value& json) {
  TopStats stats;
  stats.version = MemberText(json, "Version");
  stats.node = MemberText(json, "Node");
  stats.datacenter = MemberText(json, "Datacenter");
  stats.time_s = NumberOf(json, "TimeMs") / 1000;
  stats.uptime_s = NumberOf(json, "UptimeSeconds");
  stats.workers = NumberOf(json, "Workers");
  ReadQueries(json, &stats);
  ReadForwarding(json, &stats);
  const Value& source = Part(json, "Source");
  stats.source_kind = MemberText(source, "Kind");
  stats.source_address = MemberText(source, "Address");
  stats.source_state = MemberText(source, "State");
  stats.source_age_s = NumberOf(source, "AgeSeconds");
  const Value& catalog = Part(json, "Catalog");
  stats.nodes = NumberOf(catalog, "Nodes");
  stats.instances = NumberOf(catalog, "Instances");
  stats.names = NumberOf(catalog, "Names");
  stats.publications = NumberOf(catalog, "Publications");
  for (const Value& row : Part(json, "TopNames").items) {
    stats.top_names[MemberText(row, "Name")] += NumberOf(row, "Count");
  }
  return stats;
}

TopStats Since(const TopStats& before, TopStats now) {
  now.queries = Minus(now.queries, before.queries);
  Subtract(before.by_proto, &now.by_proto);
  Subtract(before.by_type, &now.by_type);
  Subtract(before.by_rcode, &now.by_rcode);
  Subtract(before.top_names, &now.top_names);
  if (before.latency_bounds_s == now.latency_bounds_s &&
      before.latency_counts.size() == now.latency_counts.size()) {
    for (size_t i = 0; i < now.latency_counts.size(); ++i) {
      now.latency_counts[i] =
          Minus(now.latency_counts[i], before.latency_counts[i]);
    }
    now.latency_sum_s = Minus(now.latency_sum_s, before.latency_sum_s);
  }
  now.publications = Minus(now.publications, before.publications);
  if (before.cache && now.cache) {
    now.cache->hits = Minus(now.cache->hits, before.cache->hits);
    now.cache->misses = Minus(now.cache->misses, before.cache->misses);
    now.cache->stale = Minus(now.cache->stale, before.cache->stale);
  }
  for (TopStats::Forwarder& forwarder : now.forwarders) {
    const auto was = std::find_if(
        before.forwarders.begin(), before.forwarders.end(),
        [&](const auto& one) { return one.address == forwarder.address; });
    if (was == before.forwarders.end()) continue;
    forwarder.sent = Minus(forwarder.sent, was->sent);
    forwarder.timeouts = Minus(forwarder.timeouts, was->timeouts);
    forwarder.failures = Minus(forwarder.failures, was->failures);
  }
  return now;
}

std::optional<double> LatencyQuantile(const TopStats& stats, double part) {
  double all = 0;
  for (const double count : stats.latency_counts) all += count;
  if (all <= 0 || stats.latency_bounds_s.empty()) return std::nullopt;
  double below = 0;
  for (size_t i = 0; i < stats.latency_counts.size(); ++i) {
    const double here = stats.latency_counts[i];
    if (below + here < part * all || here <= 0) {
      below += here;
      continue;
    }
    // Above the last bound there is no other to say.
    if (i >= stats.latency_bounds_s.size()) break;
    const double low = i == 0 ? 0 : stats.latency_bounds_s[i - 1];
    const double high = stats.latency_bounds_s[i];
    return low + (high - low) * (part * all - below) / here;
  }
  return stats.latency_bounds_s.back();
}

}  // namespace dnsd
