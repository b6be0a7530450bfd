// TopNames counts what is asked for most, in fixed memory: the "space-saving"
// sketch of Metwally, Agrawal and El Abbadi. A name that is new when all places
// are taken gets that of the least counted one, whose count it inherits as the
// error of its own; so a name that is asked for more often than all / kPlaces
// times is always among them, and names made up at random push each other out.
//
// Threads: one owner.
// Limits:  kTopNamesPlaces names.
// Cost:    Add() is a hash and the logarithm of kTopNamesPlaces.
#ifndef DNSD_DNSD_QUERYLOG_TOP_NAMES_H_
#define DNSD_DNSD_QUERYLOG_TOP_NAMES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace dnsd {

inline constexpr size_t kTopNamesPlaces = 512;

struct TopName {
  std::string name;  // as added
  uint64_t count = 0;

  bool operator==(const TopName&) const = default;
};

class TopNames {
 public:
  void Add(const std::string& name, uint64_t count);
  // Those with the highest counts that are certain, the highest first; names
  // that are asked for as often are in alphabetical order.
  [[nodiscard]] std::vector<TopName> Top(size_t count_max) const;

 private:
  struct Place {
    std::string name;
    uint64_t error;  // of its count: at most this much is not its own
  };
  using Places = std::multimap<uint64_t, Place>;  // by count

  Places places_;
  absl::flat_hash_map<std::string, Places::iterator> by_name_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_QUERYLOG_TOP_NAMES_H_
