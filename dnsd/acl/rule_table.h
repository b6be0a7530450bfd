// RuleTable finds the rule for a name of one resource: the exact one, else the
// one with the longest prefix of the name, as Consul's radix tree does.
//
// Threads: immutable; any.
// Cost:    a hash and a binary search; nothing is allocated.
#ifndef DNSD_DNSD_ACL_RULE_TABLE_H_
#define DNSD_DNSD_ACL_RULE_TABLE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "dnsd/acl/acl_rules.h"

namespace dnsd {

class RuleTable {
 public:
  RuleTable() = default;
  // The rules of `resource`. Of several for the same name, deny beats write,
  // which beats list, which beats read.
  RuleTable(const AclRules& rules, AclResource resource);

  // kNone: no rule is about this name.
  [[nodiscard]] AclAccess Find(absl::string_view name) const;

 private:
  static constexpr size_t kNoParent = static_cast<size_t>(-1);
  struct Prefix {
    std::string text;
    AclAccess access = AclAccess::kNone;
    size_t parent = kNoParent;  // the longest other one that this begins with
  };

  absl::flat_hash_map<std::string, AclAccess> exact_;
  std::vector<Prefix> prefixes_;  // by text
};

}  // namespace dnsd

#endif  // DNSD_DNSD_ACL_RULE_TABLE_H_
