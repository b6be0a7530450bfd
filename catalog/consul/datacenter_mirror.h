// DatacenterMirror keeps one datacenter of a Consul mirrored: it loads
// everything, follows what changes, and starts anew whenever it cannot be
// sure that it missed nothing. What changes is told by watches (of services,
// nodes and more), or by a dnsd that has it all in one (delta_watch.h); every
// load finds out which.
//
//   lost --heartbeat--> loading --> watching --no heartbeat--> lost
//                          |  ^        |
//             shrunken     v  |        +--index went back--> loading
//                         held
//
// The heartbeat is a small request every other second: it notices a Consul
// that is gone, hangs, lost its leader, or was wiped or restored (then its
// index goes back, while long polls with the old one would just wait). What it
// does not see of that, the polls do: they are woken without news.
//
// Threads:   the sync thread.
// Ownership: owns its table and its requests; borrows the client.
// Errors:    none reach the caller: what was known stays, status() says how
//            old it is.
#ifndef DNSD_CATALOG_CONSUL_DATACENTER_MIRROR_H_
#define DNSD_CATALOG_CONSUL_DATACENTER_MIRROR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "catalog/base/event_loop.h"
#include "catalog/consul/consul_client.h"
#include "catalog/consul/consul_options.h"
#include "catalog/consul/delta_watch.h"
#include "catalog/consul/list_watches.h"
#include "catalog/consul/mirror_loader.h"
#include "catalog/consul/mirror_table.h"
#include "catalog/consul/service_watches.h"
#include "catalog/consul/shrink_guard.h"
#include "catalog/consul/sweep_schedule.h"

namespace dnsd {

enum class MirrorState : uint8_t {
  kAwaited,      // nothing is known yet
  kUnavailable,  // nothing is known, and Consul does not answer
  kFresh,
  kStale,  // no word from Consul, or from its leader, for a while
};

struct MirrorStatus {
  std::string datacenter;
  MirrorState state = MirrorState::kAwaited;
  const char* phase = "";
  int64_t age_ms = -1;    // since what is known was known to be true; -1: never
  uint64_t index = 0;     // the highest seen
  bool by_delta = false;  // followed by DeltaWatch
  uint64_t deltas = 0;    // its answers
  size_t watches = 0;
  size_t cold_services = 0;
  size_t nodes = 0;
  size_t services = 0;
  size_t instances = 0;
  size_t checks = 0;
  size_t queries = 0;
  uint64_t loads = 0;
  uint64_t losses = 0;
  uint64_t sweeps = 0;
  int64_t load_ms = 0;  // how long the last took
  bool is_held = false;
  std::string last_error;
};

class DatacenterMirror {
 public:
  struct Events {
    std::function<void(Changes)> on_changes;
    // status().state may be another.
    std::function<void()> on_state;
    // This address does not answer.
    std::function<void()> on_no_answer;
  };

  DatacenterMirror(EventLoop* loop, ConsulClient* client,
                   const ConsulOptions& options, std::string datacenter,
                   Events events);
  ~DatacenterMirror();
  DatacenterMirror(const DatacenterMirror&) = delete;
  DatacenterMirror& operator=(const DatacenterMirror&) = delete;

  // What was known when the last process ended. Before Start().
  void Restore(const MirrorImage& image);
  void Start();
  void Stop();

  // The client asks another server now: nothing that is on its way is of use.
  void OnAddressChanged();

  // Requests that may be parked with Consul at a time.
  void SetWatchBudget(size_t watches_max);
  // Somebody asked for a service (lower case).
  void Asked(const std::string& service) { watches_.Asked(service); }

  [[nodiscard]] MirrorStatus status() const;
  [[nodiscard]] MirrorState state() const { return state_; }
  [[nodiscard]] bool is_running() const { return phase_ != Phase::kStopped; }
  // Whether there are services without a watch of their own.
  [[nodiscard]] bool has_cold() const {
    return !delta_.running() && watches_.has_cold();
  }
  [[nodiscard]] MirrorTable::Image image() const { return table_.image(); }
  // Counts changes, to know whether there is something to save.
  [[nodiscard]] uint64_t version() const { return version_; }
  // Whether it ever heard all of it from this Consul.
  [[nodiscard]] bool is_loaded() const { return is_loaded_; }

 private:
  enum class Phase : uint8_t { kStopped, kLost, kLoading, kHeld, kWatching };

  void Beat();
  void OnBeat(ConsulReply reply);
  void OnBadBeat(const ConsulReply& reply);
  void Lose(const std::string& why);
  // The same, and nobody is told yet.
  void Doubt();
  // What is parked with Consul stays there, see BlockingQuery.
  void Pause();
  void StopRequests();
  void Load();
  void OnLoaded(MirrorLoader::Loaded loaded);
  [[nodiscard]] bool HoldBack(size_t loaded);
  // `run`: Loaded's, as of `delta_index`.
  void BeginWatching(Changes changes, uint64_t delta_index,
                     const std::string& run);
  // Asks for everything, unless what is known is as of `index`; 0: anyway.
  void Sweep(uint64_t index);
  void NextSweep();
  void OnSwept(MirrorLoader::Loaded loaded);
  void Emit(Changes changes);
  void OnTick();
  void UpdateState();
  void OnWatchError(const ConsulReply& reply);
  void OnDeltaError(const ConsulReply& reply);
  void OnDeltaAnew();
  void CountDeltaEnd();
  // With a heartbeat, the later the more often a delta ended.
  void LoadLater();
  void OnRegress();
  void OnWoken();

  EventLoop* loop_;
  ConsulClient* client_;
  const ConsulOptions options_;
  const std::string datacenter_;
  const Events events_;
  MirrorTable table_;
  MirrorLoader loader_;
  ShrinkGuard guard_;
  ServiceWatches watches_;
  ListWatches lists_;
  DeltaWatch delta_;

  size_t watches_max_ = 0;
  Phase phase_ = Phase::kStopped;
  MirrorState state_ = MirrorState::kAwaited;
  Timer beat_timer_;
  Timer load_timer_;
  Timer sweep_timer_;
  Timer woken_timer_;
  Timer tick_;
  ConsulClient::Id beat_ = 0;
  int beat_failures_ = 0;
  uint64_t beat_index_ = 0;
  bool had_leader_ = true;
  int load_failures_ = 0;
  int delta_ends_ = 0;
  int64_t delta_began_ms_ = 0;
  int64_t load_began_ms_ = 0;
  uint64_t load_index_ = 0;
  SweepSchedule schedule_;
  int64_t woken_ms_ = 0;      // of the last load for that
  int64_t woken_gap_ms_ = 0;  // until the next may be

  bool is_known_ = false;   // restored or loaded
  bool is_loaded_ = false;  // loaded
  int64_t true_at_ms_ = 0;  // loop time; may be negative after a restore
  uint64_t index_ = 0;
  uint64_t version_ = 0;
  uint64_t loads_ = 0;
  uint64_t losses_ = 0;
  uint64_t sweeps_ = 0;
  bool is_lost_told_ = false;
  std::string last_error_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_DATACENTER_MIRROR_H_
