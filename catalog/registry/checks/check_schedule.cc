#include "catalog/registry/checks/check_schedule.h"

namespace dnsd {

NextRun PlanNext(int64_t planned_ms, int64_t interval_ms, int64_t now_ms) {
  int64_t skipped = 0;
  if (planned_ms + interval_ms <= now_ms) {
    skipped = (now_ms - planned_ms) / interval_ms;
  }
  return {.due_ms = planned_ms + (skipped + 1) * interval_ms,
          .skipped = skipped};
}

void CheckSchedule::Set(Key key, int64_t due_ms) {
  Erase(key);
  due_[key] = due_ms;
  order_.emplace(due_ms, key);
}

void CheckSchedule::Erase(Key key) {
  const auto found = due_.find(key);
  if (found == due_.end()) return;
  order_.erase({found->second, key});
  due_.erase(found);
}

std::optional<int64_t> CheckSchedule::FirstDue() const {
  if (order_.empty()) return std::nullopt;
  return order_.begin()->first;
}

std::optional<std::pair<CheckSchedule::Key, int64_t>> CheckSchedule::TakeDue(
    int64_t now_ms) {
  if (order_.empty() || order_.begin()->first > now_ms) return std::nullopt;
  const auto [due_ms, key] = *order_.begin();
  order_.erase(order_.begin());
  due_.erase(key);
  return std::make_pair(key, due_ms);
}

size_t CheckSchedule::CountDue(int64_t now_ms) const {
  size_t count = 0;
  for (const auto& [due_ms, key] : order_) {
    if (due_ms > now_ms) break;
    ++count;
  }
  return count;
}

}  // namespace dnsd
