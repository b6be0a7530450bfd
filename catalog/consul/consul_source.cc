#include "catalog/consul/consul_source.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "catalog/base/log.h"
#include "catalog/base/pool_task.h"
#include "catalog/base/unix_time.h"
#include "catalog/consul/consul_decode.h"
#include "catalog/consul/mirror_file.h"

namespace dnsd {
namespace {

constexpr int64_t kDiscoverMs = 250;
constexpr int64_t kDiscoverMsMax = 5'000;
constexpr int64_t kListMs = 10'000;
constexpr uint64_t kSaveMs = 5'000;
constexpr uint64_t kSampleMs = 10'000;
// Over HTTP/2 a watch costs a stream and some 40 KB here, not a connection.
constexpr size_t kWatchesHttp2 = 1'000;

// A mirror's file, made and written off the sync thread.
absl::Status WriteImage(const std::string& data_dir,
                        const MirrorTable::Image& image,
                        const std::string& datacenter, bool is_local,
                        int64_t saved_unix_ms) {
  MirrorImage file = ToMirrorImage(image);
  file.datacenter = datacenter;
  file.is_local = is_local;
  file.saved_unix_ms = saved_unix_ms;
  return WriteMirror(data_dir, file);
}

}  // namespace

ConsulSource::ConsulSource(SourceId id, EventLoop* loop,
                           const ConsulOptions& options,
                           std::string local_datacenter, Events events)
    : id_(id),
      loop_(loop),
      options_(options),
      events_(std::move(events)),
      client_(loop, options),
      local_(std::move(local_datacenter)),
      discover_timer_(loop, [this] { Discover(); }),
      list_timer_(loop, [this] { ListDatacenters(); }),
      save_timer_(loop, [this] { Save(); }),
      sample_timer_(loop, [this] { Sample(); }) {}

ConsulSource::~ConsulSource() { *alive_ = false; }

void ConsulSource::Start(Sink sink) {
  sink_ = std::move(sink);
  running_ = true;
  Restore();
  // Even when the name is known: what kind of Consul it is, is not.
  Discover();
  if (!local_.empty()) SetLocal(local_);
  sample_timer_.Start(kSampleMs, kSampleMs);
  if (!options_.data_dir.empty()) save_timer_.Start(kSaveMs, kSaveMs);
}

void ConsulSource::Stop() {
  running_ = false;
  if (asked_ != 0) client_.Cancel(asked_);
  for (Timer* timer :
       {&discover_timer_, &list_timer_, &save_timer_, &sample_timer_}) {
    timer->Stop();
  }
  for (auto& [name, known] : known_) {
    if (known.mirror == nullptr) continue;
    known.mirror->Stop();
    const MirrorStatus status = known.mirror->status();
    if (options_.data_dir.empty() || !known.mirror->is_loaded()) continue;
    const absl::Status written =
        WriteImage(options_.data_dir, known.mirror->image(), name,
                   name == local_, UnixMs() - status.age_ms);
    if (!written.ok()) {
      LogError("consul", "Cannot keep the mirror on disk",
               {{"datacenter", name}, {"error", written.message()}});
    }
  }
  // After the last word: a later Start() would begin anew.
  known_.clear();
}

// --- what is on disk ---

void ConsulSource::Restore() {
  if (options_.data_dir.empty()) return;
  std::vector<std::string> errors;
  for (MirrorImage& image : ReadMirrors(options_.data_dir, &errors)) {
    if (local_.empty() && image.is_local) local_ = image.datacenter;
    if (image.datacenter == local_) TellLocal();
    Known& known = Know(image.datacenter);
    known.mirror->Restore(image);
    known.mirror->Start();
    LogInfo("consul", "Serving what was kept on disk",
            {{"datacenter", image.datacenter},
             {"nodes", image.nodes.size()},
             {"age_ms", UnixMs() - image.saved_unix_ms}});
  }
  for (const std::string& error : errors) {
    LogError("consul", "Cannot use what was kept on disk", {{"error", error}});
  }
  ShareBudget();
  events_.on_datacenters();
}

void ConsulSource::Save() {
  for (auto& [name, known] : known_) {
    if (known.mirror == nullptr || known.is_saving ||
        !known.mirror->is_loaded()) {
      continue;
    }
    const uint64_t version = known.mirror->version();
    if (version == known.saved_version) continue;
    known.is_saving = true;
    struct Work {
      MirrorTable::Image image;
      absl::Status status;
    };
    auto work = std::make_shared<Work>();
    work->image = known.mirror->image();
    const int64_t saved_unix_ms = UnixMs() - known.mirror->status().age_ms;
    RunOnPool(
        loop_,
        [work, data_dir = options_.data_dir, name = name,
         is_local = name == local_, saved_unix_ms] {
          work->status =
              WriteImage(data_dir, work->image, name, is_local, saved_unix_ms);
        },
        [this, work, name = name, version, alive = alive_] {
          if (!*alive || !known_.contains(name)) return;
          Known& saved = known_.at(name);
          saved.is_saving = false;
          ++saves_;
          save_error_ = std::string(work->status.message());
          if (work->status.ok()) {
            saved.saved_version = version;
          } else {
            LogError("consul", "Cannot keep the mirror on disk",
                     {{"datacenter", name}, {"error", save_error_}});
          }
        });
  }
}

// --- which datacenters there are ---

void ConsulSource::Discover() {
  if (asked_ != 0) client_.Cancel(asked_);
  ConsulGet get;
  get.path = "/v1/agent/self";
  get.can_be_stale = false;
  asked_ = client_.Get(get, [this](ConsulReply reply) {
    asked_ = 0;
    OnSelf(std::move(reply));
  });
}

void ConsulSource::OnSelf(ConsulReply reply) {
  is_http2_ = reply.is_http2;
  ShareBudget();
  if (reply.http_status == 403) {
    // No right to ask the agent; its servers' nodes tell.
    ConsulGet get;
    get.path = "/v1/health/service/consul";
    asked_ = client_.Get(get, [this](ConsulReply servers) {
      asked_ = 0;
      OnServers(std::move(servers));
    });
    return;
  }
  if (!reply.status.ok()) return DiscoverLater();
  auto self = DecodeSelf(&reply.body);
  if (!self.ok() || self->datacenter.empty()) return DiscoverLater();
  version_ = self->version;
  failures_ = 0;
  if (local_.empty()) return SetLocal(self->datacenter);
  if (self->datacenter == local_) return;
  LogWarn("consul", "This Consul's own datacenter is another",
          {{"datacenter", self->datacenter}, {"expected", local_}});
}

void ConsulSource::OnServers(ConsulReply reply) {
  if (!reply.status.ok()) return DiscoverLater();
  auto servers = DecodeHealthService(&reply.body, "");
  if (!servers.ok() || servers->empty()) return DiscoverLater();
  if (local_.empty()) SetLocal(servers->front().node.datacenter);
}

void ConsulSource::DiscoverLater() {
  const int64_t delay_ms =
      std::min(kDiscoverMsMax, kDiscoverMs << std::min(failures_, 10));
  if (failures_++ == 0 && local_.empty()) {
    LogWarn("consul", "Consul does not answer yet",
            {{"address", client_.address().url}});
  }
  // A mirror that runs chooses the address.
  if (local_.empty()) {
    client_.NextAddress();
    events_.on_datacenters();
  }
  discover_timer_.Start(static_cast<uint64_t>(client_.Jitter(delay_ms)));
}

void ConsulSource::TellLocal() {
  if (is_local_told_) return;
  is_local_told_ = true;
  events_.on_local_datacenter(local_);
  list_timer_.Start(0);
}

void ConsulSource::SetLocal(const std::string& name) {
  local_ = name;
  TellLocal();
  DatacenterMirror& mirror = *Know(local_).mirror;
  if (!mirror.is_running()) mirror.Start();
  ShareBudget();
  events_.on_datacenters();
}

// The datacenter's place, with a mirror that may have to be started.
ConsulSource::Known& ConsulSource::Know(const std::string& name) {
  Known& known = known_[name];
  if (known.mirror != nullptr) return known;
  known.mirror = std::make_unique<DatacenterMirror>(
      loop_, &client_, options_, name,
      DatacenterMirror::Events{
          [this](Changes changes) {
            LookAtFailover(changes);
            sink_({id_, /*complete=*/false, std::move(changes)});
          },
          [this] { events_.on_datacenters(); },
          [this, name] {
            // All go through the same agent: one of them judges it.
            if (name == local_) ChangeAddress();
          }});
  return known;
}

// Prepared queries answer from where they fail over to, too: those datacenters
// are mirrored like configured ones. Not here, inside an event of a mirror.
void ConsulSource::LookAtFailover(const Changes& changes) {
  bool is_new = false;
  for (const Change& change : changes) {
    const auto* upsert = std::get_if<UpsertQuery>(&change);
    if (upsert == nullptr) continue;
    for (const std::string& name : upsert->query.failover_datacenters) {
      is_new |= failover_.insert(AsciiLower(name)).second;
    }
    if (upsert->query.failover_nearest > failover_nearest_) {
      failover_nearest_ = upsert->query.failover_nearest;
      is_new = true;
    }
  }
  if (is_new && is_local_told_) list_timer_.Start(0);
}

// The nearest are, for ExecuteQuery(), the first.
bool ConsulSource::IsWanted(const std::string& name, int position) const {
  return position < failover_nearest_ || failover_.contains(name) ||
         std::any_of(
             options_.datacenters.begin(), options_.datacenters.end(),
             [&](const auto& one) { return one == name || one == "*"; });
}

void ConsulSource::ChangeAddress() {
  if (options_.addresses.size() < 2) return;
  client_.NextAddress();
  for (const auto& [name, known] : known_) {
    if (known.mirror != nullptr) known.mirror->OnAddressChanged();
  }
}

void ConsulSource::StartMirror(const std::string& name) {
  Know(name).mirror->Start();
  ShareBudget();
}

void ConsulSource::ListDatacenters() {
  ConsulGet get;
  get.path = "/v1/catalog/datacenters";
  get.can_be_stale = false;
  client_.Get(get, [this](ConsulReply reply) {
    if (running_) OnDatacenters(std::move(reply));
  });
}

void ConsulSource::OnDatacenters(ConsulReply reply) {
  list_timer_.Start(static_cast<uint64_t>(client_.Jitter(kListMs)));
  if (!reply.status.ok()) return;
  auto names = DecodeDatacenters(&reply.body);
  if (!names.ok()) return;
  std::sort(names->begin(), names->end());
  bool is_new = false;
  int position = 0;  // among the others
  for (const std::string& name : *names) {
    if (name == local_) continue;
    is_new |= known_.try_emplace(name).second;
    if (known_.at(name).mirror == nullptr && IsWanted(name, position)) {
      StartMirror(name);
    }
    ++position;
  }
  // Those that are gone and were never mirrored are forgotten.
  const size_t erased = std::erase_if(known_, [&](const auto& item) {
    return item.second.mirror == nullptr &&
           std::find(names->begin(), names->end(), item.first) == names->end();
  });
  if (is_new || erased > 0) events_.on_datacenters();
}

void ConsulSource::AskedDatacenter(const std::string& datacenter) {
  auto it = known_.find(datacenter);
  if (it == known_.end() || it->second.mirror != nullptr) return;
  LogInfo("consul", "Mirroring another datacenter, for it was asked for",
          {{"datacenter", datacenter}});
  StartMirror(datacenter);
}

void ConsulSource::AskedService(const std::string& datacenter,
                                const std::string& name) {
  auto it = known_.find(datacenter);
  if (it == known_.end() || it->second.mirror == nullptr) return;
  it->second.mirror->Asked(name);
}

// Each mirror gets the same part of what Consul's limits leave.
void ConsulSource::ShareBudget() {
  size_t mirrors = 0;
  for (const auto& [name, known] : known_) mirrors += known.mirror != nullptr;
  if (mirrors == 0) return;
  size_t watches = PollsMax(options_);
  if (is_http2_) watches = kWatchesHttp2;
  if (options_.watches_max != 0) {
    watches = is_http2_ ? options_.watches_max
                        : std::min(watches, options_.watches_max);
  }
  for (const auto& [name, known] : known_) {
    if (known.mirror != nullptr)
      known.mirror->SetWatchBudget(watches / mirrors);
  }
}

// --- status ---

std::vector<ConsulSource::KnownDatacenter> ConsulSource::datacenters() const {
  std::vector<KnownDatacenter> list;
  for (const auto& [name, known] : known_) {
    const MirrorState state =
        known.mirror == nullptr ? MirrorState::kAwaited : known.mirror->state();
    list.insert(name == local_ ? list.begin() : list.end(), {name, state});
  }
  // Before its name is known: the one that is asked for.
  if (local_.empty()) {
    list.insert(list.begin(), {"", failures_ > 0 ? MirrorState::kUnavailable
                                                 : MirrorState::kAwaited});
  }
  return list;
}

bool ConsulSource::wants_asked_names() const {
  return std::any_of(known_.begin(), known_.end(), [](const auto& item) {
    return item.second.mirror != nullptr && item.second.mirror->has_cold();
  });
}

void ConsulSource::Sample() {
  std::rotate(samples_.begin(), samples_.end() - 1, samples_.end());
  samples_[0] = client_.traffic();
}

ConsulStatus ConsulSource::status() const {
  ConsulStatus status;
  status.address = client_.address().unix_socket.empty()
                       ? client_.address().url
                       : "unix://" + client_.address().unix_socket;
  status.version = version_;
  status.is_http2 = is_http2_;
  status.traffic = client_.traffic();
  const ConsulTraffic& before = samples_.back();
  status.requests_per_minute = status.traffic.requests - before.requests;
  status.bytes_per_minute = status.traffic.bytes - before.bytes;
  status.saves = saves_;
  status.last_save_error = save_error_;
  for (const auto& [name, known] : known_) {
    if (known.mirror == nullptr) continue;
    status.datacenters.insert(
        name == local_ ? status.datacenters.begin() : status.datacenters.end(),
        known.mirror->status());
  }
  return status;
}

}  // namespace dnsd
