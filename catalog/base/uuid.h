// Random numbers from the system: identifiers in the form of RFC 4122, as
// Consul makes them (all 128 bits are random, those for version and variant
// too), and seeds.
//
// Threads: any.
#ifndef DNSD_CATALOG_BASE_UUID_H_
#define DNSD_CATALOG_BASE_UUID_H_

#include <cstdint>
#include <string>

namespace dnsd {

[[nodiscard]] std::string NewUuid();
[[nodiscard]] bool IsUuid(const std::string& text);
[[nodiscard]] uint64_t RandomSeed();

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_UUID_H_
