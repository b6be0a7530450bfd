// The part of the configuration that is definitions: services with their
// sidecars, checks and zone files, judged together once all files are read.
//
// Threads: any; no I/O, no shared state.
// Errors:  go to Problems; a clash names both places.
#ifndef DNSD_DNSD_CONFIG_CATALOG_H_
#define DNSD_DNSD_CONFIG_CATALOG_H_

#include "catalog/base/problems.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

// Moves the definitions into the config. config->policy must be resolved,
// because a zone may not take the domain's place.
void ResolveCatalog(Settings* settings, Config* config, Problems* problems);

// `text` in lower case with one final dot, or empty when a label is not 1 to
// 63 bytes of letters, digits, - and _ (and / for RFC 2317 zones when
// `slash_too`) or the name does not fit the wire's 255 bytes.
[[nodiscard]] std::string NormalizeDomain(const std::string& text,
                                          bool slash_too);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_CATALOG_H_
