#include "dnsd/acl/acl.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "absl/status/status.h"
#include "catalog/base/check.h"

namespace dnsd {
namespace {

constexpr size_t kDigestBytes = 32;  // SHA-256

std::string RandomKey() {
  std::string key(kDigestBytes, '\0');
  DNSD_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(key.data()),
                        static_cast<int>(key.size())) == 1);
  return key;
}

}  // namespace

Acl::Acl(const AclOptions& options)
    : enabled_(options.enabled), key_(RandomKey()) {
  if (!enabled_) {
    default_ = std::make_shared<Authorizer>("acl disabled", ManagementRules(),
                                            /*default_allow=*/true);
    dns_ = default_;
    agent_ = default_;
    return;
  }
  for (const AclToken& token : options.tokens) {
    DNSD_CHECK(!token.secret.empty());
    by_digest_[Digest(token.secret)] = std::make_shared<Authorizer>(
        token.name, token.rules, options.default_allow);
  }
  auto& anonymous = by_digest_[Digest(kAnonymousSecret)];
  if (anonymous == nullptr) {
    anonymous = std::make_shared<Authorizer>("anonymous", AclRules(),
                                             options.default_allow);
  }
  default_ =
      options.default_secret.empty() ? anonymous : Find(options.default_secret);
  dns_ = options.dns_secret.empty() ? default_ : Find(options.dns_secret);
  agent_ = options.agent_secret.empty() ? default_ : Find(options.agent_secret);
  // Whoever made the options has looked whether there are such tokens.
  DNSD_CHECK(default_ && dns_ && agent_);
}

std::string Acl::Digest(absl::string_view secret) const {
  std::string digest(kDigestBytes, '\0');
  DNSD_CHECK(HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
                  reinterpret_cast<const unsigned char*>(secret.data()),
                  secret.size(),
                  reinterpret_cast<unsigned char*>(digest.data()),
                  nullptr) != nullptr);
  return digest;
}

std::shared_ptr<const Authorizer> Acl::Find(absl::string_view secret) const {
  const auto at = by_digest_.find(Digest(secret));
  return at == by_digest_.end() ? nullptr : at->second;
}

Acl::Result Acl::Resolve(absl::string_view secret) const {
  if (!enabled_ || secret.empty()) return default_;
  std::shared_ptr<const Authorizer> found = Find(secret);
  if (found == nullptr) return absl::NotFoundError("ACL not found");
  return found;
}

AskerRights DnsRights(std::shared_ptr<const Acl> acl) {
  if (!acl->enabled()) return {};
  return {acl->dns(), [acl](const std::string& token) {
            return acl->Resolve(token).value_or(nullptr);
          }};
}

}  // namespace dnsd
