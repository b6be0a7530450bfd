#include "catalog/consul/datacenter_mirror.h"

#include <algorithm>
#include <utility>

#include "catalog/base/log.h"
#include "catalog/base/unix_time.h"

namespace dnsd {
namespace {

constexpr int64_t kBeatMs = 2'000;
constexpr int64_t kBeatTimeoutMs = 4'000;
constexpr int64_t kBeatRetryMsMin = 250;
constexpr int64_t kBeatRetryMsMax = 5'000;
constexpr int64_t kLoadRetryMsMax = 30'000;
constexpr int64_t kTickMs = 500;
// When the poll for what changed went on for so long, its end is the first.
constexpr int64_t kDeltaSteadyMs = 60'000;
constexpr int kDeltaEndsMax = 3;
// To find what no watch told.
constexpr int64_t kAuditMs = 600'000;
constexpr int64_t kSweepRetryMs = 2'500;
constexpr int64_t kHeldRetryMs = 5'000;
// Between two loads because polls were woken; twice as long each time, while
// it was for nothing.
constexpr int64_t kWokenGapMsMin = 2'000;

int64_t NowMs(EventLoop* loop) {
  return static_cast<int64_t>(uv_now(loop->uv()));
}

int64_t Backoff(int64_t min_ms, int64_t max_ms, int failures) {
  return std::min(max_ms, min_ms << std::clamp(failures - 1, 0, 16));
}

}  // namespace

DatacenterMirror::DatacenterMirror(EventLoop* loop, ConsulClient* client,
                                   const ConsulOptions& options,
                                   std::string datacenter, Events events)
    : loop_(loop),
      client_(client),
      options_(options),
      datacenter_(std::move(datacenter)),
      events_(std::move(events)),
      table_(datacenter_),
      loader_(loop, client, datacenter_),
      guard_(options.hold_ms),
      watches_(
          loop, client, datacenter_, options.wait_ms, &table_,
          {[this](Changes changes) { Emit(std::move(changes)); },
           [this] { OnRegress(); },
           [this](const ConsulReply& reply) { OnWatchError(reply); },
           [this](uint64_t index) { Sweep(index); }, [this] { OnWoken(); }}),
      lists_(loop, client, datacenter_, options.wait_ms, &table_,
             {[this](Changes changes) { Emit(std::move(changes)); },
              [this] { OnRegress(); },
              [this](const ConsulReply& reply) { OnWatchError(reply); }}),
      delta_(loop, client, datacenter_, options.wait_ms, &table_,
             {[this](Changes changes) { Emit(std::move(changes)); },
              [this] { OnDeltaAnew(); },
              [this](const ConsulReply& reply) { OnDeltaError(reply); },
              [this] { OnWoken(); }}),
      beat_timer_(loop, [this] { Beat(); }),
      load_timer_(loop, [this] { Load(); }),
      sweep_timer_(loop, [this] { Sweep(0); }),
      woken_timer_(loop, [this] { OnWoken(); }),
      tick_(loop, [this] { OnTick(); }) {}

DatacenterMirror::~DatacenterMirror() { Stop(); }

void DatacenterMirror::Restore(const MirrorImage& image) {
  Changes changes;
  table_.ApplyAll(0, image.nodes, /*reset=*/true, &changes);
  for (const auto& [name, services] : image.gateways) {
    table_.ApplyGateway(name, services, &changes);
  }
  table_.ApplyQueries(image.queries, &changes);
  is_known_ = true;
  true_at_ms_ = NowMs(loop_) - std::max<int64_t>(UnixMs() - image.saved_unix_ms,
                                                 options_.stale_after_ms + 1);
  state_ = MirrorState::kStale;
  events_.on_changes(std::move(changes));
}

void DatacenterMirror::Start() {
  phase_ = Phase::kLost;
  tick_.Start(kTickMs, kTickMs);
  // The first load is the first heartbeat.
  Load();
}

void DatacenterMirror::Stop() {
  StopRequests();
  phase_ = Phase::kStopped;
  for (Timer* timer :
       {&beat_timer_, &load_timer_, &sweep_timer_, &woken_timer_, &tick_}) {
    timer->Stop();
  }
  if (beat_ != 0) client_->Cancel(beat_);
  beat_ = 0;
}

void DatacenterMirror::SetWatchBudget(size_t watches_max) {
  watches_max_ = watches_max;
  OnTick();
}

void DatacenterMirror::OnTick() {
  const size_t others = lists_.watch_count_max();
  watches_.SetBudget(watches_max_ > others ? watches_max_ - others : 0);
  UpdateState();
}

void DatacenterMirror::Beat() {
  if (beat_ != 0) return;
  beat_timer_.Stop();
  ConsulGet get;
  get.path = "/v1/health/service/consul";
  get.datacenter = datacenter_;
  get.total_ms = kBeatTimeoutMs;
  beat_ = client_->Get(get,
                       [this](ConsulReply reply) { OnBeat(std::move(reply)); });
}

void DatacenterMirror::OnBeat(ConsulReply reply) {
  beat_ = 0;
  if (!reply.status.ok()) return OnBadBeat(reply);
  beat_failures_ = 0;
  beat_timer_.Start(static_cast<uint64_t>(client_->Jitter(kBeatMs)));
  const bool went_back = reply.index != 0 && reply.index < beat_index_;
  const bool leader_came_back = reply.has_leader && !had_leader_;
  beat_index_ = reply.index;
  had_leader_ = reply.has_leader;
  if (!reply.has_leader) last_error_ = "Consul has no leader";
  if (phase_ == Phase::kWatching && reply.has_leader) {
    true_at_ms_ = NowMs(loop_) - reply.last_contact_ms;
  }
  if (phase_ == Phase::kLost ||
      (phase_ == Phase::kWatching && (went_back || leader_came_back))) {
    went_back ? OnRegress() : Load();
  }
  UpdateState();
}

void DatacenterMirror::OnBadBeat(const ConsulReply& reply) {
  ++beat_failures_;
  last_error_ = std::string(reply.status.message());
  beat_timer_.Start(static_cast<uint64_t>(client_->Jitter(
      Backoff(kBeatRetryMsMin, kBeatRetryMsMax, beat_failures_))));
  // The first may meet a connection that is closed, or Consul's restart.
  if (beat_failures_ > 1) {
    Lose(last_error_);
    if (reply.http_status == 0) events_.on_no_answer();
  } else if (!absl::IsDeadlineExceeded(reply.status)) {
    Doubt();
  }
  UpdateState();
}

void DatacenterMirror::OnWatchError(const ConsulReply& reply) {
  last_error_ = std::string(reply.status.message());
  // A connection that breaks may be Consul's end: look now. If it is not, what
  // this watch would have told is found otherwise.
  if (reply.http_status == 0 && phase_ != Phase::kLost) Beat();
  Sweep(0);
}

// What did not come may have been another run's, so nothing is as of any index
// any more. The heartbeat tells when to load.
void DatacenterMirror::OnDeltaError(const ConsulReply& reply) {
  last_error_ = std::string(reply.status.message());
  CountDeltaEnd();
  LoadLater();
}

void DatacenterMirror::OnDeltaAnew() {
  LogInfo("consul", "What changed is not known: loading anew",
          {{"datacenter", datacenter_}});
  CountDeltaEnd();
  delta_ends_ > kDeltaEndsMax ? LoadLater() : Load();
}

void DatacenterMirror::CountDeltaEnd() {
  if (NowMs(loop_) - delta_began_ms_ > kDeltaSteadyMs) delta_ends_ = 0;
  ++delta_ends_;
}

void DatacenterMirror::LoadLater() {
  Doubt();
  beat_timer_.Start(static_cast<uint64_t>(
      client_->Jitter(Backoff(kBeatRetryMsMin, kLoadRetryMsMax, delta_ends_))));
}

void DatacenterMirror::OnRegress() {
  LogWarn("consul", "The index went back: loading anew",
          {{"datacenter", datacenter_}});
  Load();
}

void DatacenterMirror::OnWoken() {
  if (phase_ != Phase::kWatching) return;
  const int64_t now_ms = NowMs(loop_);
  const int64_t due_ms = woken_ms_ + woken_gap_ms_;
  if (now_ms < due_ms) {
    if (!woken_timer_.active()) {
      woken_timer_.Start(static_cast<uint64_t>(due_ms - now_ms));
    }
    return;
  }
  LogInfo("consul", "Consul's data may have been replaced: loading anew",
          {{"datacenter", datacenter_}});
  woken_ms_ = now_ms;
  woken_gap_ms_ = std::clamp(2 * woken_gap_ms_, kWokenGapMsMin, kAuditMs);
  Load();
}

void DatacenterMirror::Lose(const std::string& why) {
  Doubt();
  if (phase_ == Phase::kStopped || is_lost_told_) return;
  is_lost_told_ = true;
  ++losses_;
  LogWarn("consul", "Lost Consul: answering from what is known",
          {{"datacenter", datacenter_}, {"error", why}});
}

void DatacenterMirror::Doubt() {
  if (phase_ == Phase::kLost || phase_ == Phase::kStopped) return;
  Pause();
  load_timer_.Stop();
  phase_ = Phase::kLost;
}

void DatacenterMirror::Pause() {
  watches_.Pause();
  lists_.Pause();
  delta_.Stop();
  loader_.Cancel();
  sweep_timer_.Stop();
  woken_timer_.Stop();
  schedule_.Forget();
}

void DatacenterMirror::OnAddressChanged() {
  if (phase_ == Phase::kStopped) return;
  Lose("another address");
  StopRequests();
  if (beat_ == 0 && !beat_timer_.active()) beat_timer_.Start(0);
}

void DatacenterMirror::StopRequests() {
  Pause();
  watches_.Stop();
  lists_.Stop();
}

void DatacenterMirror::Load() {
  Pause();
  load_timer_.Stop();
  phase_ = Phase::kLoading;
  load_began_ms_ = NowMs(loop_);
  loader_.Load(
      MirrorLoader::What::kEverything,
      [this](MirrorLoader::Loaded loaded) { OnLoaded(std::move(loaded)); });
}

void DatacenterMirror::OnLoaded(MirrorLoader::Loaded loaded) {
  if (!loaded.status.ok()) {
    ++load_failures_;
    last_error_ = std::string(loaded.status.message());
    Lose(last_error_);
    // Whether it answers at all, the heartbeat knows; it loads when it does.
    const int64_t delay_ms =
        Backoff(kBeatRetryMsMin, kLoadRetryMsMax, load_failures_);
    beat_timer_.Start(static_cast<uint64_t>(client_->Jitter(delay_ms)));
    if (beat_failures_++ == 0) events_.on_no_answer();
    return UpdateState();
  }
  load_failures_ = 0;
  for (const std::string& name : loaded.skipped) {
    LogWarn("consul", "Consul cannot tell about a service: what is known stays",
            {{"datacenter", datacenter_}, {"service", name}});
    table_.AddKnown(name, &loaded.nodes);
  }
  size_t instance_count = 0;
  for (const NodeReport& node : loaded.nodes) {
    instance_count += node.instances.size();
  }
  if (!beat_timer_.active() && beat_ == 0) Beat();
  if (HoldBack(instance_count)) return UpdateState();
  Changes changes;
  load_index_ =
      table_.ApplyAll(loaded.index, loaded.nodes, /*reset=*/true, &changes);
  for (const auto& [name, services] : loaded.gateways) {
    table_.ApplyGateway(name, services, &changes);
  }
  if (loaded.queries) table_.ApplyQueries(*loaded.queries, &changes);
  BeginWatching(std::move(changes), loaded.index, loaded.run);
}

bool DatacenterMirror::HoldBack(size_t loaded) {
  const size_t known = table_.instance_count();
  switch (guard_.Judge(known, loaded, NowMs(loop_))) {
    case ShrinkGuard::Verdict::kTake:
      return false;
    case ShrinkGuard::Verdict::kConfirmed:
      LogWarn("consul", "The smaller catalog stayed: taking it",
              {{"datacenter", datacenter_}, {"instances", loaded}});
      return false;
    case ShrinkGuard::Verdict::kHold:
      break;
  }
  LogWarn("consul",
          "Consul came back with less than half of its instances: held back "
          "until that is confirmed",
          {{"datacenter", datacenter_},
           {"known", known},
           {"instances", loaded},
           {"at_most_ms", guard_.left_ms()}});
  phase_ = Phase::kHeld;
  load_timer_.Start(
      static_cast<uint64_t>(std::min(guard_.left_ms(), kHeldRetryMs)));
  return true;
}

void DatacenterMirror::BeginWatching(Changes changes, uint64_t delta_index,
                                     const std::string& run) {
  phase_ = Phase::kWatching;
  const int64_t now_ms = NowMs(loop_);
  schedule_.Reset(load_index_, now_ms - load_began_ms_);
  ++loads_;
  is_known_ = is_loaded_ = true;
  true_at_ms_ = now_ms;
  index_ = load_index_;
  LogInfo("consul", is_lost_told_ ? "Found Consul again" : "Mirroring",
          {{"datacenter", datacenter_},
           {"address", client_->address().url},
           {"services", table_.service_count()},
           {"instances", table_.instance_count()},
           {"by", run.empty() ? "watches" : "delta"},
           {"ms", schedule_.took_ms()}});
  is_lost_told_ = false;
  if (!changes.empty()) woken_gap_ms_ = 0;
  Emit(std::move(changes));
  UpdateState();

  if (run.empty()) {
    watches_.Start(load_index_);
    lists_.Start(load_index_, ListWatches::What::kQueriesAndNodes);
    sweep_timer_.Start(static_cast<uint64_t>(client_->Jitter(kAuditMs)));
    return;
  }
  delta_began_ms_ = now_ms;
  watches_.Stop();
  delta_.Start(delta_index, run);
  lists_.Start(load_index_, ListWatches::What::kQueries);
}

void DatacenterMirror::Sweep(uint64_t index) {
  // Nothing is found so that a delta does not tell.
  if (phase_ != Phase::kWatching || delta_.running()) return;
  schedule_.Want(index);
  NextSweep();
}

void DatacenterMirror::NextSweep() {
  if (!schedule_.is_wanted() || loader_.active()) return;
  if (!loader_.by_one_request()) {
    schedule_.Forget();
    watches_.FetchCold();
    return;
  }
  const int64_t now_ms = NowMs(loop_);
  if (now_ms < schedule_.due_ms()) {
    sweep_timer_.Start(static_cast<uint64_t>(schedule_.due_ms() - now_ms));
    return;
  }
  schedule_.Begin(now_ms);
  ++sweeps_;
  loader_.Load(MirrorLoader::What::kNodes, [this](MirrorLoader::Loaded loaded) {
    OnSwept(std::move(loaded));
  });
}

void DatacenterMirror::OnSwept(MirrorLoader::Loaded loaded) {
  if (!loaded.status.ok()) {
    last_error_ = std::string(loaded.status.message());
    sweep_timer_.Start(kSweepRetryMs);
    return Beat();
  }
  // Another server took the place of the one that was loaded from.
  if (!loaded.run.empty()) return Load();
  Changes changes;
  const uint64_t sure =
      table_.ApplyAll(loaded.index, loaded.nodes, /*reset=*/false, &changes);
  schedule_.End(std::min(loaded.index, std::max(sure, schedule_.wanted())),
                NowMs(loop_));
  Emit(std::move(changes));
  sweep_timer_.Start(static_cast<uint64_t>(client_->Jitter(kAuditMs)));
  NextSweep();
}

void DatacenterMirror::Emit(Changes changes) {
  if (changes.empty()) return;
  ++version_;
  if (phase_ == Phase::kWatching) lists_.WatchGateways(changes);
  events_.on_changes(std::move(changes));
}

void DatacenterMirror::UpdateState() {
  MirrorState state = MirrorState::kFresh;
  if (!is_known_) {
    state = phase_ == Phase::kLost ? MirrorState::kUnavailable
                                   : MirrorState::kAwaited;
  } else if (NowMs(loop_) - true_at_ms_ > options_.stale_after_ms) {
    state = MirrorState::kStale;
  }
  if (state == state_) return;
  state_ = state;
  events_.on_state();
}

MirrorStatus DatacenterMirror::status() const {
  static constexpr const char* kPhases[] = {"stopped", "lost", "loading",
                                            "held back", "watching"};
  MirrorStatus status;
  status.datacenter = datacenter_;
  status.state = state_;
  status.phase = kPhases[static_cast<size_t>(phase_)];
  status.age_ms = is_known_ ? NowMs(loop_) - true_at_ms_ : -1;
  status.index = std::max(index_, lists_.index());
  status.by_delta = delta_.running();
  status.deltas = delta_.answer_count();
  status.watches = watches_.watch_count() + lists_.watch_count();
  if (status.by_delta) {
    status.index = std::max(index_, delta_.index());
    ++status.watches;
  } else {
    status.cold_services = watches_.cold_count();
  }
  status.nodes = table_.node_count();
  status.services = table_.service_count();
  status.instances = table_.instance_count();
  status.checks = table_.check_count();
  status.queries = table_.query_count();
  status.loads = loads_;
  status.losses = losses_;
  status.sweeps = sweeps_;
  status.load_ms = schedule_.took_ms();
  status.is_held = phase_ == Phase::kHeld;
  status.last_error = last_error_;
  return status;
}

}  // namespace dnsd
