#include "catalog/consul/blocking_query.h"

#include <algorithm>
#include <utility>

namespace dnsd {

BlockingQuery::BlockingQuery(EventLoop* loop, ConsulClient* client,
                             Options options, Events events)
    : loop_(loop),
      client_(client),
      options_(std::move(options)),
      events_(std::move(events)),
      again_(loop, [this] { Ask(); }),
      burst_left_(options_.burst) {}

BlockingQuery::~BlockingQuery() { Stop(); }

void BlockingQuery::Start(uint64_t index) {
  running_ = true;
  failure_count_ = 0;
  again_.Stop();
  if (asked_ != 0 && index_ <= index) return;
  Stop();
  running_ = true;
  index_ = index;
  is_own_index_ = false;
  anew_ = false;
  Ask();
}

void BlockingQuery::Pause() {
  running_ = false;
  again_.Stop();
}

void BlockingQuery::Stop() {
  Pause();
  if (asked_ != 0) client_->Cancel(asked_);
  asked_ = 0;
}

void BlockingQuery::Ask() {
  ConsulGet get;
  get.path = options_.path;
  get.datacenter = options_.datacenter;
  get.parameters = options_.parameters;
  if (options_.next_filter != nullptr) get.filter = options_.next_filter();
  if (std::exchange(anew_, false)) index_ = 0;
  get.index = index_;
  get.wait_ms = options_.wait_ms;
  asked_ms_ = uv_now(loop_->uv());
  asked_ = client_->Get(
      get, [this](ConsulReply reply) { OnReply(std::move(reply)); });
}

void BlockingQuery::OnReply(ConsulReply reply) {
  asked_ = 0;
  if (!running_) return;  // paused: the next Start() asks anew
  if (!reply.status.ok()) return Fail(reply);
  const bool has_index = reply.index != 0;
  if (has_index && is_own_index_ && reply.index < index_) {
    running_ = false;
    return events_.on_regress();
  }
  // An answer without an index cannot be waited for: it is asked for now and
  // then, as often as news may come.
  const uint64_t index = std::max<uint64_t>(reply.index, 1);
  const bool is_news = index > index_ || !has_index;
  if (is_news) {
    const absl::Status understood = events_.on_change(&reply);
    if (!understood.ok()) {
      if (!running_) return;
      ConsulReply broken;
      broken.status = understood;
      broken.http_status = reply.http_status;
      index_ = 0;
      return Fail(broken);
    }
  }
  const bool was_asked_to_wait = index_ != 0;
  failure_count_ = 0;
  index_ = index;
  is_own_index_ = true;
  if (!running_) return;
  // Waits are cut by their eighth at most.
  const uint64_t waited_ms = uv_now(loop_->uv()) - asked_ms_;
  if (!is_news && was_asked_to_wait && events_.on_woken != nullptr &&
      waited_ms < static_cast<uint64_t>(options_.wait_ms) / 2) {
    const int64_t rest_ms = std::max(Rest(), Spacing());
    again_.Start(static_cast<uint64_t>(client_->Jitter(rest_ms)));
    return events_.on_woken();  // last: it may stop us
  }
  const int64_t pause_ms = Spacing();
  if (pause_ms == 0) return Ask();
  again_.Start(static_cast<uint64_t>(pause_ms));
}

void BlockingQuery::Fail(const ConsulReply& reply) {
  const int64_t backoff_ms =
      std::min(kRetryMsMax, kRetryMsMin << std::min(failure_count_, 10));
  ++failure_count_;
  again_.Start(static_cast<uint64_t>(client_->Jitter(backoff_ms)));
  events_.on_error(reply);  // last: it may stop us
}

int64_t BlockingQuery::Rest() {
  const uint64_t now_ms = uv_now(loop_->uv());
  const double earned = static_cast<double>(now_ms - last_woken_ms_) / kWokenMs;
  last_woken_ms_ = now_ms;
  woken_left_ = std::min<double>(kWokenBurst, woken_left_ + earned);
  if (woken_left_ < 1.0) return kWokenMs;
  woken_left_ -= 1.0;
  return 0;
}

int64_t BlockingQuery::Spacing() {
  const uint64_t now_ms = uv_now(loop_->uv());
  const auto passed = static_cast<double>(now_ms - last_return_ms_);
  last_return_ms_ = now_ms;
  const double earned = passed / static_cast<double>(options_.spacing_ms);
  burst_left_ = std::min<double>(options_.burst, burst_left_ + earned) - 1.0;
  if (burst_left_ >= 0.0) return 0;
  // Until what is missing is earned.
  return static_cast<int64_t>(-burst_left_ *
                              static_cast<double>(options_.spacing_ms));
}

}  // namespace dnsd
