// PUT /v1/agent/check/register, and the checks within a service.
#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/body_parts.h"

namespace dnsd {
namespace {

using std::chrono::nanoseconds;

// Consul polls no faster than this (section 4.2).
constexpr nanoseconds kIntervalMin = std::chrono::seconds(1);
// check_deregister_interval_min's default.
constexpr nanoseconds kDeregisterMin = std::chrono::minutes(1);

int ReadCount(const GoObject& object, GoObject::Names names, int otherwise) {
  int64_t count = otherwise;
  if (!object.Int(names, &count)) return otherwise;
  constexpr int64_t kMax = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp<int64_t>(count, -1, kMax));
}

void ReadTargets(const GoObject& object, CheckDefinition* check) {
  object.Strings({"args", "ScriptArgs", "script_args"}, &check->args);
  object.String({"DockerContainerID", "docker_container_id"},
                &check->docker_container_id);
  object.String({"Shell"}, &check->shell);
  object.String({"HTTP"}, &check->http);
  object.String({"Method"}, &check->method);
  object.StringLists({"Header"}, &check->header);
  object.String({"Body"}, &check->body);
  object.Bool({"DisableRedirects", "disable_redirects"},
              &check->disable_redirects);
  object.String({"TCP"}, &check->tcp);
  object.Bool({"TCPUseTLS", "tcp_use_tls"}, &check->tcp_use_tls);
  object.String({"UDP"}, &check->udp);
  object.String({"GRPC"}, &check->grpc);
  object.Bool({"GRPCUseTLS", "grpc_use_tls"}, &check->grpc_use_tls);
  object.String({"H2PING"}, &check->h2ping);
  object.Bool({"H2PingUseTLS", "h2ping_use_tls"}, &check->h2ping_use_tls);
  object.String({"OSService", "os_service"}, &check->os_service);
  object.String({"AliasNode", "alias_node"}, &check->alias_node);
  object.String({"AliasService", "alias_service"}, &check->alias_service);
  object.String({"TLSServerName", "tls_server_name"}, &check->tls_server_name);
  object.Bool({"TLSSkipVerify", "tls_skip_verify"}, &check->tls_skip_verify);
  if (check->method.empty() && !check->http.empty()) check->method = "GET";
}

void ReadTimes(const GoObject& object, CheckDefinition* check) {
  object.Duration({"Interval"}, &check->interval);
  object.Duration({"Timeout"}, &check->timeout);
  object.Duration({"TTL"}, &check->ttl);
  object.Duration(
      {"DeregisterCriticalServiceAfter", "deregister_critical_service_after"},
      &check->deregister_critical_service_after);
}

void ReadThresholds(const GoObject& object, CheckDefinition* check) {
  check->success_before_passing = std::max(
      0,
      ReadCount(object, {"SuccessBeforePassing", "success_before_passing"}, 0));
  check->failures_before_critical = std::max(
      0, ReadCount(object,
                   {"FailuresBeforeCritical", "failures_before_critical"}, 0));
  check->failures_before_warning = std::max(
      0, ReadCount(object, {"FailuresBeforeWarning", "failures_before_warning"},
                   check->failures_before_critical));
}

// CheckType.Validate().
std::optional<std::string> KindError(const CheckDefinition& check,
                                     int output_size) {
  const bool is_alias =
      !check.alias_node.empty() || !check.alias_service.empty();
  const bool is_newer =
      !check.udp.empty() || !check.h2ping.empty() || !check.os_service.empty();
  const bool is_polled = is_newer || !check.args.empty() ||
                         !check.http.empty() || !check.tcp.empty() ||
                         !check.grpc.empty();
  const bool has_interval = check.interval.count() > 0;
  const bool has_ttl = check.ttl.count() > 0;
  if (has_interval && has_ttl) {
    return "Interval and TTL cannot both be specified";
  }
  if (is_polled && !has_interval) {
    return is_newer ? "Interval must be > 0 for Script, HTTP, H2PING, TCP, UDP "
                      "or OSService checks"
                    : "Interval must be > 0 for Script, HTTP, or TCP checks";
  }
  if (is_polled && is_alias) return "Interval cannot be set for Alias checks";
  if (is_alias && has_ttl) return "TTL must be not be set for Alias checks";
  if (!is_polled && !is_alias && !has_ttl) {
    return "TTL must be > 0 for TTL checks";
  }
  if (output_size < 0) return "MaxOutputMaxSize must be positive";
  if (check.failures_before_warning > check.failures_before_critical) {
    return "FailuresBeforeWarning can't be higher than FailuresBeforeCritical";
  }
  return std::nullopt;
}

// Of several kinds the one that Consul calls it by is run.
void KeepOneKind(CheckDefinition* check) {
  std::string* const kinds[] = {&check->grpc, &check->http,
                                &check->tcp,  &check->h2ping,
                                &check->udp,  &check->os_service};
  bool has_one = false;
  for (std::string* kind : kinds) {
    if (has_one) kind->clear();
    has_one = has_one || !kind->empty();
  }
  if (has_one) check->args.clear();
  if (check->args.empty()) {
    check->docker_container_id.clear();
    check->shell.clear();
  }
  const bool is_alias =
      !check->alias_node.empty() || !check->alias_service.empty();
  // Neither of these two is polled.
  if (is_alias || check->ttl.count() > 0) check->interval = {};
}

void Bound(int output_size, CheckDefinition* check) {
  if (check->interval.count() < 0) check->interval = {};
  if (check->interval.count() > 0) {
    check->interval = std::max(check->interval, kIntervalMin);
  }
  check->timeout = std::max(check->timeout, nanoseconds(0));
  check->ttl = std::max(check->ttl, nanoseconds(0));
  nanoseconds* after = &check->deregister_critical_service_after;
  *after =
      after->count() > 0 ? std::max(*after, kDeregisterMin) : nanoseconds(0);
  if (output_size > 0) check->output_max_size = output_size;
}

void PutDuration(absl::string_view key, nanoseconds duration,
                 JsonWriter* json) {
  if (duration.count() == 0) return;
  json->Key(key);
  json->Int(duration.count());
}

void PutBool(absl::string_view key, bool value, JsonWriter* json) {
  if (!value) return;
  json->Key(key);
  json->Bool(true);
}

void PutTargets(const CheckDefinition& check, JsonWriter* json) {
  PutTexts("Args", check.args, json);
  PutText("DockerContainerID", check.docker_container_id, json);
  PutText("Shell", check.shell, json);
  PutText("HTTP", check.http, json);
  PutText("Method", check.method, json);
  if (!check.header.empty()) {
    json->Key("Header");
    json->BeginObject();
    for (const auto& [name, values] : check.header) {
      json->Key(name);
      json->Strings(values);
    }
    json->EndObject();
  }
  PutText("Body", check.body, json);
  PutBool("DisableRedirects", check.disable_redirects, json);
  PutText("TCP", check.tcp, json);
  PutBool("TCPUseTLS", check.tcp_use_tls, json);
  PutText("UDP", check.udp, json);
  PutText("GRPC", check.grpc, json);
  PutBool("GRPCUseTLS", check.grpc_use_tls, json);
  PutText("H2PING", check.h2ping, json);
  json->Key("H2PingUseTLS");
  json->Bool(check.h2ping_use_tls);
  PutText("OSService", check.os_service, json);
  PutText("AliasNode", check.alias_node, json);
  PutText("AliasService", check.alias_service, json);
  PutText("TLSServerName", check.tls_server_name, json);
  PutBool("TLSSkipVerify", check.tls_skip_verify, json);
}

void PutLimits(const CheckDefinition& check, JsonWriter* json) {
  PutDuration("Interval", check.interval, json);
  PutDuration("Timeout", check.timeout, json);
  PutDuration("TTL", check.ttl, json);
  PutDuration("DeregisterCriticalServiceAfter",
              check.deregister_critical_service_after, json);
  json->Key("SuccessBeforePassing");
  json->Int(check.success_before_passing);
  json->Key("FailuresBeforeWarning");
  json->Int(check.failures_before_warning);
  json->Key("FailuresBeforeCritical");
  json->Int(check.failures_before_critical);
  json->Key("OutputMaxSize");
  json->Int(check.output_max_size);
}

}  // namespace

