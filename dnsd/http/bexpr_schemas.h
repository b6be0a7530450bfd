// What filters of the HTTP API select by, as in Consul 1.8.7, bound to the
// catalog's values. One schema for each kind of object that is listed.
//
// Threads:   constants; rows are views, to be made where they are used.
// Ownership: rows point to what they are made of, and own nothing.
#ifndef DNSD_DNSD_HTTP_BEXPR_SCHEMAS_H_
#define DNSD_DNSD_HTTP_BEXPR_SCHEMAS_H_

#include <span>

#include "catalog/types.h"
#include "dnsd/http/bexpr_schema.h"

namespace dnsd {

// A check with what the API shows of its surroundings.
struct CheckRow {
  const Node* node = nullptr;
  const ServiceInstance* instance = nullptr;  // nullptr: a check of the node
  const Check* check = nullptr;
};

// An instance on its node.
struct InstanceRow {
  const Node* node = nullptr;
  const ServiceInstance* instance = nullptr;
  std::span<const CheckRow> checks;  // the instance's and the node's
};

// /v1/catalog/nodes: ID, Node, Address, Datacenter, TaggedAddresses, Meta.
extern const BexprSchema<Node> kNodeFilter;

// The services of /v1/catalog/node, /v1/catalog/node-services and
// /v1/agent/services: ID, Service, Kind, Tags, Meta, Port, Address,
// TaggedAddresses, Weights, EnableTagOverride, Connect.Native, Proxy.
extern const BexprSchema<ServiceInstance> kServiceFilter;

// /v1/catalog/service, /v1/catalog/connect: the node's ID, Node, Address,
// Datacenter, TaggedAddresses and NodeMeta, and the service's with "Service"
// before their names. Reads no checks.
extern const BexprSchema<InstanceRow> kCatalogServiceFilter;

// /v1/health/service, /v1/health/connect, /v1/health/ingress: Node, Service,
// Checks.
extern const BexprSchema<InstanceRow> kHealthServiceFilter;

// /v1/health/checks, /v1/health/node, /v1/health/state, /v1/agent/checks:
// Node, CheckID, Name, Status, Notes, Output, ServiceID, ServiceName,
// ServiceTags, Type.
extern const BexprSchema<CheckRow> kCheckFilter;

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_BEXPR_SCHEMAS_H_
