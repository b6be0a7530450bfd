#include "dnsd/acl/rule_table.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"

namespace dnsd {
namespace {

AclAccess Stronger(AclAccess a, AclAccess b) {
  if (a == AclAccess::kDeny || b == AclAccess::kDeny) return AclAccess::kDeny;
  return std::max(a, b);
}

}  // namespace

RuleTable::RuleTable(const AclRules& rules, AclResource resource) {
  std::map<std::string, AclAccess> prefixes;
  for (const AclRule& rule : rules) {
    if (rule.resource != resource) continue;
    AclAccess& access =
        rule.is_prefix ? prefixes[rule.name] : exact_[rule.name];
    access = Stronger(access, rule.access);
  }
  for (auto& [text, access] : prefixes) {
    size_t parent = prefixes_.empty() ? kNoParent : prefixes_.size() - 1;
    while (parent != kNoParent &&
           !absl::StartsWith(text, prefixes_[parent].text)) {
      parent = prefixes_[parent].parent;
    }
    prefixes_.push_back({text, access, parent});
  }
}

AclAccess RuleTable::Find(absl::string_view name) const {
  if (!exact_.empty()) {
    const auto at = exact_.find(name);
    if (at != exact_.end()) return at->second;
  }
  const auto after =
      std::upper_bound(prefixes_.begin(), prefixes_.end(), name,
                       [](absl::string_view wanted, const Prefix& prefix) {
                         return wanted < prefix.text;
                       });
  // Whatever stands between a prefix of the name and the name begins with that
  // prefix too, so the longest one is among the parents of the last.
  size_t at = static_cast<size_t>(after - prefixes_.begin());
  at = at == 0 ? kNoParent : at - 1;
  while (at != kNoParent && !absl::StartsWith(name, prefixes_[at].text)) {
    at = prefixes_[at].parent;
  }
  return at == kNoParent ? AclAccess::kNone : prefixes_[at].access;
}

}  // namespace dnsd
