// The store in a file: SQLite's write-ahead log, synced at each transaction.
//
// Threads:   as in store.h. One thread of the store's own does all that waits
//            for the disk, except opening, Load() and closing.
// Grouping:  while a transaction is being synced, what is committed gathers and
//            becomes the next one. Nothing waits for company: the first commit
//            after a rest is written at once.
// Errors:    OpenSqliteStore: as sqlite_file.h says. After a Load() or a
//            Verify() that failed every Commit() fails, too: a damaged file is
//            not written to.
// Cost:      about a sync of the disk for each transaction. At every
//            log_size_max bytes of log a checkpoint, in which commits wait for
//            two syncs and as many bytes of writing.
#ifndef DNSD_CATALOG_REGISTRY_SQLITE_STORE_H_
#define DNSD_CATALOG_REGISTRY_SQLITE_STORE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "catalog/base/event_loop.h"
#include "catalog/base/limits.h"
#include "catalog/registry/store.h"

namespace dnsd {

struct SqliteStoreOptions {
  uint64_t log_size_max = kStoreLogBytesMax;
};

// Blocks on the disk. `loop` outlives the store. The file's folder must be
// there.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(
    EventLoop* loop, const std::string& path,
    const SqliteStoreOptions& options = {});

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_SQLITE_STORE_H_
