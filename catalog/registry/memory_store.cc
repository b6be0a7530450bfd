#include "catalog/registry/memory_store.h"

#include <utility>
#include <vector>

#include "catalog/base/check.h"
#include "catalog/registry/commit_ledger.h"

namespace dnsd {
namespace {

class MemoryStore : public Store {
 public:
  explicit MemoryStore(EventLoop* loop)
      : loop_(loop), ledger_(std::make_shared<CommitLedger>()) {}
  ~MemoryStore() override { ledger_->Close(); }

  absl::Status Load(const Visit&, absl::string_view) override {
    DNSD_CHECK(!committed_);
    return absl::OkStatus();
  }

  void Commit(std::vector<StoreWrite> writes, Done done) override {
    committed_ = true;
    auto group = std::make_shared<std::vector<PendingCommit>>(1);
    PendingCommit& commit = group->front();
    commit.writes = std::move(writes);
    commit.done = std::move(done);
    const absl::Status status = ledger_->Admit(&commit);
    commit.writes.clear();
    loop_->Post([ledger = ledger_, group, status] {
      if (status.ok()) ++ledger->stats()->group_count;
      ledger->Finish(*group, status);
    });
  }

  const StoreStats& stats() const override { return *ledger_->stats(); }

 private:
  EventLoop* loop_;
  std::shared_ptr<CommitLedger> ledger_;
  bool committed_ = false;
};

}  // namespace

std::unique_ptr<Store> OpenMemoryStore(EventLoop* loop) {
  return std::make_unique<MemoryStore>(loop);
}

}  // namespace dnsd
