// The part of the configuration that decides answers: domain, TTLs, SOA,
// limits.
//
// Threads: any; no I/O, no shared state.
// Errors:  go to Problems with the place of the setting and the value; what
//          is wrong keeps its default.
#ifndef DNSD_DNSD_CONFIG_POLICY_H_
#define DNSD_DNSD_CONFIG_POLICY_H_

#include "catalog/base/problems.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

// Fills the datacenter's name, of the node and of the policy.
void ResolveDatacenter(const Settings& settings, Config* config,
                       Problems* problems);

// Reads a duration of whole seconds; the rest is cut off, as Consul does.
// False, and nothing changed: it is none, or too long for a TTL.
[[nodiscard]] bool ReadTtl(const PlacedText& written, uint32_t* ttl,
                           Problems* problems);

// Fills config->policy but for forwarding. The datacenter must be resolved.
void ResolvePolicy(const Settings& settings, Config* config,
                   Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_POLICY_H_
