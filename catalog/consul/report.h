// What a Consul says in its answers, as values: the catalog's types with the
// raft index at which each was last changed.
//
// Threads: plain values.
#ifndef DNSD_CATALOG_CONSUL_REPORT_H_
#define DNSD_CATALOG_CONSUL_REPORT_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalog/types.h"

namespace dnsd {

// ModifyIndex of an object; 0 where the answer does not say (a node in
// /v1/internal/ui/nodes).
struct InstanceReport {
  ServiceInstance instance;
  uint64_t modify_index = 0;
};

struct CheckReport {
  std::string node;  // the node's name
  Check check;
  std::string service_name;  // of an instance's check
  uint64_t modify_index = 0;
};

// A node with some of its instances and their checks: one element of
// /v1/health/service/NAME (one instance, its checks and the node's), of
// /v1/internal/ui/nodes (all of them), of /v1/catalog/nodes (none).
struct NodeReport {
  Node node;
  uint64_t modify_index = 0;
  std::vector<InstanceReport> instances;
  std::vector<CheckReport> checks;
};

// /v1/catalog/services: names as registered, with the tags of all instances.
using ServiceNames = std::map<std::string, std::set<std::string>>;

// What another dnsd says at /v1/health/services (dnsd/http/service_changes.h):
// everything, or what changed.
struct DeltaReport {
  uint64_t index = 0;
  bool full = false;
  std::string run;
  // Names in lower case. A service's instances are an entry each, as of
  // /v1/health/service/NAME.
  std::map<std::string, std::vector<NodeReport>> services;
  std::vector<std::string> gone;
  std::vector<NodeReport> nodes;  // with the checks that are their own
  std::vector<std::string> gone_nodes;
};

// What dnsd wants to know of /v1/agent/self.
struct SelfReport {
  std::string datacenter;
  std::string node_name;
  std::string version;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_REPORT_H_
