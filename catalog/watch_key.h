// WatchKey names what somebody may wait for a change of, and ChangeIndex says
// when each of them changed last: the index of Consul's blocking queries.
//
// Threads: plain values; a ChangeIndex belongs to its State, on the sync
//          thread.
// Promise: an index never goes back, and a key's index moves with every change
//          of what it names. It may move without one, but only where that is
//          said: after a start, and after ChangeIndex::kKeysMax keys changed.
#ifndef DNSD_CATALOG_WATCH_KEY_H_
#define DNSD_CATALOG_WATCH_KEY_H_

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace dnsd {

enum class WatchKind : uint8_t {
  // Lists of a datacenter; they have no name.
  kNodes,      // nodes, their addresses and meta
  kServices,   // names and tags of services
  kAllHealth,  // every instance with its node and checks
  kQueries,    // prepared queries
  // By node name, in lower case.
  kNode,        // a node and its instances
  kNodeChecks,  // the checks on a node
  // By service name, in lower case.
  kService,        // instances with their nodes
  kServiceHealth,  // the same with all their checks
  kServiceChecks,  // checks of the instances, without their nodes'
  kMesh,           // instances that stand for the service, with nodes
  kMeshHealth,     // the same with all their checks
  // By status: "any", "passing", "warning", "critical".
  kChecks,
};

struct WatchKey {
  WatchKind kind = WatchKind::kNodes;
  std::string datacenter;  // lower case
  std::string name;

  auto operator<=>(const WatchKey&) const = default;

  template <typename H>
  friend H AbslHashValue(H h, const WatchKey& key) {
    return H::combine(std::move(h), key.kind, key.datacenter, key.name);
  }
};

class ChangeIndex {
 public:
  // Some 100 bytes each. With more, all are said to have changed at once.
  static constexpr size_t kKeysMax = 1u << 21;

  // Everything is said to have changed at `index`, if not later.
  void RaiseFloor(uint64_t index) {
    floor_ = std::max(floor_, index);
    changed_.clear();
  }
  void Note(const WatchKey& key, uint64_t index) {
    if (index <= floor_) return;
    if (changed_.size() >= kKeysMax) RaiseFloor(index);
    uint64_t& last = changed_[key];
    last = std::max(last, index);
  }
  // Everything may have changed at it; what changed earlier is not known.
  [[nodiscard]] uint64_t floor() const { return floor_; }
  // At least 1, as Consul's: a client takes 0 for "do not wait".
  [[nodiscard]] uint64_t Of(const WatchKey& key) const {
    const auto it = changed_.find(key);
    return it == changed_.end() ? floor_ : it->second;
  }

 private:
  uint64_t floor_ = 1;
  absl::flat_hash_map<WatchKey, uint64_t> changed_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_WATCH_KEY_H_
