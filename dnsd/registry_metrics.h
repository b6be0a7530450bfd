// The metrics of own registrations: store, checks and blocked requests.
//
// Threads: any; a pure function.
#ifndef DNSD_DNSD_REGISTRY_METRICS_H_
#define DNSD_DNSD_REGISTRY_METRICS_H_

#include <cstddef>
#include <cstdint>

#include "catalog/registry/checks/check_runner.h"
#include "catalog/registry/store.h"
#include "dnsd/http/blocking.h"
#include "dnsd/http/metrics_text.h"

namespace dnsd {

struct RegistryNumbers {
  const StoreStats* store;
  CheckRunnerStats checks;
  BlockingCounts blocking;
  size_t agent_services = 0;
};

void AddRegistryMetrics(const RegistryNumbers& numbers, MetricsText* out);

}  // namespace dnsd

#endif  // DNSD_DNSD_REGISTRY_METRICS_H_
