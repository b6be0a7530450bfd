// ServiceGroup follows a few services by one long poll: those that found no
// connection for a watch of their own. Every change of the datacenter wakes
// it, and it answers with the nodes that have instances of these services
// (/v1/internal/ui/nodes with a filter), so it is for catalogs that are small.
//
// Threads:   the loop's thread.
// Ownership: borrows the table, which it updates.
// Errors:    where Consul does not take the filter, refused() is true, until
//            it is to be tried again.
// Limits:    kServicesMax members.
#ifndef DNSD_CATALOG_CONSUL_SERVICE_GROUP_H_
#define DNSD_CATALOG_CONSUL_SERVICE_GROUP_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "catalog/base/event_loop.h"
#include "catalog/consul/blocking_query.h"
#include "catalog/consul/consul_client.h"
#include "catalog/consul/mirror_table.h"

namespace dnsd {

class ServiceGroup {
 public:
  // Of 150 services, ten have no connection of their own; the rest is for
  // gateways and for watches that are on their way out.
  static constexpr size_t kServicesMax = 16;

  struct Events {
    std::function<void(Changes)> on_changes;
    std::function<void()> on_regress;
    std::function<void(const ConsulReply&)> on_error;
    std::function<void()> on_woken;
    // refused() is true now.
    std::function<void()> on_refused;
  };

  ServiceGroup(EventLoop* loop, ConsulClient* client, std::string datacenter,
               int64_t wait_ms, MirrorTable* table, Events events);
  ServiceGroup(const ServiceGroup&) = delete;
  ServiceGroup& operator=(const ServiceGroup&) = delete;

  // Lower case. What is new among them is asked for with the next request.
  void SetMembers(std::set<std::string> names);
  [[nodiscard]] const std::set<std::string>& members() const {
    return members_;
  }

  // See BlockingQuery. The table is as of `index`; 0: it may not know them.
  void Start(uint64_t index);
  void Pause();
  void Stop();
  [[nodiscard]] bool running() const { return query_.running(); }
  [[nodiscard]] bool is_asking() const { return query_.is_asking(); }
  [[nodiscard]] bool refused() const { return refused_; }
  void TryAgain() { refused_ = false; }

 private:
  // Refusals that may be an accident (500, say), in a row.
  static constexpr int kFailuresMax = 3;

  [[nodiscard]] std::string NextFilter();
  absl::Status OnNodes(ConsulReply* reply);
  void OnError(const ConsulReply& reply);

  const std::string datacenter_;
  MirrorTable* table_;
  const Events events_;
  std::set<std::string> members_;
  std::set<std::string> asked_;  // what the last request is about
  int failures_ = 0;
  bool refused_ = false;
  BlockingQuery query_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_SERVICE_GROUP_H_
