// CommitLedger is what stores have in common: it admits commits, counts them,
// and calls their `done`, unless the store is gone by then.
//
// Threads:   the loop's thread; a PendingCommit may travel.
// Ownership: shared by the store and by what it posts to the loop.
#ifndef DNSD_CATALOG_REGISTRY_COMMIT_LEDGER_H_
#define DNSD_CATALOG_REGISTRY_COMMIT_LEDGER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "catalog/registry/store.h"

namespace dnsd {

struct PendingCommit {
  std::vector<StoreWrite> writes;
  Store::Done done;
  size_t write_count = 0;
  size_t size = 0;  // bytes of keys and values
  uint64_t start_ns = 0;
};

class CommitLedger {
 public:
  // Counts it as pending. Not OK when a limit forbids it: it is to be finished
  // with this status.
  [[nodiscard]] absl::Status Admit(PendingCommit* commit);

  // Calls each `done`, until one of them destroys the store.
  void Finish(const std::vector<PendingCommit>& group,
              const absl::Status& status);

  // The store is gone: no `done` is called any more.
  void Close() { closed_ = true; }

  [[nodiscard]] StoreStats* stats() { return &stats_; }

 private:
  void Count(const PendingCommit& commit, bool is_ok, uint64_t now_ns);

  bool closed_ = false;
  StoreStats stats_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_COMMIT_LEDGER_H_
