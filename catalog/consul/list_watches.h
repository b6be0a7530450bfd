// ListWatches follows what is not a service of a datacenter: its nodes, its
// prepared queries and the services of its gateways, by a long poll each.
//
// Threads:   the loop's thread.
// Ownership: borrows the table, which it updates.
// Limits:    a poll per gateway. Gateways are few; those that are gone keep
//            theirs.
#ifndef DNSD_CATALOG_CONSUL_LIST_WATCHES_H_
#define DNSD_CATALOG_CONSUL_LIST_WATCHES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "catalog/base/event_loop.h"
#include "catalog/consul/blocking_query.h"
#include "catalog/consul/consul_client.h"
#include "catalog/consul/mirror_table.h"

namespace dnsd {

class ListWatches {
 public:
  struct Events {
    std::function<void(Changes)> on_changes;
    // The index went back: load everything anew.
    std::function<void()> on_regress;
    // A request failed; it will be tried again.
    std::function<void(const ConsulReply&)> on_error;
  };
  // kQueries: others tell of nodes.
  enum class What : uint8_t { kQueries, kQueriesAndNodes };

  ListWatches(EventLoop* loop, ConsulClient* client, std::string datacenter,
              int64_t wait_ms, MirrorTable* table, Events events);
  ListWatches(const ListWatches&) = delete;
  ListWatches& operator=(const ListWatches&) = delete;

  // The table is as of `index`, and knows the gateways.
  void Start(uint64_t index, What what);
  // Follows the gateways among what has just changed.
  void WatchGateways(const Changes& changes);
  // See BlockingQuery.
  void Pause();
  void Stop();

  // Of the last answer about nodes, or of Start().
  [[nodiscard]] uint64_t index() const { return index_; }
  [[nodiscard]] size_t watch_count() const;
  // How many there may be.
  [[nodiscard]] size_t watch_count_max() const {
    return kLists + gateways_.size();
  }

 private:
  static constexpr size_t kLists = 2;  // nodes, queries

  [[nodiscard]] std::unique_ptr<BlockingQuery> Watch(
      const std::string& path, int64_t spacing_ms,
      std::function<absl::Status(ConsulReply*)> on_change);
  void WatchGateway(const std::string& name);
  absl::Status OnNodes(ConsulReply* reply);
  absl::Status OnQueries(ConsulReply* reply);
  absl::Status OnGateway(const std::string& name, ConsulReply* reply);
  absl::Status Tell(Changes changes);

  EventLoop* loop_;
  ConsulClient* client_;
  const std::string datacenter_;
  const int64_t wait_ms_;
  MirrorTable* table_;
  const Events events_;
  uint64_t index_ = 0;
  std::unique_ptr<BlockingQuery> nodes_;
  std::unique_ptr<BlockingQuery> queries_;
  std::map<std::string, std::unique_ptr<BlockingQuery>> gateways_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_LIST_WATCHES_H_
