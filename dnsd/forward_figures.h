// ForwardFigures is what the workers' forwarders have to show: their caches,
// and each upstream as all of them know it.
//
// Threads: FiguresOf() on the worker's own; values otherwise.
#ifndef DNSD_DNSD_FORWARD_FIGURES_H_
#define DNSD_DNSD_FORWARD_FIGURES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "dnsd/duration_histogram.h"
#include "dnsd/forward/forward_cache.h"
#include "dnsd/forward/upstream.h"

namespace dnsd {

class Forwarder;

struct UpstreamFigures {
  size_t up_count = 0;   // workers to which it is up
  uint64_t rtt_sum = 0;  // eighths of a millisecond, over those that know it
  size_t rtt_count = 0;  // how many those are
  UpstreamCounts counts;

  [[nodiscard]] double rtt_ms() const {
    return rtt_count == 0 ? 0
                          : static_cast<double>(rtt_sum) / 8 /
                                static_cast<double>(rtt_count);
  }
};

struct ForwardFigures {
  ForwardCacheStats cache;
  // By address, as it is written in a configuration.
  std::map<std::string, UpstreamFigures> upstreams;
};

// "192.0.2.1:53", "tls://192.0.2.1:853#dns.example".
[[nodiscard]] std::string UpstreamText(const UpstreamAddress& upstream);

[[nodiscard]] ForwardFigures FiguresOf(Forwarder* forwarder);
void AddTo(const ForwardFigures& from, ForwardFigures* to);

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_FIGURES_H_
