// Service and check definitions as people write them (consul.md section 4),
// decoded from a Value into catalog values. No I/O.
//
// Keys are snake_case, as Consul's files have them; `id` and `check_id`,
// `args` and `script_args` are the aliases Consul knows. A Value that came
// from HCL has its objects wrapped in one-element lists; both are accepted.
//
// Threads: any; no shared state.
// Errors:  go to Problems with file, line and key path; the offending value
//          is named. A definition with an error is still returned as far as
//          it was understood, so that later errors are found too.
#ifndef DNSD_CATALOG_REGISTRY_DEFINITION_H_
#define DNSD_CATALOG_REGISTRY_DEFINITION_H_

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "catalog/base/problems.h"
#include "catalog/base/value.h"
#include "catalog/types.h"

namespace dnsd {

// How a check is run; exactly one of the kinds is set in a valid definition.
// Zero durations mean "not given".
struct CheckDefinition {
  std::string id;    // default: section 4.1's rule
  std::string name;  // default: "Service '<name>' check"
  std::string notes;
  std::string service_id;  // empty: a check of the node
  std::string token;
  HealthStatus status = HealthStatus::kCritical;

  std::vector<std::string> args;
  std::string docker_container_id;
  std::string shell;
  std::string http;
  std::string method;
  std::map<std::string, std::vector<std::string>> header;
  std::string body;
  bool disable_redirects = false;
  std::string tcp;
  bool tcp_use_tls = false;
  std::string udp;
  std::string grpc;
  bool grpc_use_tls = false;
  std::string h2ping;
  bool h2ping_use_tls = true;
  std::string os_service;
  std::string alias_node;
  std::string alias_service;
  std::string tls_server_name;
  bool tls_skip_verify = false;

  std::chrono::nanoseconds interval{0};
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds ttl{0};
  std::chrono::nanoseconds deregister_critical_service_after{0};
  int success_before_passing = 0;
  int failures_before_warning = 0;
  int failures_before_critical = 0;
  int output_max_size = 4096;

  Place place;  // where it was written, for later messages
};

struct ServiceDefinition {
  ServiceInstance instance;
  std::vector<CheckDefinition> checks;
  std::string token;
  // connect.sidecar_service as written, none or one; the configuration
  // completes it and registers it beside this service.
  std::vector<ServiceDefinition> sidecars;
  Place place;
};

// `where` is the key path of `value` ("service", "services[2]") and its file.
[[nodiscard]] ServiceDefinition DecodeService(const Value& value,
                                              const Place& where,
                                              Problems* problems);
[[nodiscard]] CheckDefinition DecodeCheck(const Value& value,
                                          const Place& where,
                                          Problems* problems);

// As Consul's agent does: an IP address of the service's own is its LAN and WAN
// address of that family too. So a service with an IPv6 address and a tagged
// lan_ipv4 is an IPv6 one for questions that take both.
void TagOwnAddress(ServiceInstance* instance);

// "10s", "1h30m", "1.5h", "-5ms" as Go's time.ParseDuration reads them, or
// an integer number of nanoseconds; false when it is neither.
[[nodiscard]] bool ParseGoDuration(const std::string& text,
                                   std::chrono::nanoseconds* duration);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_DEFINITION_H_
