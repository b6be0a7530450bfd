// GET /v1/agent/health/service/: a service's health as one status, for load
// balancers and monitors.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/json_write.h"
#include "dnsd/http/agent_api_impl.h"
#include "dnsd/http/agent_json.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

constexpr absl::string_view kByIdPath = "/v1/agent/health/service/id/";
constexpr absl::string_view kByNamePath = "/v1/agent/health/service/name/";

// Ordered from good to bad. Maintenance is worse than critical.
enum class Aggregate : uint8_t { kPassing, kWarning, kCritical, kMaintenance };

const char* AggregateName(Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::kPassing:
      return "passing";
    case Aggregate::kWarning:
      return "warning";
    case Aggregate::kCritical:
      return "critical";
    case Aggregate::kMaintenance:
      return "maintenance";
  }
  return "";
}

int AggregateStatus(Aggregate aggregate) {
  switch (aggregate) {
    case Aggregate::kPassing:
      return 200;
    case Aggregate::kWarning:
      return 429;
    case Aggregate::kCritical:
    case Aggregate::kMaintenance:
      return 503;
  }
  return 500;
}

Aggregate Judge(const Check& check) {
  if (check.id == "_node_maintenance" ||
      absl::StartsWith(check.id, "_service_maintenance:")) {
    return Aggregate::kMaintenance;
  }
  return static_cast<Aggregate>(check.status);
}

// Those of the node and those of the service.
std::vector<const Check*> ChecksOf(const AgentState& agent,
                                   const std::string& service_id) {
  std::vector<const Check*> checks;
  for (const auto& [id, owned] : agent.checks()) {
    const absl::string_view of = owned.check.service_id;
    if (of.empty() || of == service_id) checks.push_back(&owned.check);
  }
  return checks;
}

// Writes {"AggregatedStatus","Service","Checks"}.
Aggregate WriteHealth(const AgentState& agent, const std::string& node,
                      const ServiceInstance& instance, JsonWriter* json) {
  Aggregate worst = Aggregate::kPassing;
  const std::vector<const Check*> checks = ChecksOf(agent, instance.id);
  for (const Check* check : checks) worst = std::max(worst, Judge(*check));
  json->BeginObject();
  json->Key("AggregatedStatus");
  json->String(AggregateName(worst));
  json->Key("Service");
  WriteAgentService(instance, "", json);
  json->Key("Checks");
  if (checks.empty()) {
    json->Null();
  } else {
    json->BeginArray();
    for (const Check* check : checks) {
      WriteAgentCheck(node, *check,
                      check->service_id.empty() ? nullptr : &instance,
                      AgentCheckShape::kBare, json);
    }
    json->EndArray();
  }
  json->EndObject();
  return worst;
}

bool IsTextWanted(const HttpRequest& request) {
  return QueryValue(request.query, "format") == "text";
}

void ReplyReason(const HttpRequest& request, int status,
                 const std::string& reason, std::string json,
                 const HttpReply& reply) {
  HttpResponse response;
  if (IsTextWanted(request)) {
    response.content_type = "text/plain";
    response.body = reason;
  } else {
    response = JsonAnswer(request, std::move(json));
  }
  response.status = status;
  response.headers.emplace_back("X-Consul-Reason", reason);
  reply(std::move(response));
}

}  // namespace

void AgentApi::Impl::HealthById(const HttpRequest& request,
                                const HttpReply& reply) {
  if (RefusesTenant(request, reply)) return;
  const std::string id(PathRest(request, kByIdPath));
  if (id.empty()) {
    ReplyText(500, "Bad request: Missing serviceID", reply);
    return;
  }
  std::string text;
  JsonWriter json(&text);
  const AgentService* const service = agent().FindService(id);
  if (service == nullptr) {
    // As JSON in either format, for Consul sends it so.
    const std::string reason = absl::StrCat("ServiceId ", id, " not found");
    if (IsTextWanted(request)) {
      json.String(reason);
    } else {
      json.Raw(
          "{\"AggregatedStatus\":\"critical\",\"Service\":null,"
          "\"Checks\":null}");
    }
    HttpResponse response = JsonAnswer(request, std::move(text));
    response.status = 404;
    response.headers.emplace_back("X-Consul-Reason", reason);
    reply(std::move(response));
    return;
  }
  if (!May(request, ApiResource::kService, service->instance.name,
           ApiAccess::kRead)) {
    ReplyDenied(reply);
    return;
  }
  const Aggregate health = WriteHealth(agent(), options.registry->node().name,
                                       service->instance, &json);
  ReplyReason(request, AggregateStatus(health), AggregateName(health),
              std::move(text), reply);
}

void AgentApi::Impl::HealthByName(const HttpRequest& request,
                                  const HttpReply& reply) {
  if (RefusesTenant(request, reply)) return;
  const std::string name(PathRest(request, kByNamePath));
  if (name.empty()) {
    ReplyText(500, "Bad request: Missing service Name", reply);
    return;
  }
  if (!May(request, ApiResource::kService, name, ApiAccess::kRead)) {
    ReplyDenied(reply);
    return;
  }
  std::string text;
  JsonWriter json(&text);
  Aggregate worst = Aggregate::kPassing;
  bool is_known = false;
  json.BeginArray();
  for (const auto& [id, service] : agent().services()) {
    if (service.instance.name != name) continue;
    is_known = true;
    worst = std::max(worst, WriteHealth(agent(), options.registry->node().name,
                                        service.instance, &json));
  }
  json.EndArray();
  if (!is_known) {
    ReplyReason(request, 404, absl::StrCat("ServiceName ", name, " Not Found"),
                std::move(text), reply);
    return;
  }
  ReplyReason(request, AggregateStatus(worst), AggregateName(worst),
              std::move(text), reply);
}

}  // namespace dnsd
