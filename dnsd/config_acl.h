// The part of the configuration that is ACLs: Consul's stanza `acl`, and in it
// the tokens that Consul keeps in its store and we in the configuration:
//
//   static_tokens = [{ name = "prometheus", secret = "...", rules = "..." }]
//
// Threads: one; reads the files of rules.
// Errors:  go to Problems with place and value, but never with a secret.
#ifndef DNSD_DNSD_CONFIG_ACL_H_
#define DNSD_DNSD_CONFIG_ACL_H_

#include "catalog/base/problems.h"
#include "catalog/base/value.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

[[nodiscard]] StaticToken DecodeStaticToken(const Value& value,
                                            const Place& place,
                                            Problems* problems);

// Fills config->acl. The node's name must be known.
void ResolveAcl(const Settings& settings, Config* config, Problems* problems);
// Once it is known whether a Consul is mirrored.
void WarnAboutDnsToken(const Settings& settings, const Config& config,
                       Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_ACL_H_
