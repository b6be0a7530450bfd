// ServeContext is what it takes to answer a message. HOT PATH
//
// Threads:   one worker's; its UDP and TCP sides share it.
// Ownership: borrows the published view, the counters and the tables.
#ifndef DNSD_DNSD_SERVE_SERVE_CONTEXT_H_
#define DNSD_DNSD_SERVE_SERVE_CONTEXT_H_

#include <time.h>

#include <cstdint>
#include <cstring>

#include "catalog/published.h"
#include "catalog/qsbr.h"
#include "dnsd/duration_histogram.h"
#include "dnsd/serve/asked_filter.h"
#include "dnsd/serve/asked_names.h"
#include "dnsd/serve/query_sampler.h"
#include "dnsd/serve/worker_stats.h"
#include "dnsd/socket_address.h"
#include "zones/responder.h"
#include "zones/view.h"

namespace dnsd {

class ExternalAnswers;
class Forwarder;
class ParkedQueries;
class RateLimiter;
class TransferTaker;

struct ServeContext {
  const Published<View>* view = nullptr;
  Qsbr::Reader reader;
  RespondContext respond;
  WorkerStats* stats = nullptr;
  // Where queries wait; needed where a view may say kPending.
  ParkedQueries* parked = nullptr;
  // Where other people's names go; nullptr where no view says kForward.
  Forwarder* forwarder = nullptr;
  ExternalAnswers* external = nullptr;  // as `forwarder`; is respond.external
  // Who takes signed questions and transfers; nullptr where Respond() leaves
  // none (RespondContext::leaves_transfers).
  TransferTaker* transfers = nullptr;
  AskedNames* asked = nullptr;  // nullptr: nobody listens
  AskedFilter asked_filter;
  RateLimiter* rate_limiter = nullptr;  // nullptr: nothing is limited
  uint64_t began_ns = 0;                // the batch, MonotonicNs()
  QuerySampler sampler;

  // Goes online and returns the newest view, good until the loop polls again.
  // Once per batch: clocks are read here (by vDSO, not a system call), so that
  // Respond() need not.
  [[nodiscard]] const View& BeginBatch() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    respond.unix_time = static_cast<uint32_t>(now.tv_sec);
    began_ns = MonotonicNs();
    return *view->Read(reader);
  }

  // To be called before each Respond(). `client` stays where it is until then.
  void SetClient(const SocketAddress& client) {
    respond.client = client.ip_bytes();
  }

  // After Respond().
  void CountCookie(TransportNumbers<Counter>* numbers) const {
    if (respond.cookie == CookieState::kNone) return;
    numbers->cookies[static_cast<size_t>(respond.cookie)].Add();
  }

  // Reports the service that Respond() answered from, unless it was not long
  // ago. What finds the ring full is reported by the next query.
  void ReportService() {
    const Entry& entry = *respond.asked.entry;
    if (asked == nullptr ||
        !asked_filter.IsDue(entry.hash, respond.unix_time)) {
      return;
    }
    AskedName name{};
    name.kind = AskedName::kService;
    name.datacenter = entry.datacenter;
    name.size = entry.key_size;
    std::memcpy(name.name, entry.key(), entry.key_size);
    if (asked->Push(name)) asked_filter.Mark(entry.hash, respond.unix_time);
  }
};

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_SERVE_CONTEXT_H_
