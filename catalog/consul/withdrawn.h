// Withdrawn remembers what a mirror took out lately, so that an answer that was
// overtaken does not bring it back: nothing else would take it out again.
//
// Threads: one owner.
// Cost:    the last kEntriesMax entries.
#ifndef DNSD_CATALOG_CONSUL_WITHDRAWN_H_
#define DNSD_CATALOG_CONSUL_WITHDRAWN_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace dnsd {

class Withdrawn {
 public:
  // Answers overtake each other by seconds; there are this many at least of
  // the objects that may go in that time.
  static constexpr size_t kEntriesMax = 20'000;

  // An object as old as `modify_index` was not in an answer of `index`.
  void Add(std::string key, uint64_t modify_index, uint64_t index) {
    auto [it, is_new] =
        entries_.insert_or_assign(std::move(key), Entry{modify_index, index});
    if (is_new) order_.push_back(it->first);
    if (order_.size() <= kEntriesMax) return;
    entries_.erase(order_.front());
    order_.pop_front();
  }

  // Whether the object in an answer of `index` is the one that went, and the
  // answer older than that. Both, for an index in a header may be wrong, and
  // what a token may not see comes back as old as it was.
  [[nodiscard]] bool Has(const std::string& key, uint64_t modify_index,
                         uint64_t index) const {
    const auto it = entries_.find(key);
    return it != entries_.end() && modify_index <= it->second.modify_index &&
           index < it->second.index;
  }

  [[nodiscard]] bool empty() const { return order_.empty(); }
  void Clear() {
    entries_.clear();
    order_.clear();
  }

 private:
  struct Entry {
    uint64_t modify_index;
    uint64_t index;
  };

  absl::flat_hash_map<std::string, Entry> entries_;
  std::deque<std::string> order_;  // as they came
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_WITHDRAWN_H_
