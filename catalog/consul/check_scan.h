// CheckScan finds services of a large catalog that have an instance more or
// less, by the list of all checks: a third of what an answer about everything
// costs Consul, and half of its bytes. Instances without a check are not found.
//
// Threads:   the loop's thread; answers are decoded on the pool.
// Ownership: borrows the table, which it only reads. May be destroyed at any
//            time but inside `on_end`.
// Errors:    none: it is a short cut, and whatever it misses is found by an
//            answer about everything.
// Limits:    kFoundMax services at a time: of more, none is told.
// Cost:      a scan a second at most, and half of the time.
#ifndef DNSD_CATALOG_CONSUL_CHECK_SCAN_H_
#define DNSD_CATALOG_CONSUL_CHECK_SCAN_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "catalog/base/event_loop.h"
#include "catalog/consul/consul_client.h"
#include "catalog/consul/mirror_table.h"

namespace dnsd {

class CheckScan {
 public:
  static constexpr size_t kFoundMax = 64;

  // A scan ended: names of services that must be asked for again.
  using OnEnd = std::function<void(const std::set<std::string>& services)>;

  CheckScan(EventLoop* loop, ConsulClient* client, std::string datacenter,
            const MirrorTable* table, OnEnd on_end);
  ~CheckScan();
  CheckScan(const CheckScan&) = delete;
  CheckScan& operator=(const CheckScan&) = delete;

  // Something changed: scans now or, not to be too dear, soon.
  void Want();
  void Stop();

 private:
  void Ask();
  void OnReply(ConsulReply reply);

  EventLoop* loop_;
  ConsulClient* client_;
  const std::string datacenter_;
  const MirrorTable* table_;
  const OnEnd on_end_;
  Timer timer_;
  bool active_ = false;
  bool wanted_ = false;
  ConsulClient::Id asked_ = 0;
  uint64_t began_ms_ = 0;
  uint64_t took_ms_ = 0;
  uint64_t scan_ = 0;  // counts: what an earlier one began is not heeded
  // Gone with us: what the pool still works at notices.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_CHECK_SCAN_H_
