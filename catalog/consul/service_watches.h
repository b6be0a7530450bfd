// ServiceWatches follows what changes among a datacenter's services.
//
// A service with a watch of its own is "hot": a change costs one answer about
// that service. As many are hot as connections allow; a few more are grouped
// behind one poll (service_group.h). While there are no others, nothing else
// is needed. The others are cold: the list of services tells new and
// departed names, two lists of unhealthy checks tell health, and when the
// list moved, all checks are looked at for instances that came or went
// (check_scan.h), and then `sweep` is asked for. A name that somebody asks for
// becomes hot.
//
// Threads:   the loop's thread.
// Ownership: borrows the table, which it updates.
#ifndef DNSD_CATALOG_CONSUL_SERVICE_WATCHES_H_
#define DNSD_CATALOG_CONSUL_SERVICE_WATCHES_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catalog/base/event_loop.h"
#include "catalog/consul/blocking_query.h"
#include "catalog/consul/check_scan.h"
#include "catalog/consul/consul_client.h"
#include "catalog/consul/mirror_table.h"
#include "catalog/consul/report.h"
#include "catalog/consul/service_group.h"

namespace dnsd {

class ServiceWatches {
 public:
  struct Events {
    std::function<void(Changes)> on_changes;
    // The index went back: load everything anew.
    std::function<void()> on_regress;
    // A request failed: is Consul there?
    std::function<void(const ConsulReply&)> on_error;
    // Something changed among the cold services: ask for everything, as of
    // this index or a later one; 0: whatever is known already.
    std::function<void(uint64_t index)> sweep;
    // BlockingQuery's.
    std::function<void()> on_woken;
  };

  ServiceWatches(EventLoop* loop, ConsulClient* client, std::string datacenter,
                 int64_t wait_ms, MirrorTable* table, Events events);
  ~ServiceWatches();
  ServiceWatches(const ServiceWatches&) = delete;
  ServiceWatches& operator=(const ServiceWatches&) = delete;

  // The table is as of `index`. Not from inside an event.
  void Start(uint64_t index);
  // See BlockingQuery.
  void Pause();
  void Stop();

  // How many requests may be parked with Consul. Not from inside an event.
  void SetBudget(size_t requests_max);

  // Somebody asked for this service (lower case).
  void Asked(const std::string& name);

  // Fetches every cold service, one after another.
  void FetchCold();

  [[nodiscard]] size_t watch_count() const;
  [[nodiscard]] size_t cold_count() const;
  [[nodiscard]] bool has_cold() const {
    return hot_.size() + group_.members().size() < names_.size();
  }

 private:
  struct Hot {
    std::unique_ptr<BlockingQuery> query;
    uint64_t asked_ms = 0;
  };
  // (is a node, name)
  using FetchKey = std::pair<bool, std::string>;

  [[nodiscard]] std::unique_ptr<BlockingQuery> Watch(
      const std::string& path, int64_t spacing_ms, int burst,
      std::function<absl::Status(ConsulReply*)> on_change);
  [[nodiscard]] ServiceGroup::Events GroupEvents();
  void MakeLists();
  // How many may be hot, as many services as there are.
  [[nodiscard]] size_t HotMax() const;
  [[nodiscard]] bool MayGroup() const;
  void UpdateGroup(uint64_t index);
  void AddHot(const std::string& name, uint64_t index);
  void Retire(std::map<std::string, Hot>::iterator hot);
  void RetireOldest();
  void ForgetRetired();
  [[nodiscard]] size_t parked_count() const {
    return hot_.size() + retired_.size();
  }
  // `index`: of the table; 0: it may not know of changes.
  void WatchAll(uint64_t index);
  void UpdateStateWatches();
  absl::Status OnNames(ConsulReply* reply);
  void Settle(ServiceNames listed);
  absl::Status OnService(const std::string& name, ConsulReply* reply);
  absl::Status OnState(HealthStatus status, ConsulReply* reply);
  void OnScanned(const std::set<std::string>& changed);
  void Fetch(FetchKey key);
  void NextFetches();
  void OnFetched(const FetchKey& key, ConsulReply reply);

  EventLoop* loop_;
  ConsulClient* client_;
  const std::string datacenter_;
  const int64_t wait_ms_;
  MirrorTable* table_;
  const Events events_;

  bool running_ = false;
  size_t requests_max_ = 0;      // parked with Consul
  std::set<std::string> names_;  // all services, lower case
  ServiceNames listed_;          // the last list of services
  // Whose instances were not as that list says.
  std::set<std::string> unsettled_;
  std::map<std::string, Hot> hot_;
  // Not wanted any more, but Consul still has their last request.
  std::vector<std::unique_ptr<BlockingQuery>> retired_;
  ServiceGroup group_;
  CheckScan scan_;
  uint64_t list_index_ = 0;  // of the last list of services
  std::unique_ptr<BlockingQuery> list_;
  std::unique_ptr<BlockingQuery> critical_;
  std::unique_ptr<BlockingQuery> warning_;

  std::set<FetchKey> queued_;
  std::deque<FetchKey> queue_;
  std::map<FetchKey, ConsulClient::Id> fetching_;
  double fetches_left_ = 0;
  uint64_t fetches_counted_ms_ = 0;
  Timer fetch_timer_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_SERVICE_WATCHES_H_
