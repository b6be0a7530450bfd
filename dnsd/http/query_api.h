// Prepared queries over HTTP: /v1/query of Consul 1.8.7.
//
//   GET, POST        /v1/query
//   GET, PUT, DELETE /v1/query/ID
//   GET              /v1/query/X/execute (?limit, ?near, ?connect), /explain
//
// Threads:   the sync thread.
// Ownership: borrows registry and state, which outlive the routes.
// Errors:    statuses and texts of Consul 1.8.7.
// Rights:    a rule of queries for the name; who manages ACLs sees all, with
//            their tokens. Execution shows what the query's token may read, or
//            the request's if it has none, and needs no right to the query.
// Order:     instances come shuffled, as Consul's do; with ?near or the
//            query's Near naming this agent, its own come first.
#ifndef DNSD_DNSD_HTTP_QUERY_API_H_
#define DNSD_DNSD_HTTP_QUERY_API_H_

#include <vector>

#include "catalog/prepared_query.h"
#include "catalog/registry/registry.h"
#include "catalog/state.h"
#include "dnsd/acl/authorizer.h"
#include "dnsd/http/request_acl.h"
#include "dnsd/http/routes.h"

namespace dnsd {

struct QueryApiOptions {
  Registry* registry = nullptr;
  const State* state = nullptr;
  RequestAcl acl;
};

// GET of one query; explanations of its names keep to it.
[[nodiscard]] bool MayReadQuery(const Authorizer& who,
                                const PreparedQuery& query);

[[nodiscard]] std::vector<Route> QueryRoutes(QueryApiOptions options);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_QUERY_API_H_
