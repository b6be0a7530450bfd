#include "dnsd/http/agent_api.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/json_write.h"
#include "catalog/registry/definition.h"
#include "dnsd/http/agent_api_impl.h"
#include "dnsd/http/agent_json.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

constexpr absl::string_view kServicePath = "/v1/agent/service/";

// Consul's bounds of ?wait.
constexpr int64_t kWaitMsDefault = 300'000;
constexpr int64_t kWaitMsMax = 600'000;

void ReplyFilterError(absl::string_view why, const HttpReply& reply) {
  ReplyText(500, why, reply);
}

// The filter that is asked for, or one that takes all; nullopt: answered.
template <typename Filter, typename Compiler>
std::optional<Filter> CompileFilter(const HttpRequest& request,
                                    const Compiler& compiler, Filter all,
                                    const HttpReply& reply) {
  const std::optional<std::string> text = QueryValue(request.query, "filter");
  if (!text || text->empty()) return all;
  if (!compiler) {
    ReplyFilterError("there are no filters here", reply);
    return std::nullopt;
  }
  absl::StatusOr<Filter> filter = compiler(*text);
  if (filter.ok()) return *std::move(filter);
  ReplyFilterError(filter.status().message(), reply);
  return std::nullopt;
}

// Milliseconds to wait; nullopt: what is given is none, and is answered.
std::optional<int64_t> ReadWait(const HttpRequest& request,
                                const HttpReply& reply) {
  int64_t wait_ms = kWaitMsDefault;
  if (const auto text = QueryValue(request.query, "wait");
      text && !text->empty()) {
    std::chrono::nanoseconds wait{0};
    if (!ParseGoDuration(*text, &wait)) {
      ReplyText(400, "Invalid wait time", reply);
      return std::nullopt;
    }
    wait_ms = wait.count() / 1'000'000;
    if (wait_ms <= 0) wait_ms = kWaitMsDefault;
  }
  uint64_t index = 0;
  if (const auto text = QueryValue(request.query, "index");
      text && !text->empty() && !absl::SimpleAtoi(*text, &index)) {
    ReplyText(400, "Invalid index", reply);
    return std::nullopt;
  }
  return std::min(wait_ms, kWaitMsMax);
}

}  // namespace

Route AgentApi::Impl::MakeRoute(const char* method, const char* path,
                                Handler handler) {
  return {method, path,
          [weak = weak_from_this(), handler](const HttpRequest& request,
                                             HttpReply reply) {
            if (const std::shared_ptr<Impl> self = weak.lock()) {
              (self.get()->*handler)(request, reply);
            }
          }};
}

bool AgentApi::Impl::MayCheck(const HttpRequest& request,
                              const std::string& service_id,
                              ApiAccess access) const {
  const AgentService* const service =
      service_id.empty() ? nullptr : agent().FindService(service_id);
  return service == nullptr ? May(request, ApiResource::kNode,
                                  options.registry->node().name, access)
                            : May(request, ApiResource::kService,
                                  service->instance.name, access);
}

const ServiceInstance* AgentApi::Impl::ServiceOf(const Check& check) const {
  if (check.service_id.empty()) return nullptr;
  const AgentService* const service = agent().FindService(check.service_id);
  return service == nullptr ? nullptr : &service->instance;
}

Registry::Done AgentApi::Impl::Answer(const HttpReply& reply) {
  return [weak = weak_from_this(), reply](const absl::Status& status) {
    if (status.ok()) {
      ReplyEmpty(reply);
    } else {
      ReplyError(status, reply);
    }
    if (const std::shared_ptr<Impl> self = weak.lock()) self->Wake();
  };
}

void AgentApi::Impl::Services(const HttpRequest& request,
                              const HttpReply& reply) {
  if (RefusesTenant(request, reply)) return;
  using Filter = std::function<bool(const ServiceInstance&)>;
  const std::optional<Filter> filter = CompileFilter<Filter>(
      request, options.compile_service_filter,
      [](const ServiceInstance&) { return true; }, reply);
  if (!filter) return;
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  for (const auto& [id, service] : agent().services()) {
    const ServiceInstance& instance = service.instance;
    if (!May(request, ApiResource::kService, instance.name, ApiAccess::kRead) ||
        !(*filter)(instance)) {
      continue;
    }
    json.Key(id);
    WriteAgentService(instance, "", &json);
  }
  json.EndObject();
  ReplyJson(request, std::move(text), reply);
}

void AgentApi::Impl::Checks(const HttpRequest& request,
                            const HttpReply& reply) {
  if (RefusesTenant(request, reply)) return;
  using Filter = std::function<bool(const Check&, const ServiceInstance*)>;
  const std::optional<Filter> filter = CompileFilter<Filter>(
      request, options.compile_check_filter,
      [](const Check&, const ServiceInstance*) { return true; }, reply);
  if (!filter) return;
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  for (const auto& [id, owned] : agent().checks()) {
    const ServiceInstance* const service = ServiceOf(owned.check);
    if (!MayCheck(request, owned.check.service_id, ApiAccess::kRead) ||
        !(*filter)(owned.check, service)) {
      continue;
    }
    json.Key(id);
    WriteAgentCheck(options.registry->node().name, owned.check, service,
                    AgentCheckShape::kFull, &json);
  }
  json.EndObject();
  ReplyJson(request, std::move(text), reply);
}

