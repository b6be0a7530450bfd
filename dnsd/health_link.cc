#include "dnsd/health_link.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/log.h"
#include "dnsd/http/api_reply.h"

namespace dnsd {
namespace {

HttpResponse Verdict(const HttpRequest& request, bool is_good,
                     std::string json) {
  HttpResponse response = JsonAnswer(request, std::move(json));
  response.status = is_good ? 200 : 503;
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

// What `systemctl status` shows.
std::string StatusText(const HealthState& state, const HealthLimits& limits) {
  const std::vector<std::string> reasons = UnreadyReasons(state, limits);
  if (!reasons.empty()) {
    return absl::StrCat("Not ready: ", absl::StrJoin(reasons, "; "));
  }
  const std::vector<std::string> warnings = HealthWarnings(state);
  if (warnings.empty()) return "Ready";
  return absl::StrCat("Ready; ", absl::StrJoin(warnings, "; "));
}

}  // namespace

HealthLink::HealthLink(EventLoop* loop, const HealthLimits* limits,
                       Catalog catalog, const SystemdNotify* manager)
    : limits_(limits),
      catalog_(std::move(catalog)),
      manager_(manager),
      beat_(loop),
      tell_timer_(loop, [this] { Tell(); }),
      watchdog_timer_(loop, [this] { TellWatchdog(); }) {
  Watch("catalog-sync", &beat_);
}

void HealthLink::Watch(std::string name, const Heartbeat* beat) {
  loops_.emplace_back(std::move(name), beat);
}

void HealthLink::Start() {
  beat_.Start();
  tell_timer_.Start(0, Heartbeat::kBeatMs);
  if (manager_->watchdog_ms() == 0) return;
  // Half of the time, as sd_watchdog_enabled(3) advises.
  const uint64_t every_ms = std::max<uint64_t>(1, manager_->watchdog_ms() / 2);
  watchdog_timer_.Start(0, every_ms);
}

void HealthLink::BeginStop() {
  is_stopping_ = true;
  Tell();
}

HealthState HealthLink::Look() const {
  HealthState state;
  for (const auto& [name, beat] : loops_) {
    state.loops.push_back({name, beat->AgeMs()});
  }
  state.catalog = catalog_();
  state.is_stopping = is_stopping_;
  return state;
}

void HealthLink::Tell() {
  const HealthState state = Look();
  const std::vector<std::string> unhealthy = UnhealthyReasons(state, *limits_);
  if (unhealthy != unhealthy_) {
    unhealthy_ = unhealthy;
    if (unhealthy.empty()) {
      LogInfo("agent", "All event loops turn again");
    } else {
      LogError("agent", "Not healthy",
               {{"reason", absl::StrJoin(unhealthy, "; ")}});
    }
  }
  std::string status = StatusText(state, *limits_);
  if (status == status_) return;
  status_ = std::move(status);
  manager_->Status(status_);
}

void HealthLink::TellWatchdog() {
  if (UnhealthyReasons(Look(), *limits_).empty()) manager_->Alive();
}

std::vector<Route> HealthLink::MakeRoutes() {
  return {{"GET", "/health",
           [this](const HttpRequest& request, const HttpServer::Reply& reply) {
             const HealthState state = Look();
             reply(Verdict(request, UnhealthyReasons(state, *limits_).empty(),
                           HealthJson(state, *limits_)));
           }},
          {"GET", "/ready",
           [this](const HttpRequest& request, const HttpServer::Reply& reply) {
             const HealthState state = Look();
             reply(Verdict(request, UnreadyReasons(state, *limits_).empty(),
                           ReadyJson(state, *limits_)));
           }}};
}

void HealthLink::AddMetrics(MetricsText* text) const {
  AddHealthMetrics(Look(), *limits_, text);
}

}  // namespace dnsd
