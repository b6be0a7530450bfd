// AskedRings takes what clients asked for from the workers to the sync thread:
// a ring for each worker, and a signal for what a query waits for.
//
// Threads:   WakeUp() any; everything else on the sync thread, or before it and
//            the workers run. To be destroyed when no worker runs.
// Ownership: owns the rings; outlives the workers.
// Cost:      TakeAll() is a load for each worker when there is nothing.
#ifndef DNSD_DNSD_ASKED_RINGS_H_
#define DNSD_DNSD_ASKED_RINGS_H_

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "catalog/base/event_loop.h"
#include "dnsd/serve/asked_names.h"

namespace dnsd {

class AskedRings {
 public:
  // `on_signal` is called after WakeUp(), and is to call TakeAll().
  AskedRings(EventLoop* loop, std::function<void()> on_signal)
      : signal_(loop, std::move(on_signal)) {}

  // A ring for one more worker.
  [[nodiscard]] AskedNames* Add() {
    rings_.push_back(std::make_unique<AskedNames>());
    return rings_.back().get();
  }
  void WakeUp() { signal_.Send(); }

  // Calls `take` for all there is, though no longer than a ring is: workers go
  // on while it is read.
  template <typename Take>
  void TakeAll(Take take) {
    AskedName asked;
    for (const auto& ring : rings_) {
      for (size_t i = 0; i < kAskedNamesMax && ring->Pop(&asked); ++i) {
        take(asked);
      }
    }
  }

 private:
  std::vector<std::unique_ptr<AskedNames>> rings_;
  Signal signal_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_ASKED_RINGS_H_
