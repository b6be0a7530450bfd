// Check definitions: fields, kinds, and the rules Consul applies when a check
// is registered.
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/registry/body_parts.h"
#include "catalog/registry/definition.h"
#include "catalog/registry/fields.h"

namespace dnsd {
namespace {

using std::chrono::nanoseconds;

constexpr int kIntMax = std::numeric_limits<int>::max();
// Consul polls no faster than this (section 4.2).
constexpr nanoseconds kIntervalMin = std::chrono::seconds(1);
// check_deregister_interval_min's default.
constexpr nanoseconds kDeregisterMin = std::chrono::minutes(1);

constexpr Fields::Alias kAliases[] = {
    {"check_id", "id"},
    {"checkid", "id"},
    {"script_args", "args"},
    {"scriptargs", "args"},
    {"serviceid", "service_id"},
    {"dockercontainerid", "docker_container_id"},
    {"tlsskipverify", "tls_skip_verify"},
    {"deregistercriticalserviceafter", "deregister_critical_service_after"},
};

void ReadStatus(Fields* fields, CheckDefinition* check, Problems* problems) {
  std::string status;
  if (!fields->String("status", &status) || status.empty()) return;
  if (const auto known = ParseHealthStatus(status)) {
    check->status = *known;
    return;
  }
  problems->Error(
      fields->PlaceOf("status"),
      absl::StrCat(Quoted(status), " is not passing, warning or critical"));
}

void ReadHeader(Fields* fields, CheckDefinition* check, Problems* problems) {
  const Value* value = fields->Take("header");
  if (value == nullptr) return;
  const Value& object = Unwrap(*value);
  if (object.kind != Value::Kind::kObject) {
    problems->Error(fields->PlaceOf("header"),
                    absl::StrCat("must be one map, not ", Describe(*value)));
    return;
  }
  for (const Member& member : object.members) {
    Place place = fields->PlaceOf("header");
    absl::StrAppend(&place.key, "[", member.key, "]");
    if (member.line > 0) place.line = member.line;
    std::vector<std::string> values;
    if (ReadStrings(member.value, place, problems, &values)) {
      check->header[member.key] = std::move(values);
    }
  }
}

void ReadTimes(Fields* fields, CheckDefinition* check, Problems* problems) {
  if (fields->Duration("interval", &check->interval) &&
      check->interval.count() > 0 && check->interval < kIntervalMin) {
    problems->Warn(fields->PlaceOf("interval"), "raised to the least, 1s");
    check->interval = kIntervalMin;
  }
  fields->Duration("timeout", &check->timeout);
  fields->Duration("ttl", &check->ttl);
  const char* const deregister = "deregister_critical_service_after";
  nanoseconds* after = &check->deregister_critical_service_after;
  if (fields->Duration(deregister, after) && after->count() > 0 &&
      *after < kDeregisterMin) {
    problems->Warn(fields->PlaceOf(deregister), "raised to the least, 1m");
    *after = kDeregisterMin;
  }
}

void ReadThresholds(Fields* fields, CheckDefinition* check,
                    Problems* problems) {
  fields->Int("success_before_passing", 0, kIntMax,
              &check->success_before_passing);
  fields->Int("failures_before_critical", 0, kIntMax,
              &check->failures_before_critical);
  check->failures_before_warning = check->failures_before_critical;
  if (fields->Int("failures_before_warning", 0, kIntMax,
                  &check->failures_before_warning) &&
      check->failures_before_warning > check->failures_before_critical) {
    problems->Error(fields->PlaceOf("failures_before_warning"),
                    absl::StrCat(check->failures_before_warning,
                                 " is more than failures_before_critical, ",
                                 check->failures_before_critical));
  }
  fields->Int("output_max_size", 1, kIntMax, &check->output_max_size);
}

void ReadTargets(Fields* fields, CheckDefinition* check) {
  fields->Strings("args", &check->args);
  fields->String("docker_container_id", &check->docker_container_id);
  fields->String("shell", &check->shell);
  fields->String("http", &check->http);
  fields->String("method", &check->method);
  fields->String("body", &check->body);
  fields->Bool("disable_redirects", &check->disable_redirects);
  fields->String("tcp", &check->tcp);
  fields->Bool("tcp_use_tls", &check->tcp_use_tls);
  fields->String("udp", &check->udp);
  fields->String("grpc", &check->grpc);
  fields->Bool("grpc_use_tls", &check->grpc_use_tls);
  fields->String("h2ping", &check->h2ping);
  fields->Bool("h2ping_use_tls", &check->h2ping_use_tls);
  fields->String("os_service", &check->os_service);
  fields->String("alias_node", &check->alias_node);
  fields->String("alias_service", &check->alias_service);
  fields->String("tls_server_name", &check->tls_server_name);
  fields->Bool("tls_skip_verify", &check->tls_skip_verify);
  if (check->method.empty() && !check->http.empty()) check->method = "GET";
}

bool IsAlias(const CheckDefinition& check) {
  return !check.alias_node.empty() || !check.alias_service.empty();
}

// The keys that each make the check another kind.
std::vector<std::string> Kinds(const CheckDefinition& check) {
  std::vector<std::string> kinds;
  if (!check.docker_container_id.empty()) {
    kinds.push_back("docker_container_id");
  } else if (!check.args.empty()) {
    kinds.push_back("args");
  }
  if (!check.http.empty()) kinds.push_back("http");
  if (!check.tcp.empty()) kinds.push_back("tcp");
  if (!check.udp.empty()) kinds.push_back("udp");
  if (!check.grpc.empty()) kinds.push_back("grpc");
  if (!check.h2ping.empty()) kinds.push_back("h2ping");
  if (!check.os_service.empty()) kinds.push_back("os_service");
  if (IsAlias(check)) kinds.push_back("alias_service");
  if (check.ttl.count() > 0) kinds.push_back("ttl");
  return kinds;
}

void CheckKind(const Fields& fields, const CheckDefinition& check,
               Problems* problems) {
  const std::vector<std::string> kinds = Kinds(check);
  if (kinds.empty()) {
    problems->Error(fields.where(),
                    "a check needs one of http, tcp, udp, grpc, h2ping, args, "
                    "os_service, alias_service or ttl");
    return;
  }
  const bool is_ttl = check.ttl.count() > 0;
  const bool has_interval = check.interval.count() > 0;
  if (is_ttl && has_interval) {
    problems->Error(fields.PlaceOf("interval"),
                    "interval and ttl cannot both be given");
  }
  if (kinds.size() > 1) {
    problems->Error(fields.where(), absl::StrCat("a check has one kind, not ",
                                                 absl::StrJoin(kinds, ", ")));
    return;
  }
  if (IsAlias(check) && has_interval) {
    problems->Error(fields.PlaceOf("interval"),
                    "an alias check cannot have an interval");
  }
  if (!is_ttl && !IsAlias(check) && !has_interval) {
    problems->Error(fields.where(),
                    absl::StrCat("a check with ", kinds[0],
                                 " needs an interval greater than 0"));
  }
  if (!check.docker_container_id.empty() && check.args.empty()) {
    problems->Error(fields.where(),
                    "a check with docker_container_id needs args");
  }
}

void CheckTargets(const Fields& fields, const CheckDefinition& check,
                  Problems* problems) {
  if (!check.http.empty() &&
      !absl::StartsWithIgnoreCase(check.http, "http://") &&
      !absl::StartsWithIgnoreCase(check.http, "https://")) {
    problems->Error(
        fields.PlaceOf("http"),
        absl::StrCat(Quoted(check.http), " is not an http:// or https:// URL"));
  }
  const auto needs_port = [&](const char* name, const std::string& target) {
    if (target.empty() || absl::StrContains(target, ":")) return;
    problems->Error(fields.PlaceOf(name),
                    absl::StrCat(Quoted(target), " is not host:port"));
  };
  needs_port("tcp", check.tcp);
  needs_port("udp", check.udp);
  needs_port("h2ping", check.h2ping);
  needs_port("grpc", check.grpc);
}

}  // namespace

CheckDefinition DecodeCheck(const Value& value, const Place& where,
                            Problems* problems) {
  CheckDefinition check;
  check.place = where;
  const size_t errors_before = problems->errors().size();
  Fields fields(value, where, problems, kAliases);
  fields.String("id", &check.id);
  fields.String("name", &check.name);
  fields.String("notes", &check.notes);
  fields.String("service_id", &check.service_id);
  fields.String("token", &check.token);
  ReadStatus(&fields, &check, problems);
  ReadTargets(&fields, &check);
  ReadHeader(&fields, &check, problems);
  ReadTimes(&fields, &check, problems);
  ReadThresholds(&fields, &check, problems);
  // Consul Enterprise's tenancy: one tenant here.
  fields.Accept({"namespace", "partition"});
  fields.Finish();
  // A field that could not be read would be reported again as missing.
  if (problems->errors().size() == errors_before) {
    CheckKind(fields, check, problems);
    CheckTargets(fields, check, problems);
  }
  return check;
}

}  // namespace dnsd
