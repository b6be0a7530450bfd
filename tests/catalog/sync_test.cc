#include "catalog/sync.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/testing/catalog_maker.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::MakeInstance;
using testing::MakeNode;

const NodeKey kNode = {"dc1", "n1"};

// Emits what the test tells it to.
class FakeSource : public Source {
 public:
  explicit FakeSource(ChangeBatch first) : first_(std::move(first)) {}

  void Start(Sink sink) override {
    sink_ = std::move(sink);
    if (!first_.changes.empty()) sink_(first_);
  }
  void Stop() override {
    sink_ = nullptr;
    ++stop_count_;
    stop_thread_ = std::this_thread::get_id();
  }
  void Emit(const BatchMaker& batch) {
    if (sink_) sink_(batch.batch());
  }
  absl::Status Verify() override { return verdict_; }
  void set_verdict(absl::Status verdict) { verdict_ = std::move(verdict); }
  [[nodiscard]] int stop_count() const { return stop_count_; }
  [[nodiscard]] std::thread::id stop_thread() const { return stop_thread_; }

 private:
  ChangeBatch first_;
  absl::Status verdict_;
  Sink sink_;
  int stop_count_ = 0;
  std::thread::id stop_thread_;
};

// Records publications; written on the sync thread, read after RunAndWait()
// or Stop().
struct Publications {
  std::vector<size_t> instance_counts;
  std::vector<Dirty> dirty;
  std::vector<std::thread::id> threads;

  CatalogSync::PublishHook Hook() {
    return [this](const State& state, const Dirty& d) {
      instance_counts.push_back(state.instance_count());
      dirty.push_back(d);
      threads.push_back(std::this_thread::get_id());
    };
  }
};

BatchMaker First() {
  BatchMaker batch;
  batch.Put(MakeNode("n1", "10.0.0.1")).Put(kNode, MakeInstance("w", "web"));
  return batch;
}

BatchMaker Add(const std::string& id) {
  BatchMaker batch;
  batch.Put(kNode, MakeInstance(id, "web"));
  return batch;
}

TEST(CatalogSync, DiesWithoutHavingStarted) {
  Publications publications;
  CatalogSync sync(publications.Hook());
  sync.AddSource(std::make_unique<FakeSource>(First().batch()));
}

TEST(CatalogSync, StartPublishesTheFirstStateOnce) {
  Publications publications;
  CatalogSync sync(publications.Hook());
  sync.AddSource(std::make_unique<FakeSource>(First().batch()));
  sync.AddSource(std::make_unique<FakeSource>(ChangeBatch()));
  ASSERT_EQ(sync.Start(), absl::OkStatus());
  sync.Stop();
  ASSERT_EQ(publications.instance_counts, std::vector<size_t>{1});
  EXPECT_TRUE(publications.dirty[0].empty());  // all is new
}

TEST(CatalogSync, DoesNotStartWhereASourceCannotBeReliedOn) {
  Publications publications;
  CatalogSync sync(publications.Hook());
  auto* const good = static_cast<FakeSource*>(
      sync.AddSource(std::make_unique<FakeSource>(First().batch())));
  auto* const bad = static_cast<FakeSource*>(
      sync.AddSource(std::make_unique<FakeSource>(ChangeBatch())));
  bad->set_verdict(absl::DataLossError("a page is missing"));
  EXPECT_EQ(sync.Start(), absl::DataLossError("a page is missing"));
  for (const FakeSource* source : {good, bad}) {
    EXPECT_EQ(source->stop_count(), 1);
    EXPECT_EQ(source->stop_thread(), std::this_thread::get_id());
  }
  sync.Stop();  // nothing runs
  EXPECT_EQ(good->stop_count(), 1);
}

TEST(CatalogSync, PublishesEvenAnEmptyFirstState) {
  Publications publications;
  CatalogSync sync(publications.Hook());
  ASSERT_EQ(sync.Start(), absl::OkStatus());
  sync.Stop();
  EXPECT_EQ(publications.instance_counts, std::vector<size_t>{0});
}

TEST(CatalogSync, PublishesAChangeOnItsThread) {
  std::promise<void> published;
  int count = 0;
  std::thread::id thread;
  CatalogSync sync([&](const State& state, const Dirty&) {
    ++count;
    if (state.instance_count() != 2) return;
    thread = std::this_thread::get_id();
    published.set_value();
  });
  auto* source = static_cast<FakeSource*>(
      sync.AddSource(std::make_unique<FakeSource>(First().batch())));
  ASSERT_EQ(sync.Start(), absl::OkStatus());
  std::thread::id sync_thread;
  sync.RunAndWait([&] {
    sync_thread = std::this_thread::get_id();
    source->Emit(Add("w2"));
  });
  // At once or after the interval; without a request for it.
  published.get_future().wait();
  sync.Stop();
  EXPECT_EQ(thread, sync_thread);
  EXPECT_NE(thread, std::this_thread::get_id());
  EXPECT_EQ(count, 2);
}

