#include "catalog/registry/sqlite_store.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <future>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "catalog/base/check.h"
#include "catalog/base/log.h"
#include "catalog/registry/commit_ledger.h"
#include "catalog/registry/sqlite_file.h"

namespace dnsd {
namespace {

// The last write of each key, in the order of keys: neighbours share pages.
std::vector<const StoreWrite*> LastWrites(
    const std::vector<PendingCommit>& group) {
  std::vector<const StoreWrite*> writes;
  for (const PendingCommit& commit : group) {
    for (const StoreWrite& write : commit.writes) writes.push_back(&write);
  }
  std::stable_sort(writes.begin(), writes.end(),
                   [](const StoreWrite* left, const StoreWrite* right) {
                     return left->key < right->key;
                   });
  // From the back, unique() keeps the last of its kind.
  const auto first =
      std::unique(writes.rbegin(), writes.rend(),
                  [](const StoreWrite* left, const StoreWrite* right) {
                    return left->key == right->key;
                  })
          .base();
  writes.erase(writes.begin(), first);
  return writes;
}

class SqliteStore : public Store {
 public:
  SqliteStore(EventLoop* loop, std::unique_ptr<SqliteFile> file,
              const SqliteStoreOptions& options)
      : loop_(loop),
        options_(options),
        ledger_(std::make_shared<CommitLedger>()),
        file_(std::move(file)) {
    ledger_->stats()->file_size = file_->size();
    thread_ = std::thread([this] { Work(); });
  }

  ~SqliteStore() override {
    ledger_->Close();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      closing_ = true;
    }
    wake_.notify_one();
    thread_.join();
  }

  absl::Status Load(const Visit& visit, absl::string_view last) override {
    DNSD_CHECK(!committed_);
    load_status_ = file_->Load(visit, last);
    if (!load_status_.ok()) return load_status_;
    verdict_ = verdict_of_thread_.get_future();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_loaded_ = true;
    }
    wake_.notify_one();
    return absl::OkStatus();
  }

  absl::Status Verify() override {
    if (!load_status_.ok()) return load_status_;
    DNSD_CHECK(verdict_.valid());
    return verdict_.get();
  }

  void Commit(std::vector<StoreWrite> writes, Done done) override {
    committed_ = true;
    PendingCommit commit;
    commit.writes = std::move(writes);
    commit.done = std::move(done);
    absl::Status status = ledger_->Admit(&commit);
    status.Update(load_status_);
    if (!status.ok()) {
      Refuse(std::move(commit), status);
      return;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      queue_.push_back(std::move(commit));
    }
    wake_.notify_one();
  }

  const StoreStats& stats() const override { return *ledger_->stats(); }

 private:
  void Refuse(PendingCommit commit, const absl::Status& status) {
    auto group = std::make_shared<std::vector<PendingCommit>>();
    group->push_back(std::move(commit));
    loop_->Post(
        [ledger = ledger_, group, status] { ledger->Finish(*group, status); });
  }

  // --- the I/O thread ---

  void Work() {
    for (;;) {
      if (TakeLoaded()) {
        damage_ = file_->Verify();
        verdict_of_thread_.set_value(damage_);
      }
      std::vector<PendingCommit> group = NextGroup();
      if (group.empty()) return;
      WriteGroup(std::move(group));
      if (file_->log_size() >= options_.log_size_max) Checkpoint();
    }
  }

  // Waits until there is something to do; says whether that is to verify what
  // was loaded, which comes before all commits.
  bool TakeLoaded() {
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait(lock,
               [this] { return closing_ || is_loaded_ || !queue_.empty(); });
    return std::exchange(is_loaded_, false);
  }

  // Waits for commits; none when the store closes and all is written.
  std::vector<PendingCommit> NextGroup() {
    std::unique_lock<std::mutex> lock(mutex_);
    wake_.wait(lock, [this] { return closing_ || !queue_.empty(); });
    std::vector<PendingCommit> group;
    size_t size = 0;
    while (!queue_.empty() && group.size() < kStoreGroupCommitsMax &&
           size < kStoreGroupBytesMax) {
      size += queue_.front().size;
      group.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    return group;
  }

  void WriteGroup(std::vector<PendingCommit> writes) {
    auto group =
        std::make_shared<std::vector<PendingCommit>>(std::move(writes));
    const absl::Status status =
        damage_.ok() ? file_->Write(LastWrites(*group)) : damage_;
    // Here rather than on the loop, which has other things to do.
    for (PendingCommit& commit : *group) commit.writes = {};
    const uint64_t log_size = file_->log_size();
    loop_->Post([ledger = ledger_, group, status, log_size] {
      StoreStats* const stats = ledger->stats();
      ++stats->group_count;
      stats->log_size = log_size;
      stats->last_error = status;
      ledger->Finish(*group, status);
    });
  }

  void Checkpoint() {
    const uint64_t start_ns = uv_hrtime();
    const absl::Status status = file_->Checkpoint();
    const uint64_t took_us = (uv_hrtime() - start_ns) / 1000;
    if (!status.ok()) {
      LogWarn("store", "what was committed stays in the log",
              {{"error", std::string(status.message())}});
    }
    const uint64_t log_size = file_->log_size();
    const uint64_t size = file_->size();
    loop_->Post([ledger = ledger_, status, took_us, log_size, size] {
      StoreStats* const stats = ledger->stats();
      ++stats->checkpoint_count;
      stats->checkpoint_sum_us += took_us;
      stats->checkpoint_max_us = std::max(stats->checkpoint_max_us, took_us);
      stats->log_size = log_size;
      stats->file_size = size;
      if (!status.ok()) stats->last_error = status;
    });
  }

  EventLoop* const loop_;
  const SqliteStoreOptions options_;
  const std::shared_ptr<CommitLedger> ledger_;
  bool committed_ = false;
  absl::Status load_status_;
  std::future<absl::Status> verdict_;
  std::promise<absl::Status> verdict_of_thread_;

  // Load()'s until it ended, then the thread's.
  const std::unique_ptr<SqliteFile> file_;
  absl::Status damage_;  // the thread's

  // A thread that sleeps while there is nothing to do, and takes all there is
  // when it is ready: Post() would hand over one by one.
  std::mutex mutex_;  // guards queue_, is_loaded_ and closing_
  std::condition_variable wake_;
  std::deque<PendingCommit> queue_;
  bool is_loaded_ = false;
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> OpenSqliteStore(
    EventLoop* loop, const std::string& path,
    const SqliteStoreOptions& options) {
  absl::StatusOr<std::unique_ptr<SqliteFile>> file = SqliteFile::Open(path);
  if (!file.ok()) return file.status();
  return std::make_unique<SqliteStore>(loop, *std::move(file), options);
}

}  // namespace dnsd
