// A Probe is one run of a check: it asks the target once and says what came
// of it. One kind of check, one kind of Probe, in a file of its own.
//
// Threads:   the loop's thread only.
// Ownership: whoever starts one owns it. Destroying it abandons the run:
//            nothing is told any more, and what it started is ended. It is
//            destroyed neither inside its own ProbeDone nor inside callbacks
//            of libuv or libcurl.
// Errors:    are results, as Consul words them.
// Cost:      nothing here waits: names are looked up on libuv's pool.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_PROBE_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_PROBE_H_

#include <functional>
#include <string>

#include "catalog/types.h"

namespace dnsd {

struct ProbeResult {
  HealthStatus status = HealthStatus::kCritical;
  std::string output;
};

// Called at most once, perhaps from inside the start.
using ProbeDone = std::function<void(ProbeResult)>;

class Probe {
 public:
  Probe() = default;
  virtual ~Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  // Its time is over: the result of a run that took too long. The Probe is
  // destroyed next.
  [[nodiscard]] virtual ProbeResult TimeOut() = 0;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_PROBE_H_
