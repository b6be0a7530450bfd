// ConfigSource is the source of what the configuration defines: the local
// node, its services and checks.
//
// Threads:   the sync thread, except the constructor.
// Ownership: keeps a copy of the definitions it emits.
// Consul:    a check starts in its `status`, "critical" when none is given
//            (consul.md 4.2). This source does not run checks.
#ifndef DNSD_CATALOG_REGISTRY_CONFIG_SOURCE_H_
#define DNSD_CATALOG_REGISTRY_CONFIG_SOURCE_H_

#include <vector>

#include "catalog/registry/definition.h"
#include "catalog/source.h"

namespace dnsd {

// What one version of the configuration puts into the catalog.
struct Definitions {
  // False: this agent itself is not in the catalog, nor anything of its.
  bool is_present = true;
  Node node;
  std::vector<ServiceDefinition> services;
  std::vector<CheckDefinition> checks;
};

class ConfigSource : public Source {
 public:
  ConfigSource(SourceId id, Definitions definitions);

  void Start(Sink sink) override;
  void Stop() override;

  // Emits the new definitions as one complete batch.
  void Update(Definitions definitions);

 private:
  void Emit();

  SourceId id_;
  Definitions definitions_;
  Sink sink_;
};

// The batch that says all of it.
[[nodiscard]] ChangeBatch ToBatch(SourceId id, const Definitions& definitions);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CONFIG_SOURCE_H_
