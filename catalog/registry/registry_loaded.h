// What Registry::Load() reads and keeps, until Start() says it.
//
// Threads: as Registry.
#ifndef DNSD_CATALOG_REGISTRY_REGISTRY_LOADED_H_
#define DNSD_CATALOG_REGISTRY_REGISTRY_LOADED_H_

#include <map>
#include <string>
#include <vector>

#include "catalog/registry/registry.h"

namespace dnsd {

struct Registry::Loaded {
  Changes queries;
  // Of the agent.
  std::vector<AgentCheck> agent_checks;
  std::map<std::string, CheckStateValue> states;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_REGISTRY_LOADED_H_
