#include "catalog/registry/checks/check_entry.h"

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "catalog/base/log.h"
#include "catalog/registry/checks/go_text.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

auto RunFields(const CheckDefinition& check) {
  return std::tie(
      check.service_id, check.args, check.docker_container_id, check.http,
      check.method, check.header, check.body, check.disable_redirects,
      check.tcp, check.tcp_use_tls, check.udp, check.grpc, check.grpc_use_tls,
      check.h2ping, check.h2ping_use_tls, check.os_service, check.alias_node,
      check.alias_service, check.tls_server_name, check.tls_skip_verify,
      check.interval, check.timeout, check.ttl, check.success_before_passing,
      check.failures_before_warning, check.failures_before_critical,
      check.output_max_size);
}

absl::Status CheckScripts(const CheckRunnerOptions& options,
                          CheckOrigin origin) {
  if (origin == CheckOrigin::kRemote && !options.remote_scripts) {
    return absl::PermissionDeniedError(
        "Scripts are disabled on this agent from remote calls; to enable, "
        "configure 'enable_script_checks' to true");
  }
  if (!options.local_scripts && !options.remote_scripts) {
    return absl::PermissionDeniedError(
        "Scripts are disabled on this agent; to enable, configure "
        "'enable_script_checks' or 'enable_local_script_checks' to true");
  }
  return absl::OkStatus();
}

void Raise(const CheckDefinition& check, const char* what,
           std::chrono::nanoseconds least, std::chrono::nanoseconds* value) {
  if (value->count() <= 0 || *value >= least) return;
  LogWarn("agent", absl::StrCat("check has ", what, " below minimum"),
          {{"check", check.id},
           {what, GoDuration(*value)},
           {"minimum", GoDuration(least)}});
  *value = least;
}

}  // namespace

bool RunsProgram(CheckKind kind) {
  return kind == CheckKind::kScript || kind == CheckKind::kDocker;
}

absl::Status PrepareCheck(const CheckRunnerOptions& options, CheckOrigin origin,
                          CheckDefinition* definition) {
  if (definition->id.empty()) {
    return absl::InvalidArgumentError("CheckID missing");
  }
  const CheckKind kind = KindOf(*definition);
  if (kind == CheckKind::kNone) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Check ", GoQuoted(definition->id), " is not valid: nothing to run"));
  }
  if (kind == CheckKind::kOsService) {
    return absl::UnimplementedError(
        absl::StrCat("Check ", GoQuoted(definition->id), ": os_service ",
                     GoQuoted(definition->os_service),
                     " is not supported on this platform"));
  }
  const bool is_polled = kind != CheckKind::kTtl && kind != CheckKind::kAlias;
  if (is_polled && definition->interval.count() <= 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("Check is not valid: Interval must be > 0 for Script, "
                     "HTTP, H2PING, TCP, UDP or OSService checks: ",
                     GoQuoted(definition->id)));
  }
  if (RunsProgram(kind)) {
    if (definition->args.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "Check ", GoQuoted(definition->id), " is not valid: no args"));
    }
    const absl::Status allowed = CheckScripts(options, origin);
    if (!allowed.ok()) return allowed;
  }
  Raise(*definition, "interval", options.interval_min, &definition->interval);
  Raise(*definition, "deregister_critical_service_after",
        options.deregister_min, &definition->deregister_critical_service_after);
  definition->output_max_size =
      definition->output_max_size > 0
          ? std::min(definition->output_max_size, options.output_bytes_max)
          : options.output_bytes_max;
  return absl::OkStatus();
}

bool IsSameRun(const CheckDefinition& a, const CheckDefinition& b) {
  return RunFields(a) == RunFields(b);
}

}  // namespace dnsd
