// CatalogSync is the catalog-sync thread: its event loop, the State, and the
// sources that feed it. Whatever changes the catalog runs here, so the control
// plane needs no locks.
//
// Threads:   AddSource() and Start() on the owner's thread; Stop() too. All
//            callbacks, sources and State are on the sync thread.
// Ownership: owns the thread, the loop, the state and the sources.
// Cost:      a change is published at once when the last publication is
//            kPublishIntervalMs ago or more; under load, changes gather for
//            the rest of that time, so publishing never falls behind. What
//            somebody waits for is published in the loop's next turn, with
//            all that came in this one.
#ifndef DNSD_CATALOG_SYNC_H_
#define DNSD_CATALOG_SYNC_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "catalog/base/event_loop.h"
#include "catalog/source.h"
#include "catalog/state.h"

namespace dnsd {

class CatalogSync {
 public:
  // Makes the new state visible to readers. Called on the sync thread, once
  // by Start() for the first state, even an empty one: of that all is new,
  // and nothing said to be dirty.
  using PublishHook = std::function<void(const State&, const Dirty&)>;

  static constexpr uint64_t kPublishIntervalMs = 2;

  explicit CatalogSync(PublishHook publish);
  ~CatalogSync();  // Stop() if still running
  CatalogSync(const CatalogSync&) = delete;
  CatalogSync& operator=(const CatalogSync&) = delete;

  // Takes what sources say, before Start(), too.
  [[nodiscard]] Source::Sink MakeSink();

  // Before Start(). Returns the source, which the sync keeps.
  Source* AddSource(std::unique_ptr<Source> source);

  // Starts the sources, publishes what they know at once, then runs the
  // thread. When it returns, the first state has been published; with an
  // error of Source::Verify() that state is not to be used, the sources are
  // stopped and no thread runs.
  [[nodiscard]] absl::Status Start();

  // Stops the sources, ends the loop and joins the thread.
  void Stop();

  [[nodiscard]] EventLoop* loop() { return &loop_; }

  // Publishes now, even when nothing is dirty. On the sync thread: read your
  // own writes, or make a change of policy visible.
  void PublishNow();

  // Calls `told`, on the sync thread, once all that was applied so far is
  // published: at once if it is. Sync thread only.
  void WhenPublished(std::function<void()> told);

  // Runs `task` on the sync thread and waits until it is done. Not from the
  // sync thread itself.
  void RunAndWait(const std::function<void()>& task);

  // Sync thread only.
  [[nodiscard]] const State& state() const { return state_; }
  // When the oldest change that is not published was applied, in nanoseconds
  // of CLOCK_MONOTONIC; 0: there is none, or nothing is published yet. The
  // publish hook sees that of what it publishes.
  [[nodiscard]] uint64_t changed_since_ns() const { return changed_since_ns_; }

 private:
  void OnBatch(ChangeBatch batch);
  [[nodiscard]] bool HasNews() const;

  PublishHook publish_;
  EventLoop loop_;
  std::unique_ptr<Timer> coalesce_;
  std::unique_ptr<Timer> give_back_;
  State state_;
  Dirty dirty_;
  std::vector<std::function<void()>> waiting_;  // for the next publication
  bool started_ = false;
  uint64_t last_publish_ms_ = 0;
  uint64_t changed_since_ns_ = 0;
  std::vector<std::unique_ptr<Source>> sources_;
  std::thread thread_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_SYNC_H_
