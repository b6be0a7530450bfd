// The part of the configuration that says which Consul to mirror, and how:
// the block `consul`, its flags, and the environment variables of Consul's
// own commands for what neither says.
//
// Threads: one; reads the token's file, looks at the others, asks the kernel
//          for the interfaces' addresses.
// Errors:  go to Problems with the place and the value, a variable's name
//          being a place too. No message has the token in it.
#ifndef DNSD_DNSD_CONFIG_CONSUL_H_
#define DNSD_DNSD_CONFIG_CONSUL_H_

#include "catalog/base/problems.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

// Fills config->consul. The listeners and the data directory must be
// resolved. HTTP listeners may move to another port: see
// kHttpPortBesideConsul.
void ResolveConsul(const Settings& settings, const Environment& environment,
                   Config* config, Problems* problems);

// Where HTTP listens when no port is configured and the Consul to mirror has
// the usual one on this machine.
inline constexpr uint16_t kHttpPortBesideConsul = 8510;

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_CONSUL_H_
