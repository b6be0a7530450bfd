// The part of the configuration that decides answers: domain, TTLs, SOA,
// limits, forwarding.
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

// Fills config->policy and how we forward. The datacenter and the recursors
// must be resolved.
void ResolvePolicy(const Settings& settings, Config* config,
                   Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_POLICY_H_