void AgentApi::Impl::Service(const HttpRequest& request,
                             const HttpReply& reply) {
  if (RefusesTenant(request, reply)) return;
  const std::optional<int64_t> wait_ms = ReadWait(request, reply);
  if (!wait_ms) return;
  Waiter waiter;
  waiter.id = std::string(PathRest(request, kServicePath));
  waiter.hash = QueryValue(request.query, "hash").value_or("");
  waiter.request = request;
  waiter.reply = reply;
  const AgentService* const service = agent().FindService(waiter.id);
  if (service == nullptr || waiter.hash.empty() ||
      ContentHash(service->instance) != waiter.hash) {
    AnswerService(waiter);
    return;
  }
  waiters.push_back(std::move(waiter));
  const auto at = std::prev(waiters.end());
  // Neither callback outlives the waiter: it ends with the answer.
  at->timer =
      std::make_unique<Timer>(options.loop, [weak = weak_from_this(), at] {
        const std::shared_ptr<Impl> self = weak.lock();
        if (!self) return;
        const Waiter ready = std::move(*at);
        self->waiters.erase(at);
        self->AnswerService(ready);
      });
  at->timer->Start(static_cast<uint64_t>(*wait_ms));
  at->reply.Waits();
  at->reply.OnClosed([weak = weak_from_this(), at] {
    if (const std::shared_ptr<Impl> self = weak.lock()) {
      self->waiters.erase(at);
    }
  });
}

void AgentApi::Impl::AnswerService(const Waiter& waiter) {
  const AgentService* const service = agent().FindService(waiter.id);
  if (service == nullptr) {
    ReplyText(404, absl::StrCat("unknown service ID: ", waiter.id),
              waiter.reply);
    return;
  }
  const ServiceInstance& instance = service->instance;
  if (!May(waiter.request, ApiResource::kService, instance.name,
           ApiAccess::kRead)) {
    ReplyDenied(waiter.reply);
    return;
  }
  const std::string hash = ContentHash(instance);
  std::string text;
  JsonWriter json(&text);
  WriteAgentService(instance, hash, &json);
  HttpResponse response = JsonAnswer(waiter.request, std::move(text));
  response.headers.emplace_back("X-Consul-Contenthash", hash);
  waiter.reply(std::move(response));
}

void AgentApi::Impl::Wake() {
  for (auto at = waiters.begin(); at != waiters.end();) {
    const AgentService* const service = agent().FindService(at->id);
    if (service != nullptr && ContentHash(service->instance) == at->hash) {
      ++at;
      continue;
    }
    const Waiter ready = std::move(*at);
    at = waiters.erase(at);
    AnswerService(ready);
  }
}

void AgentApi::Impl::Members(const HttpRequest& request,
                             const HttpReply& reply) {
  const std::string segment = QueryValue(request.query, "segment").value_or("");
  if (!segment.empty() && segment != "_all") {
    ReplyText(500,
              "Network segments are not supported in this version of Consul",
              reply);
    return;
  }
  // There is no wide-area pool: Consul without one says null.
  const bool is_wan = !QueryValue(request.query, "wan").value_or("").empty();
  std::string text;
  JsonWriter json(&text);
  if (is_wan) {
    json.Null();
  } else {
    json.BeginArray();
    if (May(request, ApiResource::kNode, options.registry->node().name,
            ApiAccess::kRead)) {
      json.Raw(options.member());
    }
    json.EndArray();
  }
  ReplyJson(request, std::move(text), reply);
}

AgentApi::AgentApi(AgentApiOptions options)
    : impl_(std::make_shared<Impl>(std::move(options))) {}

AgentApi::~AgentApi() = default;

void AgentApi::Changed() { impl_->Wake(); }

std::vector<Route> AgentApi::Routes() {
  const auto make = [this](const char* method, const char* path,
                           Impl::Handler handler) {
    return impl_->MakeRoute(method, path, handler);
  };
  return {
      make("GET", "/v1/agent/services", &Impl::Services),
      make("GET", "/v1/agent/service/", &Impl::Service),
      make("GET", "/v1/agent/checks", &Impl::Checks),
      make("GET", "/v1/agent/members", &Impl::Members),
      make("GET", "/v1/agent/health/service/id/", &Impl::HealthById),
      make("GET", "/v1/agent/health/service/name/", &Impl::HealthByName),
      make("PUT", "/v1/agent/service/register", &Impl::RegisterService),
      make("PUT", "/v1/agent/service/deregister/", &Impl::DeregisterService),
      make("PUT", "/v1/agent/service/maintenance/", &Impl::MaintainService),
      make("PUT", "/v1/agent/maintenance", &Impl::MaintainNode),
      make("PUT", "/v1/agent/check/register", &Impl::RegisterCheck),
      make("PUT", "/v1/agent/check/deregister/", &Impl::DeregisterCheck),
      make("PUT", "/v1/agent/check/pass/", &Impl::PassCheck),
      make("PUT", "/v1/agent/check/warn/", &Impl::WarnCheck),
      make("PUT", "/v1/agent/check/fail/", &Impl::FailCheck),
      make("PUT", "/v1/agent/check/update/", &Impl::UpdateCheck),
      make("PUT", "/v1/agent/leave", &Impl::Leave),
      make("PUT", "/v1/agent/force-leave/", &Impl::ForceLeave),
      make("PUT", "/v1/agent/join/", &Impl::Join),
  };
}

}  // namespace dnsd
