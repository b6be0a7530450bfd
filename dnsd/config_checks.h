// The part of the configuration that says how this agent runs its checks.
//
// Threads: any; no I/O, no shared state.
// Errors:  go to Problems.
#ifndef DNSD_DNSD_CONFIG_CHECKS_H_
#define DNSD_DNSD_CONFIG_CHECKS_H_

#include "catalog/base/problems.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

void ResolveCheckSettings(const Settings& settings, Config* config,
                          Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_CHECKS_H_