std::optional<HealthStatus> ParseHealthStatus(absl::string_view status) {
  for (const HealthStatus known :
       {HealthStatus::kPassing, HealthStatus::kWarning,
        HealthStatus::kCritical}) {
    if (status == HealthStatusName(known)) return known;
  }
  return std::nullopt;
}

CheckParts ReadCheckParts(const GoObject& object, GoErrors* errors) {
  CheckParts parts;
  CheckDefinition& check = parts.definition;
  object.String({"ID", "CheckID", "id", "check_id"}, &check.id);
  object.String({"Name"}, &check.name);
  object.String({"Notes"}, &check.notes);
  object.String({"ServiceID", "service_id"}, &check.service_id);
  object.String({"Token"}, &check.token);
  object.String({"Status"}, &parts.status);
  check.status =
      ParseHealthStatus(parts.status).value_or(HealthStatus::kCritical);
  ReadTargets(object, &check);
  ReadThresholds(object, &check);
  const int output_size =
      ReadCount(object, {"OutputMaxSize", "output_max_size"}, 0);
  ReadTimes(object, &check);
  if (!errors->ok()) return parts;
  parts.kind_error = KindError(check, output_size);
  if (parts.kind_error) return parts;
  KeepOneKind(&check);
  Bound(output_size, &check);
  return parts;
}

