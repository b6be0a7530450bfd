#include "bench/udp_load.h"

#include <poll.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace dnsd::testing {
namespace {

// Open loop: enough for every question of the run to be lost.
size_t SlotsOf(const UdpLoadOptions& options) {
  if (options.per_second <= 0) return options.in_flight;
  const double questions =
      options.per_second *
      std::chrono::duration<double>(options.time_max).count();
  const auto each = static_cast<size_t>(
      std::ceil(questions / static_cast<double>(options.sockets)) + 1);
  return std::min(each, UdpAsker::kSlotsMax);
}

}  // namespace

UdpLoad::UdpLoad(UdpLoadOptions options) : options_(std::move(options)) {
  for (size_t i = 0; i < options_.sockets; ++i) {
    askers_.push_back(std::make_unique<UdpAsker>(
        options_.port, SlotsOf(options_), options_.segments));
  }
}

LoadResult UdpLoad::Run() {
  start_ = Clock::now();
  last_ = start_;
  end_ = start_ + options_.time_max;
  if (options_.per_second > 0) {
    RunOpen();
  } else {
    RunClosed();
  }
  result_.lost += Waiting();
  result_.seconds = std::chrono::duration<double>(last_ - start_).count();
  return std::move(result_);
}

size_t UdpLoad::Waiting() const {
  size_t waiting = 0;
  for (const auto& asker : askers_) waiting += asker->waiting();
  return waiting;
}

bool UdpLoad::MayAsk() const {
  return asked_ < options_.questions_max && Clock::now() < end_;
}

bool UdpLoad::Wait(Clock::time_point until) {
  if (options_.spins) return Clock::now() < until;
  std::vector<pollfd> polled;
  for (const auto& asker : askers_) polled.push_back({asker->fd(), POLLIN, 0});
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      until - Clock::now());
  return poll(polled.data(), polled.size(),
              static_cast<int>(std::max<int64_t>(left.count(), 0)) + 1) > 0;
}

void UdpLoad::RunClosed() {
  for (const auto& asker : askers_) Fill(asker.get());
  const Clock::time_point patience_end = end_ + options_.patience;
  while (Waiting() > 0 && Wait(patience_end)) {
    for (const auto& asker : askers_) {
      Drain(asker.get());
      Fill(asker.get());
    }
  }
}

void UdpLoad::RunOpen() {
  const Clock::time_point patience_end = end_ + options_.patience;
  for (Clock::time_point now = start_; now < patience_end; now = Clock::now()) {
    SendDue(std::min(now, end_));
    for (const auto& asker : askers_) Drain(asker.get());
    if (now >= end_ && Waiting() == 0) return;
  }
}

void UdpLoad::SendDue(Clock::time_point now) {
  const std::chrono::duration<double> step(1 / options_.per_second);
  const auto due =
      static_cast<size_t>(std::chrono::duration<double>(now - start_) / step);
  for (; asked_ < std::min(due, options_.questions_max); ++asked_) {
    UdpAsker& asker = *askers_[asked_ % askers_.size()];
    if (!asker.has_free()) {
      ++result_.lost;
      continue;
    }
    asker.Queue(options_.next_question,
                start_ + std::chrono::duration_cast<Clock::duration>(
                             step * static_cast<double>(asked_)));
    if (asker.is_full()) asker.Send();
  }
  for (const auto& asker : askers_) asker->Send();
}

void UdpLoad::Drain(UdpAsker* asker) {
  do {
    const std::span<const std::span<const uint8_t>> answers = asker->Receive();
    const Clock::time_point now = Clock::now();
    for (const std::span<const uint8_t> answer : answers) {
      const UdpAsker::Slot* slot = asker->WaitingFor(answer);
      if (slot == nullptr) continue;
      if (options_.is_right(slot->bytes(), answer)) {
        ++result_.right;
        result_.right_bytes += answer.size();
        result_.delays_ns.push_back(
            static_cast<uint32_t>((now - slot->sent).count()));
      } else {
        ++result_.wrong;
      }
      last_ = now;
      asker->Free(slot);
    }
  } while (asker->may_have_more());
}

void UdpLoad::Fill(UdpAsker* asker) {
  while (asker->has_free() && MayAsk()) {
    const Clock::time_point now = Clock::now();
    while (asker->has_free() && !asker->is_full() &&
           asked_ < options_.questions_max) {
      asker->Queue(options_.next_question, now);
      ++asked_;
    }
    asker->Send();
  }
}

}  // namespace dnsd::testing
