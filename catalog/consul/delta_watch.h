// DeltaWatch follows all nodes and services of a datacenter by one long poll,
// where what is mirrored is a dnsd with a registry: GET /v1/health/services
// tells what changed since an index (dnsd/http/service_changes.h). A real
// Consul answers 404 there.
//
// Everything it is told is exact and in order, so the table needs nobody else:
// no watches of services or nodes, no lists of checks, nothing that asks for
// everything now and then.
//
// It is over with the first thing that is not a change of what is known: an
// answer that is full (the journal there was too short), one of another run of
// that dnsd, an index that went back, a request that failed. Then everything is
// to be loaded anew, by MirrorLoader, which also finds out whether there still
// is such a dnsd.
//
// Threads:   the loop's thread.
// Ownership: borrows the table, which it updates. Not to be started or
//            destroyed from inside its events.
// Cost:      a request and an answer per change, ten a second at most; then an
//            answer is about all that changed meanwhile. It is decoded here.
#ifndef DNSD_CATALOG_CONSUL_DELTA_WATCH_H_
#define DNSD_CATALOG_CONSUL_DELTA_WATCH_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "catalog/base/event_loop.h"
#include "catalog/consul/blocking_query.h"
#include "catalog/consul/consul_client.h"
#include "catalog/consul/mirror_table.h"

namespace dnsd {

class DeltaWatch {
 public:
  static constexpr char kPath[] = "/v1/health/services";
  // Of a request for everything.
  static constexpr char kParameters[] = "nodes=";

  struct Events {
    std::function<void(Changes)> on_changes;
    // Indexes of before mean nothing. It has stopped.
    std::function<void()> on_anew;
    // A request failed. It has stopped.
    std::function<void(const ConsulReply&)> on_error;
    // BlockingQuery's.
    std::function<void()> on_woken;
  };

  DeltaWatch(EventLoop* loop, ConsulClient* client, std::string datacenter,
             int64_t wait_ms, MirrorTable* table, Events events);
  DeltaWatch(const DeltaWatch&) = delete;
  DeltaWatch& operator=(const DeltaWatch&) = delete;

  // The table is as of `index` of `run`.
  void Start(uint64_t index, const std::string& run);
  // A dnsd notices that its client is gone, so there is no Pause().
  void Stop();
  [[nodiscard]] bool running() const {
    return query_ != nullptr && query_->running();
  }
  // That the table is as of; 0: none yet.
  [[nodiscard]] uint64_t index() const { return index_; }
  // Answers that told of something, since the beginning.
  [[nodiscard]] uint64_t answer_count() const { return answer_count_; }

 private:
  absl::Status OnAnswer(ConsulReply* reply);
  void OnError(const ConsulReply& reply);
  void Anew();

  EventLoop* loop_;
  ConsulClient* client_;
  const std::string datacenter_;
  const int64_t wait_ms_;
  MirrorTable* table_;
  const Events events_;
  std::string run_;
  uint64_t index_ = 0;
  uint64_t answer_count_ = 0;
  std::unique_ptr<BlockingQuery> query_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_DELTA_WATCH_H_
