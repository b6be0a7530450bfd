#include "catalog/sync.h"

#include <malloc.h>
#include <pthread.h>

#include <cstddef>
#include <future>
#include <utility>

#include "catalog/base/log.h"
#include "catalog/base/monotonic_time.h"
#include "catalog/base/thread.h"

namespace dnsd {
namespace {

// To compile so many names takes memory that is worth giving back, when there
// was no such publication for a while.
constexpr size_t kManyNames = 10'000;
constexpr uint64_t kGiveBackMs = 10'000;

// What was freed, as far as it is whole pages: malloc keeps it else.
void GiveMemoryBack() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

}  // namespace

CatalogSync::CatalogSync(PublishHook publish)
    : publish_(std::move(publish)),
      coalesce_(std::make_unique<Timer>(&loop_, [this] { PublishNow(); })),
      give_back_(std::make_unique<Timer>(&loop_, [] { GiveMemoryBack(); })) {}

CatalogSync::~CatalogSync() { Stop(); }

Source* CatalogSync::AddSource(std::unique_ptr<Source> source) {
  sources_.push_back(std::move(source));
  return sources_.back().get();
}

Source::Sink CatalogSync::MakeSink() {
  return [this](ChangeBatch batch) { OnBatch(std::move(batch)); };
}

absl::Status CatalogSync::Start() {
  for (const auto& source : sources_) {
    source->Start(MakeSink());
  }
  // Nobody knows what changed before.
  state_.RaiseIndex(state_.index());
  for (const auto& source : sources_) state_.RaiseIndex(source->first_index());
  started_ = true;
  PublishNow();
  // Late, for to verify much takes as long as to compile it.
  absl::Status status;
  for (const auto& source : sources_) status.Update(source->Verify());
  if (!status.ok()) {
    for (const auto& source : sources_) source->Stop();
    return status;
  }
  GiveMemoryBack();
  thread_ = StartThread([this] {
    pthread_setname_np(pthread_self(), "catalog-sync");
    loop_.Run();
  });
  return absl::OkStatus();
}

void CatalogSync::Stop() {
  if (!thread_.joinable()) return;
  RunAndWait([this] {
    for (const auto& source : sources_) source->Stop();
    coalesce_->Stop();
    give_back_->Stop();
  });
  loop_.Stop();
  thread_.join();
}

void CatalogSync::RunAndWait(const std::function<void()>& task) {
  std::promise<void> done;
  std::future<void> finished = done.get_future();
  loop_.Post([&task, &done] {
    task();
    done.set_value();
  });
  finished.wait();
}

void CatalogSync::OnBatch(ChangeBatch batch) {
  const SourceId source = batch.source;
  // Before the start nobody watches, and all is compiled.
  absl::Status status =
      state_.Apply(std::move(batch), started_ ? &dirty_ : nullptr);
  if (!status.ok()) {
    LogWarn("catalog", "Change skipped",
            {{"source", source}, {"error", status.ToString()}});
  }
  if (HasNews() && changed_since_ns_ == 0) changed_since_ns_ = MonotonicNs();
  if (!started_ || !HasNews() || coalesce_->active()) return;
  uint64_t now_ms = uv_now(loop_.uv());
  uint64_t age_ms = now_ms - last_publish_ms_;
  if (age_ms >= kPublishIntervalMs) {
    PublishNow();
  } else {
    coalesce_->Start(kPublishIntervalMs - age_ms);
  }
}

bool CatalogSync::HasNews() const {
  return !dirty_.empty() || !dirty_.watched.empty();
}

void CatalogSync::WhenPublished(std::function<void()> told) {
  if (!HasNews()) return told();
  waiting_.push_back(std::move(told));
  coalesce_->Start(0);
}

void CatalogSync::PublishNow() {
  coalesce_->Stop();
  Dirty dirty = std::exchange(dirty_, {});
  publish_(state_, dirty);
  if (dirty.services.size() + dirty.nodes.size() > kManyNames) {
    give_back_->Start(kGiveBackMs);
  }
  changed_since_ns_ = 0;
  for (const auto& told : std::exchange(waiting_, {})) told();
  uv_update_time(loop_.uv());
  last_publish_ms_ = uv_now(loop_.uv());
}

}  // namespace dnsd
