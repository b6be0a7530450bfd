// AddMetrics() writes the agent's metrics in Prometheus' text format.
//
// Threads: the sync thread; worker counters may be written meanwhile.
#ifndef DNSD_DNSD_SERVER_METRICS_H_
#define DNSD_DNSD_SERVER_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "catalog/qsbr.h"
#include "dnsd/forward_figures.h"
#include "dnsd/http/http_server.h"
#include "dnsd/http/metrics_text.h"
#include "dnsd/http/stats_api.h"
#include "dnsd/serve/worker_stats.h"
#include "dnsd/transfer/transfer_service.h"

namespace dnsd {

struct ServerNumbers {
  std::vector<const WorkerStats*> workers;
  size_t nodes = 0;
  size_t instances = 0;
  size_t names = 0;  // compiled names in the view
  uint64_t publications = 0;
  DurationTotals publication_delay;
  size_t retired = 0;  // objects waiting for readers to let go
  Qsbr::Grace grace;
  uint64_t oldest_wait_ns = 0;
  uint64_t reloads = 0;
  uint64_t reload_failures = 0;
  HttpCounts http;
  // When the certificate of HTTPS ends, seconds since 1970; 0: there is none.
  int64_t certificate_end = 0;
  StatsReport::Source source;
  std::string node_name;
  uint16_t dns_port = 0;  // of the first listener
  bool is_forwarding = false;
  ForwardFigures forward;
};

void AddMetrics(const ServerNumbers& numbers, MetricsText* text);
void AddTransferMetrics(const TransferService& transfers, MetricsText* text);

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVER_METRICS_H_