absl::StatusOr<CheckDefinition> DecodeCheckBody(absl::string_view json) {
  const absl::StatusOr<Value> value = ParseBody(json);
  if (!value.ok()) return value.status();
  GoErrors errors;
  const GoObject object(*value, {}, "structs.CheckDefinition", &errors);
  CheckParts parts = ReadCheckParts(object, &errors);
  object.RejectOthers(kNewerOfChecks);
  CheckDefinition& check = parts.definition;
  if (!errors.ok()) return DecodeFailed(errors.first());
  if (check.name.empty()) {
    return absl::InvalidArgumentError("Missing check name");
  }
  if (!parts.status.empty() && !ParseHealthStatus(parts.status)) {
    return absl::InvalidArgumentError("Bad check status");
  }
  if (parts.kind_error) {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid check: ", *parts.kind_error));
  }
  if (check.id.empty()) check.id = check.name;
  return std::move(check);
}

absl::StatusOr<CheckUpdate> DecodeCheckUpdate(absl::string_view json) {
  const absl::StatusOr<Value> value = ParseBody(json);
  if (!value.ok()) return value.status();
  GoErrors errors;
  const GoObject object(*value, {"checkUpdate", "", ""}, "agent.checkUpdate",
                        &errors);
  CheckUpdate update;
  std::string text;
  object.String({"Status"}, &text);
  object.String({"Output"}, &update.output);
  object.RejectOthers();
  if (!errors.ok()) return DecodeFailed(errors.first());
  const std::optional<HealthStatus> status = ParseHealthStatus(text);
  if (!status) {
    return absl::InvalidArgumentError(
        absl::StrCat("Invalid check status: '", text, "'"));
  }
  update.status = *status;
  return update;
}

std::string EncodeCheck(const CheckDefinition& check) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  PutText("ID", check.id, &json);
  PutText("Name", check.name, &json);
  PutText("Notes", check.notes, &json);
  PutText("ServiceID", check.service_id, &json);
  PutText("Token", check.token, &json);
  PutText("Status", HealthStatusName(check.status), &json);
  PutTargets(check, &json);
  PutLimits(check, &json);
  json.EndObject();
  return text;
}

}  // namespace dnsd
