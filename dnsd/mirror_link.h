// MirrorLink ties a mirrored Consul to the rest of the agent: what clients
// ask for goes to the mirror, how much its answers are worth goes into the
// view, and HTTP requests that are not ours go to Consul.
//
// Threads:   made on the main thread; everything else on the sync thread,
//            except ring() before the workers start and WakeUp(): any thread.
// Ownership: CatalogSync owns the source; this borrows it, and must go before
//            the sync's loop does.
#ifndef DNSD_DNSD_MIRROR_LINK_H_
#define DNSD_DNSD_MIRROR_LINK_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "catalog/base/event_loop.h"
#include "catalog/base/http_fetch.h"
#include "catalog/consul/consul_source.h"
#include "catalog/sync.h"
#include "dnsd/asked_rings.h"
#include "dnsd/config.h"
#include "dnsd/health.h"
#include "dnsd/http/agent_self.h"
#include "dnsd/http/http_server.h"
#include "dnsd/http/metrics_text.h"
#include "dnsd/http/passthrough.h"
#include "dnsd/http/stats_api.h"
#include "dnsd/publisher.h"

namespace dnsd {

class MirrorLink {
 public:
  // `on_local_datacenter` is told the name of Consul's datacenter, before any
  // change of the catalog, unless the configuration gives one.
  MirrorLink(SourceId id, const Config& config, CatalogSync* sync,
             Publisher* publisher,
             std::function<void(const std::string&)> on_local_datacenter);
  ~MirrorLink();
  MirrorLink(const MirrorLink&) = delete;
  MirrorLink& operator=(const MirrorLink&) = delete;

  // A ring for one more worker.
  [[nodiscard]] AskedNames* AddRing() { return asked_.Add(); }
  // A query waits for what is in a ring.
  void WakeUp() { asked_.WakeUp(); }

  // To be called before each publication.
  void BeforePublish();

  // Somebody waits for it.
  void LoadDatacenter(const std::string& name) {
    source_->AskedDatacenter(name);
  }

  [[nodiscard]] HttpServer::Handler passthrough();

  [[nodiscard]] ConsulStatus status() const { return source_->status(); }
  // Of the local datacenter.
  [[nodiscard]] CatalogHealth health() const;
  // Sections for /v1/agent/self: "consul" and "mirror_<datacenter>".
  void AddStats(AgentStats* stats) const;
  void AddMetrics(MetricsText* text) const;
  // Of Consul's own datacenter.
  [[nodiscard]] StatsReport::Source Describe() const;

 private:
  void TakeAsked();
  void Take(const AskedName& asked);
  void OnDatacenters();

  CatalogSync* sync_;
  Publisher* publisher_;
  const std::string fallback_datacenter_;
  ConsulSource* source_ = nullptr;
  bool running_ = false;  // the first view was published
  bool wants_asked_names_ = false;
  AskedRings asked_;
  Timer asked_timer_;
  HttpFetcher fetcher_;
  Passthrough passthrough_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_MIRROR_LINK_H_
