#include "catalog/consul/check_scan.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/base/pool_task.h"
#include "catalog/consul/consul_decode.h"

namespace dnsd {
namespace {

// From one scan to the next, and as many times what one takes.
constexpr uint64_t kPauseMsMin = 1'000;
constexpr uint64_t kPauses = 2;
constexpr int64_t kScanMs = 30'000;

}  // namespace

CheckScan::CheckScan(EventLoop* loop, ConsulClient* client,
                     std::string datacenter, const MirrorTable* table,
                     OnEnd on_end)
    : loop_(loop),
      client_(client),
      datacenter_(std::move(datacenter)),
      table_(table),
      on_end_(std::move(on_end)),
      timer_(loop, [this] { Ask(); }) {}

CheckScan::~CheckScan() {
  Stop();
  *alive_ = false;
}

void CheckScan::Want() {
  wanted_ = true;
  if (active_ || timer_.active()) return;
  const uint64_t due_ms =
      began_ms_ == 0 ? 0
                     : began_ms_ + std::max(kPauseMsMin, kPauses * took_ms_);
  const uint64_t now_ms = uv_now(loop_->uv());
  if (now_ms >= due_ms) return Ask();
  timer_.Start(due_ms - now_ms);
}

void CheckScan::Stop() {
  if (asked_ != 0) client_->Cancel(asked_);
  asked_ = 0;
  ++scan_;
  active_ = wanted_ = false;
  timer_.Stop();
}

void CheckScan::Ask() {
  active_ = true;
  wanted_ = false;
  began_ms_ = uv_now(loop_->uv());
  ConsulGet get;
  get.path = "/v1/health/state/any";
  get.datacenter = datacenter_;
  get.total_ms = kScanMs;
  asked_ = client_->Get(
      get, [this](ConsulReply reply) { OnReply(std::move(reply)); });
}

void CheckScan::OnReply(ConsulReply reply) {
  asked_ = 0;
  struct Work {
    std::string body;
    absl::StatusOr<std::vector<CheckReport>> checks =
        absl::UnknownError("not decoded");
  };
  auto work = std::make_shared<Work>();
  const bool is_ok = reply.status.ok();
  work->body = std::move(reply.body);
  const uint64_t index = reply.index;
  RunOnPool(
      loop_,
      [work, is_ok] {
        if (is_ok) work->checks = DecodeChecks(&work->body);
      },
      [this, work, index, alive = alive_, scan = scan_] {
        if (!*alive || scan != scan_) return;
        took_ms_ = uv_now(loop_->uv()) - began_ms_;
        active_ = false;
        if (wanted_) Want();
        std::set<std::string> found;
        if (work->checks.ok()) {
          found = table_->FindChanged(index, *work->checks);
        }
        if (found.size() > kFoundMax) found.clear();
        on_end_(found);  // last: it may stop us
      });
}

}  // namespace dnsd
