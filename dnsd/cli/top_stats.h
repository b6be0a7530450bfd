// TopStats is what GET /v1/dnsd/stats says, as far as `dnsd top` shows it, and
// what happened between two of them.
//
// Threads: any; plain values.
// Errors:  a member that is missing or of another type is as if it were 0 or
//          empty, so that versions understand each other.
#ifndef DNSD_DNSD_CLI_TOP_STATS_H_
#define DNSD_DNSD_CLI_TOP_STATS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/value.h"

namespace dnsd {

using NamedCounts = std::map<std::string, double>;

struct TopStats {
  struct Cache {
    double entries = 0;
    double bytes = 0;
    double hits = 0;
    double misses = 0;
    double stale = 0;
  };
  struct Forwarder {
    std::string address;
    bool is_up = false;
    double rtt_ms = 0;
    double sent = 0;
    double timeouts = 0;
    double failures = 0;
  };

  std::string version;
  std::string node;
  std::string datacenter;
  double time_s = 0;
  double uptime_s = 0;
  double workers = 0;

  double queries = 0;
  NamedCounts by_proto;
  NamedCounts by_type;
  NamedCounts by_rcode;
  std::vector<double> latency_bounds_s;
  std::vector<double> latency_counts;
  double latency_sum_s = 0;
  std::optional<Cache> cache;
  std::vector<Forwarder> forwarders;

  std::string source_kind;
  std::string source_address;
  std::string source_state;
  double source_age_s = 0;
  double nodes = 0;
  double instances = 0;
  double names = 0;
  double publications = 0;

  NamedCounts top_names;
};

[[nodiscard]] TopStats ReadTopStats(const Value& json);

// What happened since `before`: counts are differences, all else is as it is
// now. A server that began anew in between has counted from its start.
[[nodiscard]] TopStats Since(const TopStats& before, TopStats now);

// The time within which so large a part of the answers was made, by the
// histogram; nothing when there were none.
[[nodiscard]] std::optional<double> LatencyQuantile(const TopStats& stats,
                                                    double part);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_TOP_STATS_H_
