// A sidecar_service completed as Consul does it: what it leaves out comes from
// the service it stands before.
//
// Threads: any; no shared state.
// Errors:  kInvalidArgument when no port is given and none is left.
#ifndef DNSD_CATALOG_REGISTRY_SIDECAR_H_
#define DNSD_CATALOG_REGISTRY_SIDECAR_H_

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "catalog/registry/definition.h"

namespace dnsd {

// Where ports for sidecars come from: the lowest that is not used.
struct SidecarPorts {
  int min = 21000;  // Consul's sidecar_min_port; 0: none is handed out
  int max = 21255;  // and sidecar_max_port
  std::function<bool(uint16_t)> is_used;
};

[[nodiscard]] std::string SidecarId(const std::string& service_id);

[[nodiscard]] absl::StatusOr<ServiceDefinition> CompleteSidecar(
    const ServiceDefinition& service, ServiceDefinition sidecar,
    const SidecarPorts& ports);

// Gives the checks of a service the ids and names they do not have.
void NameChecks(ServiceDefinition* service);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_SIDECAR_H_
