#include "dnsd/acl/authorizer.h"

#include <cstddef>
#include <utility>

namespace dnsd {

Authorizer::Authorizer(std::string name, const AclRules& rules,
                       bool default_allow)
    : name_(std::move(name)), default_allow_(default_allow) {
  for (size_t i = 0; i < tables_.size(); ++i) {
    tables_[i] = RuleTable(rules, static_cast<AclResource>(i));
  }
}

bool Authorizer::May(AclResource resource, absl::string_view name,
                     AclAccess needed) const {
  const AclAccess access = tables_[static_cast<size_t>(resource)].Find(name);
  if (access == AclAccess::kNone) {
    return default_allow_ && resource != AclResource::kAcl;
  }
  return access != AclAccess::kDeny && access >= needed;
}

}  // namespace dnsd
