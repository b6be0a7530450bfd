// ServeContext is what it takes to answer a message. HOT PATH
//
// Threads:   one worker's; its UDP and TCP sides share it.
// Ownership: borrows the published view and the counters.
#ifndef DNSD_DNSD_SERVE_SERVE_CONTEXT_H_
#define DNSD_DNSD_SERVE_SERVE_CONTEXT_H_

#include <time.h>

#include <cstdint>

#include "catalog/published.h"
#include "catalog/qsbr.h"
#include "dnsd/serve/worker_stats.h"
#include "zones/responder.h"
#include "zones/view.h"

namespace dnsd {

struct ServeContext {
  const Published<View>* view = nullptr;
  Qsbr::Reader reader;
  RespondContext respond;
  WorkerStats* stats = nullptr;

  // Goes online and returns the newest view, good until the loop polls again.
  // Once per batch: the clock is read here (by vDSO, not a system call), so
  // that Respond() need not.
  [[nodiscard]] const View& BeginBatch() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    respond.unix_time = static_cast<uint32_t>(now.tv_sec);
    return *view->Read(reader);
  }
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_SERVE_CONTEXT_H_
