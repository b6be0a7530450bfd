// BlockingQuery is one long poll of a Consul, again and again, by Consul's
// rules (consul.md 5.1): an index that did not move is no news; one that went
// back means that indexes of before mean nothing; 0 is never asked with;
// returns come no faster than a limit; errors are retried ever more slowly.
//
// A poll that is cancelled stays with Consul until its wait is over, and counts
// against Consul's limit of connections (measured: 1.8.7 does not notice that
// the client is gone). So a query that is not wanted for now is paused: what
// it asked for last stays on its way, and serves when it is wanted again.
//
// Threads:   the loop's thread.
// Ownership: may be stopped from inside its events, but not destroyed.
#ifndef DNSD_CATALOG_CONSUL_BLOCKING_QUERY_H_
#define DNSD_CATALOG_CONSUL_BLOCKING_QUERY_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "catalog/base/event_loop.h"
#include "catalog/consul/consul_client.h"

namespace dnsd {

class BlockingQuery {
 public:
  struct Options {
    std::string path;
    std::string datacenter;
    int64_t wait_ms = 0;
    // Between returns, but for `burst` of them: what changes now and then is
    // seen at once, what changes all the time, this often.
    int64_t spacing_ms = 100;
    int burst = 10;
    // Of the next request; empty: there is none.
    std::function<std::string()> next_filter = nullptr;
    std::string parameters = {};  // ConsulGet's
  };
  struct Events {
    // News. An error is one of Consul's: what it sent is not understood.
    std::function<absl::Status(ConsulReply*)> on_change;
    // The index went back. The query has stopped.
    std::function<void()> on_regress;
    // It will be tried again.
    std::function<void(const ConsulReply&)> on_error;
    // It returned long before its wait was over, and without news. So Consul
    // does when its data is replaced, by a snapshot: indexes may have gone
    // back, and it would wait for the old one. May be empty.
    std::function<void()> on_woken;
  };

  static constexpr int64_t kRetryMsMin = 250;
  static constexpr int64_t kRetryMsMax = 30'000;
  // After it was woken more often than kWokenBurst, which is earned again in
  // as many times this.
  static constexpr int64_t kWokenMs = 1'000;
  static constexpr int kWokenBurst = 3;

  BlockingQuery(EventLoop* loop, ConsulClient* client, Options options,
                Events events);
  ~BlockingQuery();
  BlockingQuery(const BlockingQuery&) = delete;
  BlockingQuery& operator=(const BlockingQuery&) = delete;

  // Tells what is newer than `index`, which may be another query's (indexes
  // are the whole cluster's); 0: first of all what there is.
  // What a pause left on its way is not asked for again, but when it waits for
  // a later index: those of before may mean nothing any more.
  void Start(uint64_t index);
  // The next request asks for what there is, not for what is newer: its filter
  // is another. Not when Start() asks: it knows since when.
  void AskAnew() { anew_ = true; }
  // No more events.
  void Pause();
  // The same, and what is on its way is cancelled: when nobody will take it.
  void Stop();
  [[nodiscard]] bool running() const { return running_; }
  // Whether Consul has a request of it.
  [[nodiscard]] bool is_asking() const { return asked_ != 0; }

 private:
  void Ask();
  void OnReply(ConsulReply reply);
  void Fail(const ConsulReply& reply);
  // How long to wait before asking again.
  [[nodiscard]] int64_t Spacing();
  // The same, after it was woken.
  [[nodiscard]] int64_t Rest();

  EventLoop* loop_;
  ConsulClient* client_;
  const Options options_;
  const Events events_;
  Timer again_;
  bool running_ = false;
  uint64_t index_ = 0;
  bool is_own_index_ = false;   // it came with an answer of this query
  ConsulClient::Id asked_ = 0;  // 0: nothing is on its way
  int failure_count_ = 0;
  bool anew_ = false;
  double burst_left_;
  double woken_left_ = kWokenBurst;
  uint64_t last_woken_ms_ = 0;
  uint64_t last_return_ms_ = 0;
  uint64_t asked_ms_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_BLOCKING_QUERY_H_
