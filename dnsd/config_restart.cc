#include "dnsd/config_restart.h"

#include "catalog/base/log.h"

namespace dnsd {
namespace {

template <typename T>
void Keep(const char* setting, const T& old, T* now) {
  if (*now == old) return;
  LogWarn("agent", "A change of this setting needs a restart",
          {{"setting", setting}});
  *now = old;
}

// Who runs checks was told when it started.
void KeepChecks(const CheckSettings& old, CheckSettings* now) {
  Keep("enable_script_checks", old.enable_scripts, &now->enable_scripts);
  Keep("enable_local_script_checks", old.enable_local_scripts,
       &now->enable_local_scripts);
  Keep("check_output_max_size", old.output_bytes_max, &now->output_bytes_max);
  Keep("check_update_interval", old.update_interval, &now->update_interval);
  Keep("check_reap_interval", old.reap_interval, &now->reap_interval);
  Keep("check_deregister_interval_min", old.deregister_after_min,
       &now->deregister_after_min);
}

}  // namespace

void KeepWhatNeedsRestart(const Config& old, Config* now) {
  // It may have been made when the process started.
  if (now->node.id.empty()) now->node.id = old.node.id;
  Keep("node_id", old.node.id, &now->node.id);
  Keep("consul", old.consul, &now->consul);
  Keep("node_name", old.node.name, &now->node.name);
  Keep("datacenter", old.node.datacenter, &now->node.datacenter);
  Keep("domain", old.policy.domain, &now->policy.domain);
  Keep("alt_domain", old.policy.alt_domain, &now->policy.alt_domain);
  Keep("addresses.dns", old.dns_listen, &now->dns_listen);
  Keep("addresses.http", old.http_listen, &now->http_listen);
  Keep("addresses.https", old.https_listen, &now->https_listen);
  Keep("ports.server", old.server_port, &now->server_port);
  Keep("limits.https_handshake_timeout", old.https_handshake_ms,
       &now->https_handshake_ms);
  Keep("zone_transfer", old.transfer, &now->transfer);
  Keep("workers", old.workers, &now->workers);
  Keep("log_file", old.log_file, &now->log_file);
  Keep("enable_syslog", old.enable_syslog, &now->enable_syslog);
  Keep("syslog_facility", old.syslog_facility, &now->syslog_facility);
  Keep("pid_file", old.pid_file, &now->pid_file);
  Keep("data_dir", old.data_dir, &now->data_dir);
  Keep("log_json", old.log_json, &now->log_json);
  KeepChecks(old.check_settings, &now->check_settings);
  now->policy.has_secondaries = old.policy.has_secondaries;
  now->policy.datacenter = old.policy.datacenter;
  now->policy.node_name = old.policy.node_name;
}

}  // namespace dnsd
