// Authorizer says what one token may do. Cheap enough to be asked for each
// object of a list: see rule_table.h.
//
// Rules:   as Consul's: the exact rule for a name, else that of the longest
//          prefix, else acl.default_policy. The rights to manage ACLs come from
//          a rule only.
// Threads: immutable; any.
#ifndef DNSD_DNSD_ACL_AUTHORIZER_H_
#define DNSD_DNSD_ACL_AUTHORIZER_H_

#include <array>
#include <string>

#include "absl/strings/string_view.h"
#include "catalog/catalog_rights.h"
#include "dnsd/acl/acl_rules.h"
#include "dnsd/acl/rule_table.h"

namespace dnsd {

class Authorizer : public CatalogRights {
 public:
  // `name` is the token's, for logs; never its secret.
  Authorizer(std::string name, const AclRules& rules, bool default_allow);
  Authorizer(const Authorizer&) = delete;
  Authorizer& operator=(const Authorizer&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  [[nodiscard]] bool MayReadNode(absl::string_view name) const override {
    return NodeRead(name);
  }
  [[nodiscard]] bool MayReadService(absl::string_view name) const override {
    return ServiceRead(name);
  }

  // By the name of the service, node, ...; agents have their node's.
  [[nodiscard]] bool ServiceRead(absl::string_view name) const {
    return May(AclResource::kService, name, AclAccess::kRead);
  }
  [[nodiscard]] bool ServiceWrite(absl::string_view name) const {
    return May(AclResource::kService, name, AclAccess::kWrite);
  }
  [[nodiscard]] bool NodeRead(absl::string_view name) const {
    return May(AclResource::kNode, name, AclAccess::kRead);
  }
  [[nodiscard]] bool NodeWrite(absl::string_view name) const {
    return May(AclResource::kNode, name, AclAccess::kWrite);
  }
  [[nodiscard]] bool AgentRead(absl::string_view node) const {
    return May(AclResource::kAgent, node, AclAccess::kRead);
  }
  [[nodiscard]] bool AgentWrite(absl::string_view node) const {
    return May(AclResource::kAgent, node, AclAccess::kWrite);
  }
  // Who has AclWrite() sees all queries in a list, with their tokens.
  [[nodiscard]] bool QueryRead(absl::string_view name) const {
    return May(AclResource::kQuery, name, AclAccess::kRead);
  }
  [[nodiscard]] bool QueryWrite(absl::string_view name) const {
    return May(AclResource::kQuery, name, AclAccess::kWrite);
  }
  [[nodiscard]] bool KeyRead(absl::string_view key) const {
    return May(AclResource::kKey, key, AclAccess::kRead);
  }
  [[nodiscard]] bool KeyList(absl::string_view prefix) const {
    return May(AclResource::kKey, prefix, AclAccess::kList);
  }
  [[nodiscard]] bool KeyWrite(absl::string_view key) const {
    return May(AclResource::kKey, key, AclAccess::kWrite);
  }
  [[nodiscard]] bool SessionRead(absl::string_view node) const {
    return May(AclResource::kSession, node, AclAccess::kRead);
  }
  [[nodiscard]] bool SessionWrite(absl::string_view node) const {
    return May(AclResource::kSession, node, AclAccess::kWrite);
  }
  [[nodiscard]] bool EventRead(absl::string_view name) const {
    return May(AclResource::kEvent, name, AclAccess::kRead);
  }
  [[nodiscard]] bool EventWrite(absl::string_view name) const {
    return May(AclResource::kEvent, name, AclAccess::kWrite);
  }
  [[nodiscard]] bool OperatorRead() const {
    return May(AclResource::kOperator, AclAccess::kRead);
  }
  [[nodiscard]] bool OperatorWrite() const {
    return May(AclResource::kOperator, AclAccess::kWrite);
  }
  [[nodiscard]] bool KeyringRead() const {
    return May(AclResource::kKeyring, AclAccess::kRead);
  }
  [[nodiscard]] bool KeyringWrite() const {
    return May(AclResource::kKeyring, AclAccess::kWrite);
  }
  [[nodiscard]] bool AclRead() const {
    return May(AclResource::kAcl, AclAccess::kRead);
  }
  [[nodiscard]] bool AclWrite() const {
    return May(AclResource::kAcl, AclAccess::kWrite);
  }

 private:
  [[nodiscard]] bool May(AclResource resource, absl::string_view name,
                         AclAccess needed) const;
  [[nodiscard]] bool May(AclResource resource, AclAccess needed) const {
    return May(resource, "", needed);
  }

  const std::string name_;
  const bool default_allow_;
  std::array<RuleTable, kAclResourceCount> tables_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_ACL_AUTHORIZER_H_
