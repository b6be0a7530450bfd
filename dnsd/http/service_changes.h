// ServiceChanges remembers which services and nodes changed at which index, so
// that who follows all of them need not be told all of them: GET
// /v1/health/services.
//
//   {"Index": 812, "Full": false, "Run": "9f1c...",
//    "Services": {"web": [{"Node", "Service", "Checks"}, ...]},
//    "Gone": ["old"],
//    "Nodes": [{"Node", "Checks"}, ...], "GoneNodes": ["n7"]}
//
// Beyond Consul. With `index=N` it waits until an instance, its node or a check
// of them changed, and tells the services of which that is true: `Services` has
// each with all its instances, as /v1/health/service/NAME has them, `Gone` the
// names that have no instance any more. Names are in lower case. `Full` is true
// for everything there is, `Gone` is empty then, and names that are not in
// `Services` are gone: without an index, with one too old (kNamesMax changes
// ago, or of before the start) and with one that was never given out. `Index`
// is the next `index`, and that of the header. Nothing changed in time: both
// are empty and `Full` is false.
//
// `nodes` asks for the last two members too: nodes that may have changed, each
// with the checks that are its own, in the same way; then it waits for those
// too. `run=R`, with the `Run` of the answer that the index is of, is for who
// must not mistake the index of a process that is gone for one of ours: another
// run than ours is told everything.
//
// Of the parameters there are dc, index, nodes, pretty, run, token and wait.
//
// Threads:   the sync thread's.
// Ownership: borrows the state.
// Cost:      an answer costs what changed. Some 150 bytes for each name that
//            changed, kNamesMax services and as many nodes in a datacenter at
//            most.
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

// The last names that changed, each with its index.
class ChangeJournal {
 public:
  explicit ChangeJournal(uint64_t start) : floor_(start), index_(start) {}

  // Forgets the oldest when there are more than `names_max`.
  void Note(const std::string& name, uint64_t index, size_t names_max);

  // What changed at it or before may be forgotten.
  [[nodiscard]] uint64_t floor() const { return floor_; }
  // Of the last change.
  [[nodiscard]] uint64_t index() const { return index_; }

  // Calls `visit` with the names that changed after `index`, the earliest
  // first.
  void ForEachSince(uint64_t index,
                    const std::function<void(const std::string&)>& visit) const;

 private:
  uint64_t floor_;
  uint64_t index_;
  absl::flat_hash_map<std::string, uint64_t> by_name_;
  absl::btree_set<std::pair<uint64_t, std::string>> by_index_;
};

class ServiceChanges {
 public:
  // What changed in 65,536 services is not much less than everything.
  static constexpr size_t kNamesMax = 1u << 16;

  // Which journals are followed.
  enum class What : uint8_t { kServices, kServicesAndNodes };

  explicit ServiceChanges(const State* state, size_t names_max = kNamesMax);

  // With Dirty::watched.
  void Feed(const absl::flat_hash_set<WatchKey>& watched);

  // The index of the last change that was fed, at least 1.
  [[nodiscard]] uint64_t IndexOf(const std::string& datacenter,
                                 What what) const;

  // Whether it is known what changed since then.
  [[nodiscard]] bool Knows(const std::string& datacenter, uint64_t index,
                           What what) const;

  // The names (lower case) that changed after `index`, the earliest first.
  // Only if Knows().
  using Visit = std::function<void(const std::string&)>;
  void ForEachService(const std::string& datacenter, uint64_t index,
                      const Visit& visit) const;
  void ForEachNode(const std::string& datacenter, uint64_t index,
                   const Visit& visit) const;

  // No other process, nor another object of this one, has it.
  [[nodiscard]] const std::string& run() const { return run_; }

 private:
  struct Datacenter {
    explicit Datacenter(uint64_t start) : services(start), nodes(start) {}

    ChangeJournal services;
    ChangeJournal nodes;
  };

  [[nodiscard]] const Datacenter* Find(const std::string& name) const;
  [[nodiscard]] uint64_t FloorOf(const std::string& datacenter,
                                 What what) const;

  const State* state_;
  const size_t names_max_;
  const uint64_t start_;  // what was before is not known
  const std::string run_;
  std::map<std::string, Datacenter> datacenters_;
};

// The endpoint.
[[nodiscard]] Route HealthServicesRoute(
    const SharedApiContext& context,
    size_t names_max = ServiceChanges::kNamesMax);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_SERVICE_CHANGES_H_
