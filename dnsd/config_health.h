// The part of the configuration that says when the agent is healthy and ready,
// and how it stops: health { }.
//
// Threads: any; no I/O, no shared state.
// Errors:  go to Problems with the place of the setting and the value; what is
//          wrong keeps its default.
#ifndef DNSD_DNSD_CONFIG_HEALTH_H_
#define DNSD_DNSD_CONFIG_HEALTH_H_

#include "catalog/base/problems.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

void ResolveHealth(const Settings& settings, Config* config,
                   Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_HEALTH_H_