TEST(CatalogSync, ABurstBecomesFewPublicationsAndLosesNothing) {
  constexpr int kBursts = 100;
  Publications publications;
  std::promise<void> all;
  CatalogSync sync([&](const State& state, const Dirty& dirty) {
    publications.Hook()(state, dirty);
    if (state.instance_count() == kBursts + 1) all.set_value();
  });
  auto* source = static_cast<FakeSource*>(
      sync.AddSource(std::make_unique<FakeSource>(First().batch())));
  ASSERT_EQ(sync.Start(), absl::OkStatus());
  sync.RunAndWait([&] {
    // One turn of the loop: its clock stands still, so at most the first one
    // is published at once and the others gather.
    for (int i = 0; i < kBursts; ++i) source->Emit(Add(std::to_string(i)));
  });
  all.get_future().wait();
  sync.Stop();
  EXPECT_LE(publications.instance_counts.size(), 3u);
  EXPECT_EQ(publications.instance_counts.back(), kBursts + 1u);
}

TEST(CatalogSync, SayingTheSameAgainPublishesNothing) {
  Publications publications;
  CatalogSync sync(publications.Hook());
  auto* source = static_cast<FakeSource*>(
      sync.AddSource(std::make_unique<FakeSource>(First().batch())));
  ASSERT_EQ(sync.Start(), absl::OkStatus());
  sync.RunAndWait([&] { source->Emit(First()); });
  sync.Stop();
  EXPECT_EQ(publications.instance_counts.size(), 1u);
}

TEST(CatalogSync, PublishNowPublishesWhatGatheredAndNotTwice) {
  Publications publications;
  CatalogSync sync(publications.Hook());
  auto* source = static_cast<FakeSource*>(
      sync.AddSource(std::make_unique<FakeSource>(First().batch())));
  ASSERT_EQ(sync.Start(), absl::OkStatus());
  size_t count_after = 0;
  sync.RunAndWait([&] {
    sync.PublishNow();  // nothing dirty: published all the same
    source->Emit(Add("w2"));
    source->Emit(Add("w3"));
    sync.PublishNow();
    count_after = publications.instance_counts.size();
    EXPECT_EQ(sync.state().instance_count(), 3u);
  });
  EXPECT_GE(count_after, 3u);
  sync.Stop();
  EXPECT_EQ(publications.instance_counts.size(), count_after)
      << "the coalescing timer has nothing left";
  EXPECT_TRUE(publications.dirty[1].empty());
  EXPECT_EQ(publications.instance_counts.back(), 3u);
}

TEST(CatalogSync, ABadChangeDoesNotStopTheOthers) {
  Publications publications;
  CatalogSync sync(publications.Hook());
  BatchMaker batch = First();
  batch.Put({"dc1", "ghost"}, MakeInstance("x", "web"));
  sync.AddSource(std::make_unique<FakeSource>(batch.batch()));
  ASSERT_EQ(sync.Start(), absl::OkStatus());
  sync.Stop();
  EXPECT_EQ(publications.instance_counts, std::vector<size_t>{1});
}

TEST(CatalogSync, StopStopsTheSourcesOnTheSyncThreadOnce) {
  Publications publications;
  CatalogSync sync(publications.Hook());
  auto* source = static_cast<FakeSource*>(
      sync.AddSource(std::make_unique<FakeSource>(First().batch())));
  ASSERT_EQ(sync.Start(), absl::OkStatus());
  std::thread::id sync_thread;
  sync.RunAndWait([&] { sync_thread = std::this_thread::get_id(); });
  sync.Stop();
  sync.Stop();
  EXPECT_EQ(source->stop_count(), 1);
  EXPECT_EQ(source->stop_thread(), sync_thread);
}

TEST(CatalogSync, TheDestructorStops) {
  Publications publications;
  {
    CatalogSync sync(publications.Hook());
    sync.AddSource(std::make_unique<FakeSource>(First().batch()));
    ASSERT_EQ(sync.Start(), absl::OkStatus());
  }
  EXPECT_EQ(publications.instance_counts.size(), 1u);
}

}  // namespace
}  // namespace dnsd
