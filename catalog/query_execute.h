// ExecuteQuery() runs a prepared query on the catalog, as /v1/query/X/execute
// does in Consul.
//
// Threads: pure function of a State; the sync thread, as State.
// Rights:  an instance that may not be seen is as good as not there, also for
//          the failover. They are those of the query's token if it has one; who
//          calls has looked that up.
// Filters: critical instances never; only_passing leaves passing ones;
//          checks in ignore_check_ids are not judged (letter case counts);
//          tags, all of them, "!tag" forbids, without ASCII case; node and
//          service meta are compared exactly. connect: the instances that
//          stand for the service in the mesh, ingress gateways excepted.
// Failover: when nothing is left, failover_nearest other datacenters, then
//          failover_datacenters in their order, skipping those that State
//          does not have. Consul sorts the nearest by round-trip time; there
//          are no coordinates here, so they are taken in order of their names.
// Order:   the instances come as State has them; who answers shuffles them.
//          `near` (an order by round-trip time) is not followed.
#ifndef DNSD_CATALOG_QUERY_EXECUTE_H_
#define DNSD_CATALOG_QUERY_EXECUTE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "catalog/catalog_rights.h"
#include "catalog/prepared_query.h"
#include "catalog/state.h"

namespace dnsd {

struct QueryResult {
  // The datacenter that answered; the last one tried when none has instances.
  std::string datacenter;
  int failover_count = 0;  // datacenters tried besides the query's own
  // Pointers as State gives them. `health` is of all checks, ignored or not:
  // Consul takes weights by it.
  std::vector<InstanceView> instances;
};

// `datacenter` is the one the query belongs to. `query` must not be a template
// that is not rendered.
[[nodiscard]] QueryResult ExecuteQuery(const State& state,
                                       const std::string& datacenter,
                                       const PreparedQuery& query,
                                       const CatalogRights* rights = nullptr);

// What the query thinks of an instance: the first filter that it does not pass.
enum class QueryVerdict : uint8_t {
  kTaken,
  kCritical,
  kNotPassing,
  kHidden,  // by the rights
  kNodeMeta,
  kServiceMeta,
  kTags,
};

// Calls `visit` for every instance that ExecuteQuery() looks at in this
// datacenter, in its order.
void ForEachJudged(
    const State& state, const std::string& datacenter,
    const PreparedQuery& query, const CatalogRights* rights,
    const std::function<void(const InstanceView&, QueryVerdict)>& visit);

// The datacenters ExecuteQuery() may look in, in that order; the own is first.
[[nodiscard]] std::vector<std::string> QueryDatacenters(
    const State& state, const std::string& datacenter,
    const PreparedQuery& query);

}  // namespace dnsd

#endif  // DNSD_CATALOG_QUERY_EXECUTE_H_
