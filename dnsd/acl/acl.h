// Acl is who may do what: the tokens of the configuration and what stands
// behind them. A reload makes another one.
//
// Threads:   immutable; any.
// Ownership: share it by shared_ptr; what Resolve() returns is good beyond it.
// Secrets:   none is kept, only its HMAC under a key of this object: looking
//            one up takes as long for a good guess as for a bad one, and a
//            memory dump has no secrets of tokens in it. No message has one.
// Cost:      Resolve() is one HMAC, about a microsecond.
#ifndef DNSD_DNSD_ACL_ACL_H_
#define DNSD_DNSD_ACL_ACL_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/catalog_rights.h"
#include "dnsd/acl/acl_rules.h"
#include "dnsd/acl/authorizer.h"

namespace dnsd {

// The secret of the token of whoever gives none; Consul's name of it.
inline constexpr absl::string_view kAnonymousSecret = "anonymous";

struct AclToken {
  std::string secret;
  std::string name;
  AclRules rules;
};

struct AclOptions {
  bool enabled = false;
  bool default_allow = true;
  std::vector<AclToken> tokens;  // secrets differ and are not empty
  // Secrets of the token that stands in for none: in requests, and of DNS and
  // of the agent itself. Empty: the next of them, "agent" and "dns" before
  // "default", and the anonymous token last.
  std::string default_secret;
  std::string dns_secret;
  std::string agent_secret;
};

class Acl {
 public:
  using Result = absl::StatusOr<std::shared_ptr<const Authorizer>>;

  // Everybody may do everything.
  Acl() : Acl(AclOptions()) {}
  explicit Acl(const AclOptions& options);
  Acl(const Acl&) = delete;
  Acl& operator=(const Acl&) = delete;

  [[nodiscard]] bool enabled() const { return enabled_; }
  // kNotFound, "ACL not found": no token has this secret.
  [[nodiscard]] Result Resolve(absl::string_view secret) const;
  // Who asks by DNS, and this agent itself.
  [[nodiscard]] const std::shared_ptr<const Authorizer>& dns() const {
    return dns_;
  }
  [[nodiscard]] const std::shared_ptr<const Authorizer>& agent() const {
    return agent_;
  }

 private:
  [[nodiscard]] std::string Digest(absl::string_view secret) const;
  [[nodiscard]] std::shared_ptr<const Authorizer> Find(
      absl::string_view secret) const;

  const bool enabled_;
  std::string key_;
  absl::flat_hash_map<std::string, std::shared_ptr<const Authorizer>>
      by_digest_;
  std::shared_ptr<const Authorizer> default_;
  std::shared_ptr<const Authorizer> dns_;
  std::shared_ptr<const Authorizer> agent_;
};

// What DNS answers may show; without ACLs everything.
[[nodiscard]] AskerRights DnsRights(std::shared_ptr<const Acl> acl);

}  // namespace dnsd

#endif  // DNSD_DNSD_ACL_ACL_H_
