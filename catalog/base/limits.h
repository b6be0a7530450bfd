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

// The file of a mirrored datacenter: some 600 bytes an instance, so this is
// far above a million of them.
inline constexpr size_t kMirrorFileBytesMax = size_t{1} << 30;

// One answer of a Consul. Everything of 300,000 instances is 200 MB.
inline constexpr size_t kConsulAnswerBytesMax = 512u << 20;

// Answers larger than this are decoded on the pool: a millisecond of work.
inline constexpr size_t kConsulInlineBytesMax = 256u << 10;

// Services fetched at a time, and in a second, when a change is known to be
// somewhere among those without a watch of their own: a tenth of what one
// core of a Consul server can answer.
inline constexpr size_t kConsulFetchesMax = 4;
inline constexpr size_t kConsulFetchesPerSecond = 200;

// So few services without a watch are fetched one by one rather than with
// everything else.
inline constexpr size_t kConsulColdFetchMax = 32;

// A record of the store: far above any registration or stored value (Consul's
// values end at 512 KiB), far below what SQLite can hold (1 GB).
inline constexpr size_t kStoreKeyBytesMax = 64u << 10;
inline constexpr size_t kStoreValueBytesMax = 16u << 20;

// Commits that wait for the disk: ten seconds of a slow one.
inline constexpr size_t kStorePendingBytesMax = 64u << 20;

// One transaction of the store. More commits share a sync no better, and the
// first of them waits for the last.
inline constexpr size_t kStoreGroupCommitsMax = 1024;
inline constexpr size_t kStoreGroupBytesMax = 4u << 20;

// The store's log is moved into its place when it has this size.
inline constexpr size_t kStoreLogBytesMax = 16u << 20;

// Pages of the store's file in memory; the system has the rest of them.
inline constexpr size_t kStoreCacheBytesMax = 16u << 20;

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_LIMITS_H_
