#include "dnsd/querylog/top_names.h"

#include <algorithm>

namespace dnsd {

void TopNames::Add(const std::string& name, uint64_t count) {
  if (const auto known = by_name_.find(name); known != by_name_.end()) {
    auto node = places_.extract(known->second);
    node.key() += count;
    known->second = places_.insert(std::move(node));
    return;
  }
  if (places_.size() < kTopNamesPlaces) {
    by_name_.emplace(name, places_.emplace(count, Place{name, 0}));
    return;
  }
  auto node = places_.extract(places_.begin());
  by_name_.erase(node.mapped().name);
  node.mapped() = {name, node.key()};
  node.key() += count;
  by_name_.emplace(name, places_.insert(std::move(node)));
}

std::vector<TopName> TopNames::Top(size_t count_max) const {
  std::vector<TopName> top;
  top.reserve(places_.size());
  for (const auto& [count, place] : places_) {
    top.push_back({place.name, count - place.error});
  }
  std::sort(top.begin(), top.end(), [](const TopName& a, const TopName& b) {
    return a.count != b.count ? a.count > b.count : a.name < b.name;
  });
  if (top.size() > count_max) top.resize(count_max);
  return top;
}

}  // namespace dnsd
