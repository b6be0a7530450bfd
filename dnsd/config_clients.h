// The part of the configuration that says what DNS clients may do: cookies,
// the rate of answers, TCP connections, ANY.
//
// Threads: any; no I/O, no shared state.
// Errors:  go to Problems with the place of the setting and the value, but not
//          that of a secret; what is wrong keeps its default.
#ifndef DNSD_DNSD_CONFIG_CLIENTS_H_
#define DNSD_DNSD_CONFIG_CLIENTS_H_

#include "catalog/base/problems.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

// policy.compat must be resolved.
void ResolveClients(const Settings& settings, Config* config,
                    Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_CLIENTS_H_
