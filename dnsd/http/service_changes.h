// ServiceChanges remembers which services changed at which index, so that who
// follows all of them need not be told all of them: GET /v1/health/services.
//
//   {"Index": 812, "Full": false,
//    "Services": {"web": [{"Node", "Service", "Checks"}, ...]},
//    "Gone": ["old"]}
//
// Beyond Consul. With `index=N` it waits until an instance, its node or a check
// of them changed, and tells the services of which that is true: `Services` has
// each with all its instances, as /v1/health/service/NAME has them, `Gone` the
// names that have no instance any more. Names are in lower case. `Full` is true
// for everything there is, `Gone` is empty then, and names that are not in
// `Services` are gone: without an index, with one too old (kNamesMax changes
// ago, or of before the start) and with one that was never given out. `Index`
// is the next `index`, and that of the header. Nothing changed in time: both
// are empty and `Full` is false. Of the parameters there are dc, index, wait,
// pretty and token.
//
// Threads:   the sync thread's.
// Ownership: borrows the state.
// Cost:      an answer costs what changed. Some 150 bytes for each name that
//            changed, kNamesMax of them in a datacenter at most.
// Promise:   Feed() is called with every publication before anybody is
//            answered; what is not fed yet is in no index that is told.
#ifndef DNSD_DNSD_HTTP_SERVICE_CHANGES_H_
#define DNSD_DNSD_HTTP_SERVICE_CHANGES_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "catalog/state.h"
#include "catalog/watch_key.h"
#include "dnsd/http/api_context.h"
#include "dnsd/http/routes.h"

namespace dnsd {

class ServiceChanges {
 public:
  // What changed in 65,536 services is not much less than everything.
  static constexpr size_t kNamesMax = 1u << 16;

  explicit ServiceChanges(const State* state, size_t names_max = kNamesMax)
      : state_(state), names_max_(names_max), start_(state->index()) {}

  // With Dirty::watched.
  void Feed(const absl::flat_hash_set<WatchKey>& watched);

  // The index of the last change that was fed, at least 1.
  [[nodiscard]] uint64_t IndexOf(const std::string& datacenter) const;

  // Whether it is known what changed since then.
  [[nodiscard]] bool Knows(const std::string& datacenter, uint64_t index) const;

  // Calls `visit` with the names (lower case) that changed after `index`, the
  // earliest first. Only if Knows().
  void ForEachSince(const std::string& datacenter, uint64_t index,
                    const std::function<void(const std::string&)>& visit) const;

 private:
  struct Datacenter {
    uint64_t floor = 0;  // what changed at it or before is forgotten
    uint64_t index = 0;
    absl::flat_hash_map<std::string, uint64_t> by_name;
    absl::btree_set<std::pair<uint64_t, std::string>> by_index;
  };

  Datacenter& Get(const std::string& name);
  void Note(Datacenter* datacenter, const std::string& name, uint64_t index);
  [[nodiscard]] uint64_t FloorOf(const std::string& datacenter) const;

  const State* state_;
  const size_t names_max_;
  uint64_t start_;  // what was before is not known
  std::map<std::string, Datacenter> datacenters_;
};

// The endpoint.
[[nodiscard]] Route HealthServicesRoute(
    const SharedApiContext& context,
    size_t names_max = ServiceChanges::kNamesMax);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_SERVICE_CHANGES_H_
