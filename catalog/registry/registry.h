// Registry is the source of own registrations: the agent's services and
// checks from configuration and HTTP, the nodes, services and checks of
// /v1/catalog/register, and prepared queries. It runs the agent's checks and
// keeps in its Store what came over HTTP.
//
// Threads:   the sync thread, except construction and Load(): before it runs.
// Ownership: owns the store and the check runner; borrows State, which its
//            batches change.
// Done:      is called on the sync thread when the change is durable and DNS
//            answers show it. Of two requests for one thing that overlap, the
//            one that came last wins.
// Kept:      what came over HTTP, in the store, before Done. The state of
//            checks within kCheckStateMs; a check that is restored begins with
//            it and is run as soon as any other.
// Consul:    anti-entropy. What /v1/catalog/register says of this agent's own
//            node holds until the agent says again what it knows, every
//            anti_entropy_ms: only tags stay, with enable_tag_override.
// Errors:    kInvalidArgument (400), kNotFound (404), kPermissionDenied (403),
//            kUnavailable (500: the store could not write; nothing is changed)
//            with the text Consul answers.
#ifndef DNSD_CATALOG_REGISTRY_REGISTRY_H_
#define DNSD_CATALOG_REGISTRY_REGISTRY_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/event_loop.h"
#include "catalog/registry/agent_state.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/checks/check_runner.h"
#include "catalog/registry/config_source.h"
#include "catalog/registry/records.h"
#include "catalog/registry/sidecar.h"
#include "catalog/registry/store.h"
#include "catalog/source.h"
#include "catalog/state.h"

namespace dnsd {

// A prepared query with its id, and when it changed.
struct RegisteredQuery {
  StoredQuery stored;
  Stamp stamp;
};

struct RegistryOptions {
  SourceId id = 0;
  // Whether this agent is the server of its datacenter: then it is in the
  // catalog as one, with Consul's own service and check of its node.
  bool is_server = true;
  uint16_t server_port = 8300;
  std::string version;  // of the service "consul", in its meta
  // How long a change of nothing but a check's output may wait.
  uint64_t check_update_ms = 300'000;
  // How often the agent says again what it knows of its own node.
  uint64_t anti_entropy_ms = 60'000;
  CheckRunnerOptions checks;
  SidecarPorts sidecar_ports;
  // Calls back when everything applied so far is published.
  std::function<void(std::function<void()>)> when_published;
};

class Registry : public Source {
 public:
  using Done = std::function<void(const absl::Status&)>;

  static constexpr uint64_t kCheckStateMs = 1'000;

  Registry(EventLoop* loop, const State* state, std::unique_ptr<Store> store,
           Definitions definitions, RegistryOptions options);
  ~Registry() override;

  // Reads the store. What the catalog's records say goes to `sink` on the way,
  // for there may be very many, the rest with Start(). With an error, which
  // names the record, nothing is to be started: `sink` was told a part.
  [[nodiscard]] absl::Status Load(const Sink& sink);
  void Start(Sink sink) override;
  void Stop() override;
  [[nodiscard]] absl::Status Verify() override { return store_->Verify(); }
  [[nodiscard]] uint64_t first_index() const override {
    return reserved_index_;
  }

  // What the configuration says now.
  void Update(Definitions definitions);

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
  // A query without an id gets one; `done` is told it.
  void CreateQuery(StoredQuery query,
                   std::function<void(const absl::Status&, std::string)> done);
  void UpdateQuery(StoredQuery query, Done done);
  void DeleteQuery(const std::string& id, Done done);

  [[nodiscard]] const AgentState& agent() const { return agent_; }
  // By id in lower case.
  [[nodiscard]] const std::map<std::string, RegisteredQuery>& queries() const {
    return queries_;
  }
  [[nodiscard]] const Node& node() const { return definitions_.node; }
  [[nodiscard]] const Store& store() const { return *store_; }
  [[nodiscard]] const CheckRunner& checks() const { return *runner_; }

 private:
  using Writes = std::vector<StoreWrite>;
  using Changes = std::vector<Change>;

  [[nodiscard]] NodeKey LocalKey() const;
  [[nodiscard]] NameKey LocalName() const;

  // Writes, then calls `apply`, publishes and calls `done`.
  void Submit(Writes writes, std::function<void()> apply, Done done);
  void Emit(Changes changes);
  void ReserveIndexes(Writes* writes);

  // registry_agent.cc
  void PutAgentService(AgentService service, Changes* changes);
  void PutAgentCheck(AgentCheck check, Changes* changes);
  void EraseAgentService(const std::string& id, Changes* changes);
  void EraseAgentCheck(const std::string& id, Changes* changes);
  void EraseServiceWrites(const std::string& id, Writes* writes) const;
  static void EraseCheckWrites(const std::string& id, Writes* writes);
  void SetMaintenance(AgentCheck check, bool enable, Done done);
  void StartCheck(const AgentCheck& check);
  [[nodiscard]] absl::Status JudgeCheck(CheckDefinition check) const;
  [[nodiscard]] absl::StatusOr<std::vector<ServiceDefinition>> Parts(
      ServiceDefinition service) const;
  [[nodiscard]] static AgentCheck MaintenanceCheck(const std::string& id,
                                                   const std::string& reason);
  void PutConfigured(Changes* changes);
  void EraseUnconfigured(Changes* changes);

  // registry_checks.cc
  void OnReport(const CheckFinding& report);
  void OnReap(const std::string& service_id, const std::string& check_id);
  void ShowCheck(const std::string& id);
  void ShowWaitingOutputs();
  void KeepCheckStates();
  // For a write that nobody waits for.
  [[nodiscard]] static Store::Done LogFailure();
  [[nodiscard]] AliasTarget LocalTargetOf(const std::string& service_id) const;
  [[nodiscard]] AliasTarget TargetOf(const std::string& node,
                                     const std::string& service_id) const;

  // registry_catalog.cc
  void RegisterOnThisNode(const CatalogRegistration& registration, Done done);
  [[nodiscard]] absl::Status Judge(const CatalogRegistration& registration,
                                   const NameKey& node) const;
  void AddNodeErasure(const NameKey& node, Writes* writes,
                      Changes* changes) const;
  void AntiEntropy();

  // registry_queries.cc
  [[nodiscard]] absl::Status JudgeQuery(const StoredQuery& query) const;
  void PutQuery(StoredQuery query, Done done);

  void EmitAll(bool complete);
  void AddServer(Changes* changes) const;
  absl::Status LoadRecord(absl::string_view key, absl::string_view value);
  absl::Status LoadAgentRecord(absl::string_view kind, const std::string& id,
                               absl::string_view value);
  absl::Status LoadQueryRecord(const StampedValue& stamped);
  void RestoreCheckState(AgentCheck* check);

  EventLoop* loop_;
  const State* state_;
  std::unique_ptr<Store> store_;
  Definitions definitions_;
  RegistryOptions options_;
  Sink sink_;
  std::unique_ptr<CheckRunner> runner_;

  AgentState agent_;
  std::map<std::string, RegisteredQuery> queries_;
  // Names of the catalog's nodes that have an id, by id.
  std::map<std::string, std::string> node_of_id_;

  // What Load() read, until Start().
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
  uint64_t reserved_index_ = 0;

  Timer keep_states_;
  Timer show_outputs_;
  Timer anti_entropy_;
  std::set<std::string> changed_states_;  // of checks, to be kept
  // What others said of this node's services and checks.
  std::set<std::string> foreign_services_;
  std::set<std::string> foreign_checks_;
  std::map<std::string, uint64_t> waiting_outputs_;  // when to show, loop's ms
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_REGISTRY_H_
