// The part of the configuration about resolvers that are asked over TLS: whose
// certificates are good.
//
// Threads: one; reads certificates.
// Errors:  go to Problems with the place of the setting, the file and the
//          reason.
#ifndef DNSD_DNSD_CONFIG_FORWARD_TLS_H_
#define DNSD_DNSD_CONFIG_FORWARD_TLS_H_

#include "catalog/base/problems.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

// Fills config->recursor_trust when somebody is asked over TLS. What is
// forwarded must be resolved.
void ResolveForwardTls(const Settings& settings, Config* config,
                       Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_FORWARD_TLS_H_
