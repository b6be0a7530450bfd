// The part of the configuration that is TLS for the HTTP API: Consul's keys at
// the top (cert_file, verify_incoming, ...) and its later stanza `tls`, where
// `tls.https` wins over `tls.defaults`, which wins over those. And the limits
// of HTTP connections.
//
// Threads: one; reads certificates and keys.
// Errors:  go to Problems with the place of the setting, the file and the
//          reason.
#ifndef DNSD_DNSD_CONFIG_TLS_H_
#define DNSD_DNSD_CONFIG_TLS_H_

#include "catalog/base/problems.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

// Fills config->https_tls when HTTPS is on, whose addresses must be resolved.
void ResolveTls(const Settings& settings, Config* config, Problems* problems);

// Fills config->http_connections_per_client_max, http_requests_max,
// http_requests_per_client_max and https_handshake_ms.
void ResolveHttpLimits(const Settings& settings, Config* config,
                       Problems* problems);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_TLS_H_
