// Registry is the source of own registrations: the agent's services and
// checks from configuration and HTTP, the nodes, services and checks of
// /v1/catalog/register, and prepared queries. It runs the agent's checks and
// keeps in its Store what came over HTTP.
//
// Threads:   the sync thread, except construction and Open().
// Ownership: owns the store and the check runner; borrows State, which its
//            batches change.
// Done:      is called on the sync thread when the change is durable and DNS
//            answers show it. Of two requests for one thing that overlap, the
//            one that came last wins.
// Errors:    kInvalidArgument (400), kNotFound (404), kPermissionDenied (403),
//            kUnavailable (500: the store could not write; nothing is changed)
//            with the text Consul answers.
#ifndef DNSD_CATALOG_REGISTRY_REGISTRY_H_
#define DNSD_CATALOG_REGISTRY_REGISTRY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "catalog/base/event_loop.h"
#include "catalog/registry/agent_state.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/config_source.h"
#include "catalog/source.h"
#include "catalog/state.h"

namespace dnsd {

// A prepared query with its id, and when it changed.
struct RegisteredQuery {
  StoredQuery stored;
  Stamp stamp;
};

class Registry : public Source {
 public:
  using Done = std::function<void(const absl::Status&)>;

  // --- the agent ---
  void RegisterService(ServiceDefinition service, bool replace_checks,
                       Done done);
  void DeregisterService(const std::string& id, Done done);
  void SetServiceMaintenance(const std::string& id, bool enable,
                             const std::string& reason, Done done);
  void SetNodeMaintenance(bool enable, const std::string& reason, Done done);
  void RegisterCheck(CheckDefinition check, Done done);
  void DeregisterCheck(const std::string& id, Done done);
  // Of a TTL check: what its owner reports.
  void UpdateCheck(const std::string& id, HealthStatus status,
                   const std::string& output, Done done);

  // --- the catalog ---
  void RegisterCatalog(CatalogRegistration registration, Done done);
  void DeregisterCatalog(CatalogDeregistration deregistration, Done done);

  // --- prepared queries ---
  // With an empty id a new one is made; `done` gets it.
  void CreateQuery(StoredQuery query,
                   std::function<void(const absl::Status&, std::string)> done);
  void UpdateQuery(StoredQuery query, Done done);
  void DeleteQuery(const std::string& id, Done done);

  [[nodiscard]] const AgentState& agent() const { return agent_; }
  // By id in lower case.
  [[nodiscard]] const std::map<std::string, RegisteredQuery>& queries() const {
    return queries_;
  }
  [[nodiscard]] const Node& node() const { return node_; }

 private:
  AgentState agent_;
  std::map<std::string, RegisteredQuery> queries_;
  Node node_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_REGISTRY_H_
