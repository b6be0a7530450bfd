// ProxyConfig is "Proxy" of a service: how a mesh proxy is set up. It passes
// through us: what is registered is shown again, in Consul's shape.
//
// Threads: any; no shared state.
// Shapes:  the catalog's shows every field of an upstream; the agent's leaves
//          empty ones out. Members are in the order of Go's structs.
#ifndef DNSD_CATALOG_REGISTRY_PROXY_JSON_H_
#define DNSD_CATALOG_REGISTRY_PROXY_JSON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/base/value.h"
#include "catalog/registry/go_object.h"

namespace dnsd {

struct ProxyUpstream {
  std::string destination_type;
  std::string destination_namespace;
  std::string destination_name;
  std::string datacenter;
  std::string local_bind_address;
  int64_t local_bind_port = 0;
  std::optional<std::string> config;  // canonical JSON of an object
  std::string mesh_gateway_mode;
};

struct ProxyExposedPath {
  int64_t listener_port = 0;
  std::string path;
  int64_t local_path_port = 0;
  std::string protocol;
};

struct ProxyConfig {
  std::string destination_name;
  std::string destination_id;
  std::string local_address;
  int64_t local_port = 0;
  std::optional<std::string> config;  // as an upstream's
  std::vector<ProxyUpstream> upstreams;
  std::string mesh_gateway_mode;
  bool exposes_checks = false;
  std::vector<ProxyExposedPath> exposed_paths;
};

// `place` is that of the object.
[[nodiscard]] ProxyConfig ReadProxyConfig(const Value& value,
                                          const GoPlace& place,
                                          GoErrors* errors);

// ServiceInstance::proxy_json: empty for an empty configuration.
[[nodiscard]] std::string ToProxyJson(const ProxyConfig& proxy);
[[nodiscard]] ProxyConfig FromProxyJson(absl::string_view proxy_json);

// `proxy_json` as the agent's endpoints show it.
[[nodiscard]] std::string AgentProxyJson(absl::string_view proxy_json);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_PROXY_JSON_H_
