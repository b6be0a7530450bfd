#include "zones/policy.h"

#include <cstddef>

namespace dnsd {

uint32_t ServiceTtl(const ZonePolicy& policy,
                    const std::string& service_lower) {
  auto exact = policy.service_ttl.find(service_lower);
  if (exact != policy.service_ttl.end()) return exact->second;
  uint32_t ttl = 0;
  size_t longest = 0;
  for (const auto& [pattern, value] : policy.service_ttl) {
    if (pattern.empty() || pattern.back() != '*') continue;
    size_t prefix = pattern.size() - 1;
    if (service_lower.compare(0, prefix, pattern, 0, prefix) != 0) continue;
    // "*" counts as the shortest prefix.
    if (prefix + 1 > longest) {
      longest = prefix + 1;
      ttl = value;
    }
  }
  return ttl;
}

}  // namespace dnsd
