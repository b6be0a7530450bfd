// Config is everything an agent is told: defaults, then -dev, then files in
// Consul's order, then flags (consul.md section 2; dependencies.md 1.5), and
// which Consul to mirror from the environment when nothing else says it.
//
// Threads: a plain value, read-only after LoadConfig().
// Errors:  all at once, in Problems; a Config with errors is not to be used.
#ifndef DNSD_DNSD_CONFIG_H_
#define DNSD_DNSD_CONFIG_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/base/log.h"
#include "catalog/base/log_syslog.h"
#include "catalog/base/problems.h"
#include "catalog/consul/consul_options.h"
#include "catalog/registry/definition.h"
#include "catalog/types.h"
#include "dnsd/forward/forward_settings.h"
#include "dnsd/forward/ip_network.h"
#include "dnsd/health_limits.h"
#include "dnsd/limits.h"
#include "dnsd/querylog/query_log_options.h"
#include "dnsd/serve/client_limits.h"
#include "dnsd/transfer/transfer_options.h"
#include "zones/policy.h"

namespace dnsd {

class Acl;
class TlsContext;
class TlsTrust;

// An IP address and a port; `ip` is text without brackets.
struct Endpoint {
  std::string ip;
  uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
};

struct ZoneFileConfig {
  std::string name;  // apex, lower case, with the final dot
  std::string file;  // as written; relative to the working directory
  Place place;
};

// A resolver that is asked for names of others.
struct UpstreamConfig {
  Endpoint endpoint;
  bool tls = false;  // only so (RFC 7858)
  // Whom its certificate must be for: a host name, in lower case and without
  // the final dot. Empty: the address.
  std::string tls_name;

  bool operator==(const UpstreamConfig&) const = default;
};

// Whom to ask for the names of a zone of others. `recursors` are that of ".".
struct ForwardRuleConfig {
  std::string zone;                // lower case, with the final dot
  std::vector<UpstreamConfig> to;  // each once; empty: REFUSED
  ForwardStrategy strategy = ForwardStrategy::kFastest;
  std::chrono::nanoseconds timeout = std::chrono::seconds(2);
  bool is_fallthrough = false;  // for what our catalog lacks there

  bool operator==(const ForwardRuleConfig&) const = default;
};

// Consul's defaults.
struct CheckSettings {
  bool enable_scripts = false;        // from files and over HTTP
  bool enable_local_scripts = false;  // from files only
  // How long a change of a check's output alone may wait to be shown.
  std::chrono::nanoseconds update_interval = std::chrono::minutes(5);
  // How often critical services are looked through for those to deregister,
  // and the least time they are given.
  std::chrono::nanoseconds reap_interval = std::chrono::seconds(30);
  std::chrono::nanoseconds deregister_after_min = std::chrono::minutes(1);
  int output_bytes_max = 4096;
};

struct Config {
  // Where it came from; reload reads the same again.
  std::vector<std::string> config_files;  // -config-file, -config-dir: in order
  bool dev = false;

  Node node;  // the local node: name, id, datacenter, addresses, meta
  ZonePolicy policy;

  // Whether a file or a flag says the datacenter: else it is dc1, or what the
  // mirrored Consul says.
  bool datacenter_given = false;

  std::vector<Endpoint> dns_listen;             // empty: DNS is off (port -1)
  std::vector<Endpoint> http_listen;            // empty: HTTP is off
  std::vector<Endpoint> https_listen;           // empty: HTTPS is off
  std::shared_ptr<const TlsContext> https_tls;  // there when HTTPS is on
  size_t http_connections_per_client_max = kHttpConnectionsPerClientMax;
  size_t http_requests_max = kHttpRequestsMax;
  size_t http_requests_per_client_max = kHttpRequestsPerClientMax;
  uint64_t https_handshake_ms = kHttpHandshakeMs;
  bool ui = true;  // the web UI, on both
  // Whom to ask for names that are not ours, each zone once, and who may ask
  // us.
  std::vector<ForwardRuleConfig> forward;
  std::vector<IpNetwork> recursion_allow = DefaultRecursionAllow();
  ForwardCacheLimits forward_cache;
  // There if somebody is asked over TLS.
  std::shared_ptr<const TlsTrust> recursor_trust;

  // Who may copy zones, and who is told of changes.
  TransferOptions transfer;

  // Without it the cookies' secret is random.
  std::optional<SipKey> cookie_secret;
  ClientLimits client_limits;

  std::shared_ptr<const Acl> acl;  // always there

  HealthLimits health;

  int workers = 0;  // 0: one per core
  std::string data_dir;
  std::string pid_file;
  LogLevel log_level = LogLevel::kInfo;
  bool log_json = false;
  LogFileOptions log_file;
  bool enable_syslog = false;
  int syslog_facility = DefaultSyslogFacility();  // syslog(3)'s number
  QueryLogOptions query_log;

  std::vector<ServiceDefinition> services;
  std::vector<CheckDefinition> checks;  // with or without service_id
  CheckSettings check_settings;
  uint16_t server_port = 8300;  // shown for the service "consul"
  std::vector<ZoneFileConfig> zones;

  ConsulOptions consul;  // without addresses: none is mirrored
};

// The value of an environment variable, or "" when it is not set.
using Environment = std::function<std::string(const char* name)>;
// Of this process.
[[nodiscard]] std::string ProcessEnvironment(const char* name);

// Reads flags (without the command's name) and the files they name. Warnings
// go to Problems too. `help` is set when -h or -help was given. Without an
// environment, none of its variables counts.
[[nodiscard]] Config LoadConfig(const std::vector<std::string>& args,
                                bool* help, Problems* problems,
                                const Environment& environment = nullptr);

// Reads files and directories only, as `dnsd validate PATH...` does.
[[nodiscard]] Config LoadConfigFiles(const std::vector<std::string>& paths,
                                     Problems* problems);

// The text `dnsd agent -help` prints.
[[nodiscard]] std::string AgentUsage();

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_H_
