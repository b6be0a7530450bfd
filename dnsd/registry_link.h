// RegistryLink ties own registrations to the rest of the agent: the store of
// data_dir, the registry as a source of the catalog, and what HTTP needs of
// both. An agent that mirrors a Consul has none.
//
// Threads:   made on the main thread before the sync thread runs; everything
//            else on the sync thread.
// Ownership: CatalogSync owns the registry; this borrows it, and must go
//            before the sync's loop does.
#ifndef DNSD_DNSD_REGISTRY_LINK_H_
#define DNSD_DNSD_REGISTRY_LINK_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "catalog/registry/registry.h"
#include "catalog/sync.h"
#include "dnsd/config.h"
#include "dnsd/http/agent_self.h"
#include "dnsd/http/metrics_text.h"

namespace dnsd {

class RegistryLink {
 public:
  // Opens what data_dir holds, or begins anew. The error names the file and
  // the reason; nothing is lost then.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RegistryLink>> Open(
      SourceId id, const Config& config, Definitions definitions,
      CatalogSync* sync);

  [[nodiscard]] Registry* registry() { return registry_; }
  void Update(Definitions definitions) {
    registry_->Update(std::move(definitions));
  }

  // The section "registry" for /v1/agent/self.
  void AddStats(AgentStats* stats) const;
  void AddMetrics(MetricsText* text) const;

 private:
  explicit RegistryLink(Registry* registry) : registry_(registry) {}

  Registry* registry_;
};

// The id of this agent's node: the one that is configured, else that of
// data_dir/node-id, which is made once, else a new one.
[[nodiscard]] absl::StatusOr<std::string> NodeId(const Config& config);

}  // namespace dnsd

#endif  // DNSD_DNSD_REGISTRY_LINK_H_
