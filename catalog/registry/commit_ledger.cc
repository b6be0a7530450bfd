#include "catalog/registry/commit_ledger.h"

#include <uv.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"

namespace dnsd {
namespace {

absl::Status CheckSizes(const StoreWrite& write) {
  if (write.key.size() > kStoreKeyBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the key '", write.key.substr(0, 64), "...' has ", write.key.size(),
        " bytes, more than the ", kStoreKeyBytesMax, " allowed"));
  }
  if (write.value && write.value->size() > kStoreValueBytesMax) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the value of '", write.key, "' has ", write.value->size(),
        " bytes, more than the ", kStoreValueBytesMax, " allowed"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CommitLedger::Admit(PendingCommit* commit) {
  commit->start_ns = uv_hrtime();
  commit->write_count = commit->writes.size();
  absl::Status status;
  for (const StoreWrite& write : commit->writes) {
    status.Update(CheckSizes(write));
    commit->size += write.key.size() + (write.value ? write.value->size() : 0);
  }
  // One alone may have any size: it is in memory already.
  if (status.ok() && stats_.pending_count != 0 &&
      stats_.pending_size + commit->size > kStorePendingBytesMax) {
    status = absl::ResourceExhaustedError(absl::StrCat(
        "the disk does not keep up: ", stats_.pending_size,
        " bytes wait to be written; ", commit->size, " more would exceed the ",
        kStorePendingBytesMax, " allowed"));
  }
  ++stats_.pending_count;
  stats_.pending_size += commit->size;
  return status;
}

void CommitLedger::Finish(const std::vector<PendingCommit>& group,
                          const absl::Status& status) {
  const uint64_t now_ns = uv_hrtime();
  for (const PendingCommit& commit : group) {
    if (closed_) return;
    Count(commit, status.ok(), now_ns);
    commit.done(status);
  }
}

void CommitLedger::Count(const PendingCommit& commit, bool is_ok,
                         uint64_t now_ns) {
  --stats_.pending_count;
  stats_.pending_size -= commit.size;
  if (!is_ok) {
    ++stats_.failed_count;
    return;
  }
  ++stats_.commit_count;
  stats_.write_count += commit.write_count;
  const uint64_t took_us = (now_ns - commit.start_ns) / 1000;
  stats_.latency_sum_us += took_us;
  stats_.latency_max_us = std::max(stats_.latency_max_us, took_us);
}

}  // namespace dnsd
