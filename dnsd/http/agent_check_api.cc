// PUT /v1/agent/check/.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/go_json.h"
#include "dnsd/http/agent_api_impl.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

// Consul's check_output_max_size.
constexpr size_t kOutputBytesMax = 4096;

constexpr absl::string_view kDeregisterPath = "/v1/agent/check/deregister/";
constexpr absl::string_view kPassPath = "/v1/agent/check/pass/";
constexpr absl::string_view kWarnPath = "/v1/agent/check/warn/";
constexpr absl::string_view kFailPath = "/v1/agent/check/fail/";
constexpr absl::string_view kUpdatePath = "/v1/agent/check/update/";

std::string Cut(std::string output) {
  const size_t bytes = output.size();
  if (bytes <= kOutputBytesMax) return output;
  return absl::StrCat(output.substr(0, kOutputBytesMax), " ... (captured ",
                      kOutputBytesMax, " of ", bytes, " bytes)");
}

}  // namespace

absl::Status AgentApi::Impl::JudgeScripts(
    const std::vector<CheckDefinition>& checks) const {
  const bool has_script =
      std::any_of(checks.begin(), checks.end(),
                  [](const CheckDefinition& c) { return !c.args.empty(); });
  if (!has_script || options.runs_scripts) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "Scripts are disabled on this agent from remote calls; to enable, "
      "configure 'enable_script_checks' to true");
}

void AgentApi::Impl::RegisterCheck(const HttpRequest& request,
                                   const HttpReply& reply) {
  if (RefusesTenant(request, reply)) return;
  absl::StatusOr<CheckDefinition> check = DecodeCheckBody(request.body);
  if (!check.ok()) return ReplyError(check.status(), reply);
  if (!check->service_id.empty() &&
      agent().FindService(check->service_id) == nullptr) {
    return ReplyText(500,
                     absl::StrCat("ServiceID ", GoQuoted(check->service_id),
                                  " does not exist"),
                     reply);
  }
  const AgentCheck* const old = agent().FindCheck(check->id);
  if (!MayCheck(request, check->service_id, ApiAccess::kWrite) ||
      (old != nullptr &&
       !MayCheck(request, old->check.service_id, ApiAccess::kWrite))) {
    return ReplyDenied(reply);
  }
  const absl::Status status = JudgeScripts({*check});
  if (!status.ok()) return ReplyError(status, reply);
  options.registry->RegisterCheck(*std::move(check), Answer(reply));
}

void AgentApi::Impl::DeregisterCheck(const HttpRequest& request,
                                     const HttpReply& reply) {
  if (RefusesTenant(request, reply)) return;
  const std::string id(PathRest(request, kDeregisterPath));
  if (id.empty()) return ReplyText(500, "CheckID missing", reply);
  const AgentCheck* const check = agent().FindCheck(id);
  // Consul 1.8 is content with what is gone already.
  if (check == nullptr) return ReplyEmpty(reply);
  if (!MayCheck(request, check->check.service_id, ApiAccess::kWrite)) {
    return ReplyDenied(reply);
  }
  options.registry->DeregisterCheck(id, Answer(reply));
}

void AgentApi::Impl::SetCheck(const HttpRequest& request, const std::string& id,
                              HealthStatus status, std::string output,
                              const HttpReply& reply) {
  if (RefusesTenant(request, reply)) return;
  const AgentCheck* const check = agent().FindCheck(id);
  if (check != nullptr &&
      !MayCheck(request, check->check.service_id, ApiAccess::kWrite)) {
    return ReplyDenied(reply);
  }
  if (check == nullptr || check->definition.ttl.count() <= 0) {
    return ReplyText(
        500,
        absl::StrCat("CheckID ", GoQuoted(id), " does not have associated TTL"),
        reply);
  }
  options.registry->UpdateCheck(id, status, Cut(std::move(output)),
                                Answer(reply));
}

void AgentApi::Impl::PassCheck(const HttpRequest& request,
                               const HttpReply& reply) {
  SetCheck(request, std::string(PathRest(request, kPassPath)),
           HealthStatus::kPassing,
           QueryValue(request.query, "note").value_or(""), reply);
}

void AgentApi::Impl::WarnCheck(const HttpRequest& request,
                               const HttpReply& reply) {
  SetCheck(request, std::string(PathRest(request, kWarnPath)),
           HealthStatus::kWarning,
           QueryValue(request.query, "note").value_or(""), reply);
}

void AgentApi::Impl::FailCheck(const HttpRequest& request,
                               const HttpReply& reply) {
  SetCheck(request, std::string(PathRest(request, kFailPath)),
           HealthStatus::kCritical,
           QueryValue(request.query, "note").value_or(""), reply);
}

void AgentApi::Impl::UpdateCheck(const HttpRequest& request,
                                 const HttpReply& reply) {
  absl::StatusOr<CheckUpdate> update = DecodeCheckUpdate(request.body);
  if (!update.ok()) return ReplyError(update.status(), reply);
  SetCheck(request, std::string(PathRest(request, kUpdatePath)), update->status,
           std::move(update->output), reply);
}

}  // namespace dnsd
