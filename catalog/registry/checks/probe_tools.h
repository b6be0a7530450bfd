// ProbeTools is what probes share: the loop, the resolver, libcurl, Docker,
// and the children that still have to be reaped.
//
// Threads:   the loop's thread only.
// Ownership: outlives all probes.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_PROBE_TOOLS_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_PROBE_TOOLS_H_

#include <cstddef>
#include <string>

#include "catalog/base/event_loop.h"
#include "catalog/base/http_fetch.h"
#include "catalog/registry/checks/byte_stream.h"
#include "catalog/registry/checks/child_process.h"
#include "catalog/registry/checks/http_engine.h"
#include "catalog/registry/checks/name_resolver.h"
#include "catalog/registry/definition.h"

namespace dnsd {

struct ProbeSettings {
  std::string user_agent = "Consul Health Check";
  // "unix:///var/run/docker.sock" or "tcp://127.0.0.1:2375".
  std::string docker_host = "unix:///var/run/docker.sock";
  // Authorities and our own certificate, for all probes that speak TLS.
  TlsClientOptions tls;
};

class ProbeTools {
 public:
  struct Limits {
    size_t connections_max;
    size_t processes_max;
  };

  ProbeTools(EventLoop* its_loop, ProbeSettings its_settings,
             const Limits& limits)
      : loop(its_loop),
        settings(std::move(its_settings)),
        names(loop),
        http(loop, limits.connections_max),
        docker(loop, {.connections_max = limits.processes_max,
                      .streams_max = 1,
                      .tls = {}}),
        children(loop) {}

  // How `check` speaks TLS with "host:port".
  [[nodiscard]] StreamTls TlsFor(const CheckDefinition& check,
                                 const std::string& address) const {
    const std::string host = address.substr(0, address.rfind(':'));
    const bool is_bracketed = host.size() > 2 && host.front() == '[';
    return {.options = settings.tls,
            .name = !check.tls_server_name.empty() ? check.tls_server_name
                    : is_bracketed ? host.substr(1, host.size() - 2)
                                   : host,
            .verify = !check.tls_skip_verify};
  }

  EventLoop* const loop;
  const ProbeSettings settings;
  NameResolver names;
  HttpEngine http;
  HttpFetcher docker;
  ChildReaper children;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_PROBE_TOOLS_H_
