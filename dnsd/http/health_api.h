// HealthRoutes are GET /v1/health/: service, connect, ingress, checks, node,
// state, and beyond Consul services (service_changes.h); UiRoutes GET
// /v1/internal/ui/: nodes and node.
//
// Threads: the sync thread's.
// Waits:   each on what its answer shows and nothing else, but with ?node-meta
//          /v1/health/checks is woken by checks of nodes, and health/state by
//          changes of any node.
// Cost:    as catalog_api.h. health/state costs all checks of the datacenter,
//          whichever state it is.
#ifndef DNSD_DNSD_HTTP_HEALTH_API_H_
#define DNSD_DNSD_HTTP_HEALTH_API_H_

#include <cstddef>
#include <vector>

#include "catalog/state.h"
#include "dnsd/http/api_context.h"
#include "dnsd/http/api_endpoint.h"
#include "dnsd/http/routes.h"
#include "dnsd/http/service_changes.h"

namespace dnsd {

// `names_max`: ServiceChanges'.
[[nodiscard]] std::vector<Route> HealthRoutes(
    const SharedApiContext& context,
    size_t names_max = ServiceChanges::kNamesMax);
[[nodiscard]] std::vector<Route> UiRoutes(const SharedApiContext& context);

// The checks that judge the instance: its node's, then its own.
[[nodiscard]] std::vector<CheckView> ChecksOf(const Asked& asked,
                                              const InstanceView& view);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_HEALTH_API_H_
