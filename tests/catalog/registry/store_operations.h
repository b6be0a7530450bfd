// Random commits that two processes agree on: the same for the same seed and
// index. Every commit also writes its number to kIndexKey, so that a store says
// by itself how many it has.
//
// Threads: plain functions.
#ifndef DNSD_TESTS_CATALOG_REGISTRY_STORE_OPERATIONS_H_
#define DNSD_TESTS_CATALOG_REGISTRY_STORE_OPERATIONS_H_

#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/registry/store.h"

namespace dnsd::testing {

using Records = std::map<std::string, std::string>;

inline constexpr char kIndexKey[] = "meta/index";

// The commit that takes a store from `index` commits to `index + 1`.
inline std::vector<StoreWrite> CommitAt(uint64_t seed, uint64_t index) {
  std::mt19937_64 random(seed * 1000003 + index);
  std::vector<StoreWrite> writes;
  const uint64_t count = random() % 5;
  for (uint64_t i = 0; i < count; ++i) {
    StoreWrite write;
    write.key = absl::StrCat("service/dc1/node-", random() % 10, "/web-",
                             random() % 20);
    if (random() % 3 != 0) {
      // Some do not fit into a page of the file.
      const size_t size = random() % 50 == 0 ? 9000 : random() % 700;
      write.value = absl::StrCat(
          index, ":", std::string(size, static_cast<char>(random())));
    }
    writes.push_back(std::move(write));
  }
  writes.push_back({kIndexKey, absl::StrCat(index + 1)});
  return writes;
}

inline void ApplyTo(Records* records, const std::vector<StoreWrite>& writes) {
  for (const StoreWrite& write : writes) {
    if (write.value) {
      (*records)[write.key] = *write.value;
    } else {
      records->erase(write.key);
    }
  }
}

// How many commits `records` has seen.
inline uint64_t IndexOf(const Records& records) {
  const auto found = records.find(kIndexKey);
  uint64_t index = 0;
  if (found == records.end() || !absl::SimpleAtoi(found->second, &index)) {
    return 0;
  }
  return index;
}

// What a store has after `index` commits.
inline Records RecordsAt(uint64_t seed, uint64_t index) {
  Records records;
  for (uint64_t i = 0; i < index; ++i) ApplyTo(&records, CommitAt(seed, i));
  return records;
}

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_REGISTRY_STORE_OPERATIONS_H_
