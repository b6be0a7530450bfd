// Every limit of the control plane, each with its reason. Limits of the data
// plane are in dnsd/limits.h.
#ifndef DNSD_CATALOG_BASE_LIMITS_H_
#define DNSD_CATALOG_BASE_LIMITS_H_

#include <cstddef>

namespace dnsd {

// Configuration nests a handful of levels; the parsers recurse, so the depth
// bounds their stack.
inline constexpr size_t kNestingMax = 64;

// A configuration file larger than this is a mistake (a core dump, a log).
inline constexpr size_t kConfigFileBytesMax = 64u << 20;

// Consul's own limits on service meta (lib/validateMeta in Consul's docs).
inline constexpr size_t kMetaPairsMax = 64;
inline constexpr size_t kMetaKeyBytesMax = 128;
inline constexpr size_t kMetaValueBytesMax = 512;

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_LIMITS_H_
