// What a reload cannot change: listeners, threads, names, and what was told
// when the process started.
//
// Threads: any; logs.
#ifndef DNSD_DNSD_CONFIG_RESTART_H_
#define DNSD_DNSD_CONFIG_RESTART_H_

#include "dnsd/config.h"

namespace dnsd {

// Gives `now` the values that `old`, the running one, has of these settings,
// and logs a warning for each that was another.
void KeepWhatNeedsRestart(const Config& old, Config* now);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_RESTART_H_
