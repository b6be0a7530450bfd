#include "catalog/qsbr.h"

#include <utility>

#include "catalog/base/check.h"
#include "catalog/base/monotonic_time.h"

namespace dnsd {

Qsbr::~Qsbr() {
  Reclaim();
  DNSD_CHECK(waiting_ == 0);
}

Qsbr::Reader Qsbr::Register() {
  DNSD_CHECK(reader_count_ < kReadersMax);
  Reader reader;
  reader.slot_ = &slots_[reader_count_++].seen;
  reader.epoch_ = &epoch_;
  return reader;
}

size_t Qsbr::Reclaim() {
  if (!pending_.empty()) {
    uint64_t epoch = epoch_.fetch_add(1, std::memory_order_seq_cst) + 1;
    waiting_ += pending_.size();
    batches_.push_back({epoch, MonotonicNs(), std::move(pending_)});
    pending_.clear();
  }
  if (batches_.empty()) return 0;
  // Every reader that is online has seen at least this epoch.
  uint64_t oldest = batches_.back().epoch;
  for (size_t i = 0; i < reader_count_; ++i) {
    uint64_t seen = slots_[i].seen.load(std::memory_order_seq_cst);
    if (seen != 0 && seen < oldest) oldest = seen;
  }
  size_t done = 0;
  const uint64_t now_ns = MonotonicNs();
  while (done < batches_.size() && batches_[done].epoch <= oldest) {
    for (const Retired& retired : batches_[done].objects) {
      retired.free(retired.object);
    }
    waiting_ -= batches_[done].objects.size();
    ++grace_.count;
    grace_.sum_ns += now_ns - batches_[done].retired_ns;
    ++done;
  }
  batches_.erase(batches_.begin(),
                 batches_.begin() + static_cast<std::ptrdiff_t>(done));
  return waiting_;
}

uint64_t Qsbr::oldest_wait_ns() const {
  return batches_.empty() ? 0 : MonotonicNs() - batches_.front().retired_ns;
}

}  // namespace dnsd
