// PUT /v1/catalog/register and /v1/catalog/deregister: nodes, services and
// checks of whoever is no agent.
//
// Threads:   the sync thread.
// Ownership: borrows the registry, which outlives the routes.
// Errors:    statuses and texts of Consul 1.8.7.
#ifndef DNSD_DNSD_HTTP_CATALOG_WRITE_API_H_
#define DNSD_DNSD_HTTP_CATALOG_WRITE_API_H_

#include <vector>

#include "catalog/registry/registry.h"
#include "catalog/state.h"
#include "dnsd/http/api_reply.h"
#include "dnsd/http/routes.h"

namespace dnsd {

// `state` tells which service a removed instance or check was of.
[[nodiscard]] std::vector<Route> CatalogWriteRoutes(Registry* registry,
                                                    const State* state,
                                                    ApiRights rights);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_CATALOG_WRITE_API_H_
