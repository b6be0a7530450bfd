// HealthLink looks at the agent's event loops and its catalog and tells who
// wants to know: /health, /ready, the metrics, the log, the service manager.
// The manager's watchdog hears of us only as long as every loop turns: ours by
// doing it, the others by their beats.
//
// Threads:   made, Watch() and Start() on the main thread before the sync
//            thread runs; everything else, the end too, on the sync thread.
// Ownership: borrows the loop, the beats, the limits and the manager.
#ifndef DNSD_DNSD_HEALTH_LINK_H_
#define DNSD_DNSD_HEALTH_LINK_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/event_loop.h"
#include "catalog/base/heartbeat.h"
#include "dnsd/health.h"
#include "dnsd/http/metrics_text.h"
#include "dnsd/http/routes.h"
#include "dnsd/systemd_notify.h"

namespace dnsd {

class HealthLink {
 public:
  using Catalog = std::function<CatalogHealth()>;

  // `loop` is the sync thread's.
  HealthLink(EventLoop* loop, const HealthLimits* limits, Catalog catalog,
             const SystemdNotify* manager);
  HealthLink(const HealthLink&) = delete;
  HealthLink& operator=(const HealthLink&) = delete;

  // One more loop; `name` is that of its thread.
  void Watch(std::string name, const Heartbeat* beat);
  void Start();

  // From now on it is not ready.
  void BeginStop();

  // GET /health and GET /ready: 200 or 503, and why. They tell little, so they
  // ask for no right.
  [[nodiscard]] std::vector<Route> MakeRoutes();
  void AddMetrics(MetricsText* text) const;

 private:
  [[nodiscard]] HealthState Look() const;
  void Tell();
  void TellWatchdog();

  const HealthLimits* limits_;
  Catalog catalog_;
  const SystemdNotify* manager_;
  Heartbeat beat_;
  Timer tell_timer_;
  Timer watchdog_timer_;
  std::vector<std::pair<std::string, const Heartbeat*>> loops_;
  bool is_stopping_ = false;
  // What was told last.
  std::vector<std::string> unhealthy_;
  std::string status_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HEALTH_LINK_H_
