// Random identifiers in the form of RFC 4122, as Consul makes them: all 128
// bits are random, those for version and variant too.
//
// Threads: any.
#ifndef DNSD_CATALOG_BASE_UUID_H_
#define DNSD_CATALOG_BASE_UUID_H_

#include <string>

namespace dnsd {

[[nodiscard]] std::string NewUuid();

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_UUID_H_
