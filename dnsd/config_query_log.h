// The part of the configuration that is logs: the agent's file, and what is
// told of queries (query_log, dnstap, top_names).
//
// Threads: one.
// Errors:  go to Problems with the place of the setting and the value.
#ifndef DNSD_DNSD_CONFIG_QUERY_LOG_H_
#define DNSD_DNSD_CONFIG_QUERY_LOG_H_

#include "catalog/base/problems.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

// Fills config->log_file.
void ResolveLogFile(const Settings& settings, Config* config,
                    Problems* problems);
// Fills config->query_log. To be called after that, and when the node's name
// is known.
void ResolveQueryLog(const Settings& settings, Config* config,
                     Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_QUERY_LOG_H_
