#include "catalog/consul/service_watches.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "catalog/consul/consul_decode.h"

namespace dnsd {
namespace {

// The unhealthy checks of a datacenter move their index with any check's
// output, so they are looked at this often.
constexpr int64_t kStateSpacingMs = 500;
constexpr int64_t kServiceSpacingMs = 100;
constexpr int kBurst = 20;
// The list of ten thousand names is 300 KB.
constexpr int64_t kListSpacingMs = 1'000;
constexpr size_t kSmallList = 500;
constexpr uint64_t kRefetchMs = 1'000;
// So many of the watches may be on their way out for others at a time.
constexpr size_t kRetiredPart = 4;

std::string ServicePath(const std::string& name) {
  return absl::StrCat("/v1/health/service/", EscapeSegment(name));
}

}  // namespace

ServiceWatches::ServiceWatches(EventLoop* loop, ConsulClient* client,
                               std::string datacenter, int64_t wait_ms,
                               MirrorTable* table, Events events)
    : loop_(loop),
      client_(client),
      datacenter_(std::move(datacenter)),
      wait_ms_(wait_ms),
      table_(table),
      events_(std::move(events)),
      group_(loop, client, datacenter_, wait_ms, table, GroupEvents()),
      scan_(loop, client, datacenter_, table,
            [this](const auto& changed) { OnScanned(changed); }),
      fetch_timer_(loop, [this] { NextFetches(); }) {}

ServiceWatches::~ServiceWatches() { Stop(); }

ServiceGroup::Events ServiceWatches::GroupEvents() {
  return {events_.on_changes, events_.on_regress, events_.on_error,
          events_.on_woken, [this] { WatchAll(0); }};
}

std::unique_ptr<BlockingQuery> ServiceWatches::Watch(
    const std::string& path, int64_t spacing_ms, int burst,
    std::function<absl::Status(ConsulReply*)> on_change) {
  return std::make_unique<BlockingQuery>(
      loop_, client_,
      BlockingQuery::Options{path, datacenter_, wait_ms_, spacing_ms, burst},
      BlockingQuery::Events{std::move(on_change), events_.on_regress,
                            events_.on_error, events_.on_woken});
}

void ServiceWatches::Start(uint64_t index) {
  running_ = true;
  group_.TryAgain();
  names_.clear();
  for (const std::string& name : table_->service_names()) names_.insert(name);
  listed_.clear();
  unsettled_ = names_;
  if (list_ == nullptr) MakeLists();
  list_->Start(index);
  for (auto it = hot_.begin(); it != hot_.end();) {
    auto next = std::next(it);
    if (names_.contains(it->first)) {
      it->second.query->Start(index);
    } else {
      Retire(it);
    }
    it = next;
  }
  WatchAll(index);
}

void ServiceWatches::MakeLists() {
  const bool is_small = names_.size() <= kSmallList;
  list_ = Watch("/v1/catalog/services",
                is_small ? kServiceSpacingMs : kListSpacingMs,
                is_small ? kBurst : 1,
                [this](ConsulReply* reply) { return OnNames(reply); });
  critical_ = Watch("/v1/health/state/critical", kStateSpacingMs, 1,
                    [this](ConsulReply* reply) {
                      return OnState(HealthStatus::kCritical, reply);
                    });
  warning_ = Watch("/v1/health/state/warning", kStateSpacingMs, 1,
                   [this](ConsulReply* reply) {
                     return OnState(HealthStatus::kWarning, reply);
                   });
}

void ServiceWatches::Pause() {
  running_ = false;
  group_.Pause();
  scan_.Stop();
  for (const auto& [name, hot] : hot_) hot.query->Pause();
  for (BlockingQuery* query : {list_.get(), critical_.get(), warning_.get()}) {
    if (query != nullptr) query->Pause();
  }
  for (const auto& [key, id] : fetching_) client_->Cancel(id);
  fetching_.clear();
  queued_.clear();
  queue_.clear();
  fetch_timer_.Stop();
}

void ServiceWatches::Stop() {
  Pause();
  group_.Stop();
  for (const auto& [name, hot] : hot_) hot.query->Stop();
  for (BlockingQuery* query : {list_.get(), critical_.get(), warning_.get()}) {
    if (query != nullptr) query->Stop();
  }
  for (const auto& query : retired_) query->Stop();
}

void ServiceWatches::SetBudget(size_t requests_max) {
  requests_max_ = requests_max;
  ForgetRetired();
  WatchAll(0);
}

bool ServiceWatches::MayGroup() const {
  // Beside the list and the group's own.
  return !group_.refused() && requests_max_ > 2 &&
         names_.size() <= requests_max_ - 2 + ServiceGroup::kServicesMax;
}

size_t ServiceWatches::HotMax() const {
  // The list of services and the group. For cold ones, the list of services
  // and the two of checks.
  const size_t others =
      names_.size() + 2 <= requests_max_ || MayGroup() ? 2 : 3;
  return requests_max_ > others ? requests_max_ - others : 0;
}

// While all services may be followed at once, they are.
void ServiceWatches::WatchAll(uint64_t index) {
  if (!running_) return;
  const size_t hot_max = HotMax();
  while (hot_.size() > hot_max) RetireOldest();
  if (names_.size() <= hot_max || MayGroup()) {
    for (const std::string& name : names_) {
      // Those of the retired come free when their polls end.
      if (parked_count() >= hot_max) break;
      if (!hot_.contains(name)) AddHot(name, index);
    }
  }
  UpdateGroup(index);
  UpdateStateWatches();
}

void ServiceWatches::UpdateGroup(uint64_t index) {
  std::set<std::string> names;
  if (MayGroup()) {
    for (const std::string& name : names_) {
      if (names.size() == ServiceGroup::kServicesMax) break;
      if (!hot_.contains(name)) names.insert(name);
    }
  }
  const bool wanted = !names.empty();
  group_.SetMembers(std::move(names));
  if (wanted && !group_.running()) group_.Start(index);
  if (!wanted) group_.Pause();
}

void ServiceWatches::AddHot(const std::string& name, uint64_t index) {
  Hot& hot = hot_[name];
  hot.asked_ms = uv_now(loop_->uv());
  hot.query = Watch(
      ServicePath(name), kServiceSpacingMs, kBurst,
      [this, name](ConsulReply* reply) { return OnService(name, reply); });
  hot.query->Start(index);
}

void ServiceWatches::Retire(std::map<std::string, Hot>::iterator hot) {
  hot->second.query->Pause();
  if (hot->second.query->is_asking()) {
    retired_.push_back(std::move(hot->second.query));
  }
  hot_.erase(hot);
}

void ServiceWatches::RetireOldest() {
  auto oldest = std::min_element(hot_.begin(), hot_.end(),
                                 [](const auto& a, const auto& b) {
                                   return a.second.asked_ms < b.second.asked_ms;
                                 });
  if (oldest != hot_.end()) Retire(oldest);
}

void ServiceWatches::ForgetRetired() {
  std::erase_if(retired_,
                [](const auto& query) { return !query->is_asking(); });
}

void ServiceWatches::Asked(const std::string& name) {
  auto it = hot_.find(name);
  if (it != hot_.end()) {
    it->second.asked_ms = uv_now(loop_->uv());
    return;
  }
  if (!running_ || !names_.contains(name)) return;
  if (group_.members().contains(name)) return;
  ForgetRetired();
  const size_t hot_max = HotMax();
  if (parked_count() < hot_max) return AddHot(name, 0);
  // Its turn comes when another's poll has ended; until then it is looked at
  // whenever it is asked for.
  Fetch({false, name});
  if (retired_.size() < hot_max / kRetiredPart && !hot_.empty()) {
    RetireOldest();
  }
}

void ServiceWatches::UpdateStateWatches() {
  if (!running_) return;
  const bool wanted = has_cold();
  for (BlockingQuery* query : {critical_.get(), warning_.get()}) {
    if (wanted && !query->running()) query->Start(0);
    if (!wanted) query->Pause();
  }
}

absl::Status ServiceWatches::OnNames(ConsulReply* reply) {
  auto listed = DecodeServiceNames(&reply->body);
  if (!listed.ok()) return listed.status();
  // Consul finds services without regard to case.
  ServiceNames folded;
  for (auto& [name, tags] : *listed) {
    folded[AsciiLower(name)].merge(std::move(tags));
  }
  Settle(std::move(folded));
  for (auto it = hot_.begin(); it != hot_.end();) {
    auto next = std::next(it);
    if (!names_.contains(it->first) && !table_->HasService(it->first)) {
      Retire(it);
    }
    it = next;
  }
  for (const std::string& name : unsettled_) {
    // Its own watch tells. But Consul does not wake the watch of a service
    // whose last instance took another name.
    if (names_.contains(name) &&
        (hot_.contains(name) || group_.members().contains(name))) {
      continue;
    }
    if (names_.contains(name) && parked_count() < HotMax()) {
      AddHot(name, 0);
    } else {
      Fetch({false, name});
    }
  }
  WatchAll(0);
  // Besides what shows, an instance of a cold service may have come or gone.
  if (!has_cold()) return absl::OkStatus();
  if (cold_count() <= kConsulColdFetchMax) {
    FetchCold();
  } else {
    list_index_ = reply->index;
    scan_.Want();
  }
  return absl::OkStatus();
}

// Compares with the table what is listed otherwise than before: a list has
// many names, and hardly one of them is news.
void ServiceWatches::Settle(ServiceNames listed) {
  std::set<std::string> names = std::move(unsettled_);
  unsettled_.clear();
  for (auto was = listed_.begin(), is = listed.begin();
       was != listed_.end() || is != listed.end();) {
    if (is == listed.end() ||
        (was != listed_.end() && was->first < is->first)) {
      names.insert((was++)->first);
    } else if (was == listed_.end() || is->first < was->first) {
      names.insert((is++)->first);
    } else {
      if (was->second != is->second) names.insert(is->first);
      ++was;
      ++is;
    }
  }
  listed_ = std::move(listed);
  for (const std::string& name : names) {
    const auto it = listed_.find(name);
    const bool is_listed = it != listed_.end();
    if (is_listed) {
      names_.insert(name);
    } else {
      names_.erase(name);
    }
    if (is_listed != table_->HasService(name) ||
        (is_listed && !table_->HasTags(name, it->second))) {
      unsettled_.insert(name);
    }
  }
}

absl::Status ServiceWatches::OnService(const std::string& name,
                                       ConsulReply* reply) {
  auto entries = DecodeHealthService(&reply->body, datacenter_);
  if (!entries.ok()) return entries.status();
  Changes changes;
  table_->ApplyService(name, reply->index, *entries, &changes);
  if (!changes.empty()) events_.on_changes(std::move(changes));
  return absl::OkStatus();
}

absl::Status ServiceWatches::OnState(HealthStatus status, ConsulReply* reply) {
  auto checks = DecodeChecks(&reply->body);
  if (!checks.ok()) return checks.status();
  Changes changes;
  MirrorTable::Unknown unknown;
  table_->ApplyState(status, reply->index, *checks, &changes, &unknown);
  if (!changes.empty()) events_.on_changes(std::move(changes));
  for (const std::string& name : unknown.services) {
    // Its own watch tells; but it may not have been told yet of a service
    // that is new.
    if (!hot_.contains(AsciiLower(name))) Fetch({false, AsciiLower(name)});
  }
  // Its own watch may have told already: this list's answer of before, that it
  // is not passing, was then overtaken, and that watch has no news.
  for (const std::string& name : unknown.unsettled) {
    Fetch({false, AsciiLower(name)});
  }
  for (const std::string& name : unknown.nodes) Fetch({true, name});
  return absl::OkStatus();
}

// What it found shows sooner than with everything else; what has no check, or
// changed otherwise, with that.
void ServiceWatches::OnScanned(const std::set<std::string>& changed) {
  for (const std::string& name : changed) {
    if (!hot_.contains(name)) Fetch({false, name});
  }
  events_.sweep(list_index_);
}

void ServiceWatches::FetchCold() {
  for (const std::string& name : names_) {
    if (!hot_.contains(name)) Fetch({false, name});
  }
}

void ServiceWatches::Fetch(FetchKey key) {
  if (!queued_.insert(key).second) return;
  queue_.push_back(std::move(key));
  NextFetches();
}

void ServiceWatches::NextFetches() {
  const uint64_t now_ms = uv_now(loop_->uv());
  const auto earned = static_cast<double>(now_ms - fetches_counted_ms_) *
                      kConsulFetchesPerSecond / 1'000;
  fetches_counted_ms_ = now_ms;
  fetches_left_ =
      std::min<double>(kConsulFetchesPerSecond / 2.0, fetches_left_ + earned);
  while (!queue_.empty() && fetching_.size() < kConsulFetchesMax) {
    if (fetches_left_ < 1.0) {
      fetch_timer_.Start(1'000 / kConsulFetchesPerSecond);
      return;
    }
    fetches_left_ -= 1.0;
    const FetchKey key = queue_.front();
    queue_.pop_front();
    queued_.erase(key);
    // What changes while it is on its way is queued anew.
    auto already = fetching_.find(key);
    if (already != fetching_.end()) client_->Cancel(already->second);
    ConsulGet get;
    get.path = key.first
                   ? absl::StrCat("/v1/health/node/", EscapeSegment(key.second))
                   : ServicePath(key.second);
    get.datacenter = datacenter_;
    fetching_[key] = client_->Get(get, [this, key](ConsulReply reply) {
      OnFetched(key, std::move(reply));
    });
  }
}

void ServiceWatches::OnFetched(const FetchKey& key, ConsulReply reply) {
  fetching_.erase(key);
  absl::Status status = reply.status;
  if (status.ok() && !key.first) status = OnService(key.second, &reply);
  if (status.ok() && key.first) {
    auto checks = DecodeChecks(&reply.body);
    status = checks.status();
    Changes changes;
    if (checks.ok()) {
      table_->ApplyNodeChecks(key.second, reply.index, *checks, &changes);
    }
    if (!changes.empty()) events_.on_changes(std::move(changes));
  }
  if (status.ok()) return NextFetches();
  if (queued_.insert(key).second) queue_.push_back(key);
  fetch_timer_.Start(kRefetchMs);
  if (!reply.status.ok()) events_.on_error(reply);  // last: it may stop us
}

size_t ServiceWatches::watch_count() const {
  size_t count = parked_count();
  for (const BlockingQuery* query :
       {list_.get(), critical_.get(), warning_.get()}) {
    if (query != nullptr && query->running()) ++count;
  }
  count += group_.running();
  return running_ ? count : 0;
}

size_t ServiceWatches::cold_count() const {
  // The hot ones are few, and may have names that are listed no more.
  size_t hot = 0;
  for (const auto& [name, watch] : hot_) hot += names_.contains(name);
  return names_.size() - hot - group_.members().size();
}

}  // namespace dnsd
