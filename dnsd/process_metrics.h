// The process as Prometheus' clients show it (process_*), and its memory by
// Consul's names (consul_runtime_*).
//
// Threads: any; it reads /proc.
// Cost:    as many directory entries as there are descriptors.
#ifndef DNSD_DNSD_PROCESS_METRICS_H_
#define DNSD_DNSD_PROCESS_METRICS_H_

#include "dnsd/http/metrics_text.h"

namespace dnsd {

// What /proc does not tell is left out.
void AddProcessMetrics(MetricsText* text);

}  // namespace dnsd

#endif  // DNSD_DNSD_PROCESS_METRICS_H_
