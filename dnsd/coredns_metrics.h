// CoreDNS's names for what CoreDNS counts too, so that its dashboards and
// alerts show a dnsd. Labels are those of CoreDNS 1.10 where they have a
// meaning here: all zones are one, and there are no views.
//
// Threads: any; pure functions.
#ifndef DNSD_DNSD_COREDNS_METRICS_H_
#define DNSD_DNSD_COREDNS_METRICS_H_

#include <cstdint>

#include "dnsd/forward_figures.h"
#include "dnsd/http/metrics_text.h"
#include "dnsd/serve/worker_stats.h"

namespace dnsd {

// `port` is that of the first DNS listener.
void AddCoreDnsMetrics(const WorkerTotals& totals, uint16_t port,
                       MetricsText* text);
// Where others are asked.
void AddCoreDnsForwardMetrics(const ForwardTotals& totals,
                              const ForwardFigures& figures, uint16_t port,
                              MetricsText* text);

}  // namespace dnsd

#endif  // DNSD_DNSD_COREDNS_METRICS_H_
