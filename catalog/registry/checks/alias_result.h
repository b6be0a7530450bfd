// AliasResult says what an alias check has: the worst of its target's checks,
// in Consul's words.
//
// Threads: any; no shared state.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_ALIAS_RESULT_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_ALIAS_RESULT_H_

#include <string>
#include <vector>

#include "catalog/registry/checks/probe.h"
#include "catalog/types.h"

namespace dnsd {

// What stands behind an alias: the node's own checks and those of the one
// instance that is meant, the alias check itself not among them.
struct AliasTarget {
  bool exists = false;  // the instance, or, when none is named, the node
  std::vector<Check> checks;
};

// `node` and `service_id` as the check names them; a node that is not named
// is this one.
[[nodiscard]] ProbeResult AliasResult(const AliasTarget& target,
                                      const std::string& node,
                                      const std::string& service_id);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_ALIAS_RESULT_H_
