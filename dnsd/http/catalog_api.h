// CatalogRoutes are GET /v1/catalog/: datacenters, nodes, services, service,
// connect, node, node-services, gateway-services; and GET /v1/status/: leader,
// peers.
//
// Threads: the sync thread's.
// Waits:   each on what its answer shows and nothing else, but with ?node-meta
//          /v1/catalog/services is woken by checks too.
// Cost:    the answer is made in one go on the sync thread (DNS is answered
//          elsewhere meanwhile): some 5 ms a megabyte. Lists cost the whole
//          datacenter.
// Unlike Consul: ports, protocols and hosts of an ingress gateway's services
//          are not shown, for the catalog does not have them. ?near sorts by
//          nothing but the agent's own node, for there are no coordinates.
#ifndef DNSD_DNSD_HTTP_CATALOG_API_H_
#define DNSD_DNSD_HTTP_CATALOG_API_H_

#include <vector>

#include "dnsd/http/api_context.h"
#include "dnsd/http/routes.h"

namespace dnsd {

[[nodiscard]] std::vector<Route> CatalogRoutes(const SharedApiContext& context);
[[nodiscard]] std::vector<Route> StatusRoutes(const SharedApiContext& context);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_CATALOG_API_H_
