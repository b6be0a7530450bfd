// Store keeps own registrations: records, opaque key to opaque value, that
// outlive the process. It knows no word of the catalog; what the keys mean is
// for those who write them.
//
// Threads:   the thread that runs the loop it was opened with, or, while that
//            loop does not run, its owner. Load() may be called on the pool.
// Ownership: whoever opened it owns it. The destructor finishes what was
//            committed, which may take as long as the disk takes, and closes;
//            no `done` is called after it.
// Errors:    by Status, naming the file and the reason. A failed Commit() has
//            changed nothing and does not stop the next: a full disk heals
//            when there is room again. (A disk that fails while it syncs, and
//            a crash before the next commit: there the failed one may be found
//            after the restart.)
// Cost:      Commit() never waits: a lock, a move, at times a wake-up.
// Limits:    kStoreValueBytesMax, kStoreKeyBytesMax and kStorePendingBytesMax
//            (catalog/base/limits.h); what is beyond is refused by `done`.
#ifndef DNSD_CATALOG_REGISTRY_STORE_H_
#define DNSD_CATALOG_REGISTRY_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace dnsd {

struct StoreWrite {
  std::string key;
  std::optional<std::string> value;  // nothing: delete, if it is there
};

// What metrics want to know. Counters are since opening.
struct StoreStats {
  size_t pending_count = 0;   // commits whose `done` was not called yet
  size_t pending_size = 0;    // bytes of their keys and values
  uint64_t commit_count = 0;  // done and OK
  uint64_t failed_count = 0;  // done and not OK
  uint64_t write_count = 0;   // records put and deleted by commits that are OK
  uint64_t group_count = 0;   // transactions that took them to the disk
  // From Commit() to `done`, of commits that are OK.
  uint64_t latency_sum_us = 0;
  uint64_t latency_max_us = 0;
  // Moving what was committed from the log to its place; commits wait.
  uint64_t checkpoint_count = 0;
  uint64_t checkpoint_sum_us = 0;
  uint64_t checkpoint_max_us = 0;
  uint64_t file_size = 0;  // bytes, without the log
  uint64_t log_size = 0;   // bytes of the log that wait for a checkpoint
  // Why the last transaction or checkpoint failed; OK if it did not.
  absl::Status last_error;
};

class Store {
 public:
  using Done = std::function<void(absl::Status)>;
  using Visit =
      std::function<void(absl::string_view key, absl::string_view value)>;

  virtual ~Store() = default;

  // Every record, in the order of the keys' bytes; but those whose keys begin
  // with `last`, if that is not empty, after the others. Once at most, and
  // before the first Commit(). Blocks on the disk: call it before the loop
  // runs, or on the pool. When it fails, what was visited is not all there is.
  [[nodiscard]] virtual absl::Status Load(const Visit& visit,
                                          absl::string_view last) = 0;

  // Whether those were all. After Load(), once: waits for what began with its
  // end. Before it has ended well, nothing is written.
  [[nodiscard]] virtual absl::Status Verify() { return absl::OkStatus(); }

  // Takes effect as a whole or not at all, after every Commit() before it.
  // `done` is called once, on the loop's thread, never from within Commit():
  // when what was written would survive a power cut, or when it failed. In
  // order of the calls, except that what a limit forbids is refused at once.
  virtual void Commit(std::vector<StoreWrite> writes, Done done) = 0;

  [[nodiscard]] virtual const StoreStats& stats() const = 0;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_STORE_H_
