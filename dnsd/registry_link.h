// RegistryLink ties own registrations to the rest of the agent: the store of
// data_dir, the registry as a source of the catalog, and the HTTP API of both.
// An agent that mirrors a Consul has none.
//
// Threads:   Open() on the main thread before the sync thread runs; everything
//            else, the end too, on the sync thread while its loop runs.
// Ownership: CatalogSync owns the registry; this borrows it.
#ifndef DNSD_DNSD_REGISTRY_LINK_H_
#define DNSD_DNSD_REGISTRY_LINK_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/registry/registry.h"
#include "catalog/sync.h"
#include "dnsd/asked_rings.h"
#include "dnsd/config.h"
#include "dnsd/health.h"
#include "dnsd/http/agent_api.h"
#include "dnsd/http/agent_self.h"
#include "dnsd/http/api_rights.h"
#include "dnsd/http/blocking.h"
#include "dnsd/http/metrics_text.h"
#include "dnsd/http/routes.h"
#include "dnsd/publisher.h"

namespace dnsd {

class RegistryLink {
 public:
  // Opens what data_dir holds, or begins anew. The error names the file and
  // the reason; nothing is lost then. `config` outlives the link.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<RegistryLink>> Open(
      SourceId id, const Config& config, Definitions definitions,
      CatalogSync* sync, Publisher* publisher);

  // A ring for one more worker.
  [[nodiscard]] AskedNames* AddRing() { return asked_.Add(); }
  // A query waits for what is in a ring. On any thread.
  void WakeUp() { asked_.WakeUp(); }

  // What the API needs of the agent.
  struct Hooks {
    // This agent as /v1/agent/members shows it.
    std::function<std::string()> member;
    // Ends the process in good order.
    std::function<void()> leave;
    // Of the configuration as it is now.
    RequestAcl::Current acl;
  };
  [[nodiscard]] std::vector<Route> MakeRoutes(Hooks hooks);

  void Update(Definitions definitions);
  // After each publication: answers who waits for what changed.
  void OnPublished(const Dirty& dirty);

  [[nodiscard]] CatalogHealth health() const;
  // The section "registry" for /v1/agent/self.
  void AddStats(AgentStats* stats) const;
  void AddMetrics(MetricsText* text) const;

 private:
  RegistryLink(const Config& config, CatalogSync* sync, Registry* registry);
  void TakeAsked();

  [[nodiscard]] std::string LeaderAddress() const;
  void AddAgentStats(AgentStats* stats) const;

  const Config& config_;
  CatalogSync* sync_;
  Publisher* publisher_ = nullptr;
  Registry* registry_;
  AskedRings asked_;
  Blocking blocking_;
  std::unique_ptr<AgentApi> agent_api_;
  std::unique_ptr<AclReadRights> rights_;
};

// The id of this agent's node: the one that is configured, else that of
// data_dir/node-id, which is made once, else a new one.
[[nodiscard]] absl::StatusOr<std::string> NodeId(const Config& config);

}  // namespace dnsd

#endif  // DNSD_DNSD_REGISTRY_LINK_H_
