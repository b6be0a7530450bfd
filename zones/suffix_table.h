// SuffixTable finds the longest suffix of a name that it has. HOT PATH: Find()
//
// Threads:   a plain value; const calls from any.
// Ownership: owns the values; what Find() returns lives as long as they do.
// Cost:      Find() hashes each suffix of the name, and allocates nothing.
#ifndef DNSD_ZONES_SUFFIX_TABLE_H_
#define DNSD_ZONES_SUFFIX_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"

namespace dnsd {

template <typename Value>
class SuffixTable {
 public:
  // `zone`: lower case, wire form. False: it is there already.
  bool Add(std::string zone, Value value) {
    return values_.emplace(std::move(zone), std::move(value)).second;
  }

  // `name`: as a zone. nullptr: no suffix of it is here.
  [[nodiscard]] const Value* Find(std::span<const uint8_t> name) const {
    const absl::string_view all(reinterpret_cast<const char*>(name.data()),
                                name.size());
    for (size_t at = 0; at < name.size(); at += 1u + name[at]) {
      const auto found = values_.find(all.substr(at));
      if (found != values_.end()) return &found->second;
    }
    return nullptr;
  }

 private:
  absl::flat_hash_map<std::string, Value> values_;
};

}  // namespace dnsd

#endif  // DNSD_ZONES_SUFFIX_TABLE_H_
