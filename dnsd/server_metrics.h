// AddMetrics() writes the agent's metrics in Prometheus' text format.
//
// Threads: the sync thread; worker counters may be written meanwhile.
#ifndef DNSD_DNSD_SERVER_METRICS_H_
#define DNSD_DNSD_SERVER_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "dnsd/http/http_server.h"
#include "dnsd/http/metrics_text.h"
#include "dnsd/serve/worker_stats.h"
#include "dnsd/transfer/transfer_service.h"

namespace dnsd {

struct ServerNumbers {
  std::vector<const WorkerStats*> workers;
  size_t nodes = 0;
  size_t instances = 0;
  size_t names = 0;  // compiled names in the view
  uint64_t publications = 0;
  size_t retired = 0;  // objects waiting for readers to let go
  uint64_t reloads = 0;
  uint64_t reload_failures = 0;
  HttpCounts http;
};

void AddMetrics(const ServerNumbers& numbers, MetricsText* text);
void AddTransferMetrics(const TransferService& transfers, MetricsText* text);

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVER_METRICS_H_
