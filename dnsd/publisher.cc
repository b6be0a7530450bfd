#include "dnsd/publisher.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace dnsd {

Publisher::Publisher(uint64_t seed)
    : published_(&qsbr_), builder_(seed, &qsbr_) {}

Publisher::~Publisher() { builder_.FinishLine(); }

void Publisher::Publish(const State& state, const Dirty& dirty) {
  // The SOA serial of kRfc: grows with every change and across restarts.
  auto now = std::chrono::system_clock::now().time_since_epoch();
  auto seconds = static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(now).count());
  serial_ = std::max(serial_ + 1, seconds);
  published_.Exchange(builder_.Build(state, dirty, serial_));
  qsbr_.Reclaim();
  ++publish_count_;
}

}  // namespace dnsd
