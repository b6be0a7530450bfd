#include "dnsd/publisher.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace dnsd {

Publisher::Publisher(uint64_t seed)
    : published_(&qsbr_), builder_(seed, &qsbr_) {}

Publisher::~Publisher() { builder_.FinishLine(); }

void Publisher::Publish(const State& state, const Dirty& dirty,
                        uint64_t changed_since_ns) {
  std::unique_ptr<View> next = builder_.Build(state, dirty, serial_);
  // The SOA serial grows with every change of the zone, and across restarts:
  // it is the time, or one more than before where the clock is slower.
  auto now = std::chrono::system_clock::now().time_since_epoch();
  auto seconds = static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now).count());
  if (publish_count_ == 0 || next->content != content_) {
    serial_ = std::max(serial_ + 1, seconds);
    content_ = next->content;
  }
  next->serial = serial_;
  published_.Exchange(std::move(next));
  if (changed_since_ns != 0) delay_.Add(MonotonicNs() - changed_since_ns);
  qsbr_.Reclaim();
  ++publish_count_;
}

}  // namespace dnsd
