// AclRules is what one token may do, in Consul's rule language (HCL or JSON):
//
//   service_prefix "" { policy = "read" }     service "web" { policy = "write"
//   } operator = "read"
//
// Threads: plain values; ParseAclRules() any.
// Errors:  go to Problems, each with its line. Consul passes over keys that it
//          does not know; here they are errors, as in all configuration: a
//          right that is spelled wrong is none.
#ifndef DNSD_DNSD_ACL_ACL_RULES_H_
#define DNSD_DNSD_ACL_ACL_RULES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/base/problems.h"

namespace dnsd {

// Of least effect to most; what a request needs is kRead, kList or kWrite.
enum class AclAccess : uint8_t { kNone, kDeny, kRead, kList, kWrite };

enum class AclResource : uint8_t {
  // With names.
  kAgent,
  kEvent,
  kKey,
  kNode,
  kQuery,
  kService,
  kSession,
  // Without.
  kAcl,
  kKeyring,
  kMesh,
  kOperator,
  kPeering,
};
inline constexpr size_t kAclNamedResourceCount = 7;
inline constexpr size_t kAclResourceCount = 12;

struct AclRule {
  AclResource resource = AclResource::kAcl;
  std::string name;        // or what names begin with
  bool is_prefix = false;  // "service_prefix"
  AclAccess access = AclAccess::kNone;
};
using AclRules = std::vector<AclRule>;

// The rules in `text`. `where` is the setting that has them; with a line it
// stands in another file, and lines of the text are named in the messages.
[[nodiscard]] AclRules ParseAclRules(const std::string& text,
                                     const Place& where, Problems* problems);

// Everything: Consul's policy "global-management".
[[nodiscard]] AclRules ManagementRules();
// What acl.tokens.agent_recovery may do: this agent, and see all nodes.
[[nodiscard]] AclRules AgentRecoveryRules(absl::string_view node_name);

}  // namespace dnsd

#endif  // DNSD_DNSD_ACL_ACL_RULES_H_
