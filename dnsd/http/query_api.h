// Prepared queries over HTTP: /v1/query of Consul 1.8.7.
//
//   GET, POST        /v1/query
//   GET, PUT, DELETE /v1/query/ID
//   GET              /v1/query/X/execute (?limit, ?near, ?connect), /explain
//
// Threads:   the sync thread.
// Ownership: borrows registry and state, which outlive the routes.
// Errors:    statuses and texts of Consul 1.8.7.
// Order:     instances come shuffled, as Consul's do; with ?near or the
//            query's Near naming this agent, its own come first.
#ifndef DNSD_DNSD_HTTP_QUERY_API_H_
#define DNSD_DNSD_HTTP_QUERY_API_H_

#include <vector>

#include "catalog/registry/registry.h"
#include "catalog/state.h"
#include "dnsd/http/api_reply.h"
#include "dnsd/http/routes.h"

namespace dnsd {

struct QueryApiOptions {
  Registry* registry = nullptr;
  const State* state = nullptr;
  ApiRights rights;
};

[[nodiscard]] std::vector<Route> QueryRoutes(QueryApiOptions options);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_QUERY_API_H_
