// CheckSchedule knows what is due when: a sorted set of times, in monotonic
// milliseconds that the caller brings.
//
// Threads: one owner.
// Cost:    logarithmic.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_CHECK_SCHEDULE_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_CHECK_SCHEDULE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/container/btree_set.h"
#include "absl/container/flat_hash_map.h"

namespace dnsd {

// What follows a plan without drift: the next time is the last one that was
// planned and whole intervals more, and lies behind `now_ms`. `skipped` is
// how many were left out for that.
struct NextRun {
  int64_t due_ms;
  int64_t skipped;
};
[[nodiscard]] NextRun PlanNext(int64_t planned_ms, int64_t interval_ms,
                               int64_t now_ms);

class CheckSchedule {
 public:
  using Key = uint64_t;

  // One time for each key: a second Set() replaces the first.
  void Set(Key key, int64_t due_ms);
  void Erase(Key key);

  [[nodiscard]] std::optional<int64_t> FirstDue() const;
  // The first that is due by `now_ms`, and its time; it is taken out.
  [[nodiscard]] std::optional<std::pair<Key, int64_t>> TakeDue(int64_t now_ms);
  // How many are due by `now_ms`; linear in the answer.
  [[nodiscard]] size_t CountDue(int64_t now_ms) const;

 private:
  absl::btree_set<std::pair<int64_t, Key>> order_;
  absl::flat_hash_map<Key, int64_t> due_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_CHECK_SCHEDULE_H_
