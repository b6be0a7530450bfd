#include "catalog/consul/delta_watch.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "catalog/consul/consul_decode.h"

namespace dnsd {
namespace {

constexpr int64_t kSpacingMs = 100;
constexpr int kBurst = 20;

}  // namespace

DeltaWatch::DeltaWatch(EventLoop* loop, ConsulClient* client,
                       std::string datacenter, int64_t wait_ms,
                       MirrorTable* table, Events events)
    : loop_(loop),
      client_(client),
      datacenter_(std::move(datacenter)),
      wait_ms_(wait_ms),
      table_(table),
      events_(std::move(events)) {}

void DeltaWatch::Start(uint64_t index, const std::string& run) {
  run_ = run;
  index_ = index;
  query_ = std::make_unique<BlockingQuery>(
      loop_, client_,
      BlockingQuery::Options{
          .path = kPath,
          .datacenter = datacenter_,
          .wait_ms = wait_ms_,
          .spacing_ms = kSpacingMs,
          .burst = kBurst,
          .parameters = absl::StrCat(kParameters, "&run=", EscapeSegment(run))},
      BlockingQuery::Events{
          [this](ConsulReply* reply) { return OnAnswer(reply); },
          [this] { Anew(); },
          [this](const ConsulReply& reply) { OnError(reply); },
          events_.on_woken});
  query_->Start(index);
}

void DeltaWatch::Stop() {
  if (query_ != nullptr) query_->Stop();
}

absl::Status DeltaWatch::OnAnswer(ConsulReply* reply) {
  const absl::StatusOr<DeltaReport> delta =
      DecodeDelta(&reply->body, datacenter_);
  if (!delta.ok()) return delta.status();
  if (delta->index != reply->index) {
    return absl::InvalidArgumentError(
        absl::StrCat("health/services: the Index is ", delta->index,
                     ", X-Consul-Index ", reply->index));
  }
  if (delta->full || delta->run != run_) {
    Anew();
    return absl::OkStatus();
  }
  index_ = delta->index;
  ++answer_count_;
  Changes changes;
  table_->ApplyDelta(*delta, &changes);
  if (!changes.empty()) events_.on_changes(std::move(changes));
  return absl::OkStatus();
}

void DeltaWatch::OnError(const ConsulReply& reply) {
  Stop();
  events_.on_error(reply);
}

void DeltaWatch::Anew() {
  Stop();
  events_.on_anew();
}

}  // namespace dnsd
