// The agent's half of the registry: its services, checks and maintenance.
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/log.h"
#include "catalog/base/unix_time.h"
#include "catalog/registry/checks/check_entry.h"
#include "catalog/registry/registry.h"
#include "catalog/registry/registry_loaded.h"

namespace dnsd {
namespace {

constexpr char kNodeMaintenance[] = "_node_maintenance";
constexpr char kServiceMaintenance[] = "_service_maintenance:";

constexpr char kNoNodeReason[] =
    "Maintenance mode is enabled for this node, but no reason was provided. "
    "This is a default message.";
constexpr char kNoServiceReason[] =
    "Maintenance mode is enabled for this service, but no reason was "
    "provided. This is a default message.";

std::string ServiceKey(absl::string_view id) {
  return RecordKey({"agent", "service", id});
}
std::string CheckKey(absl::string_view id) {
  return RecordKey({"agent", "check", id});
}
std::string MaintenanceKey(absl::string_view id) {
  return RecordKey({"agent", "maintenance", id});
}
std::string StateKey(absl::string_view id) {
  return RecordKey({"agent", "state", id});
}

// Consul's newest text (1.8 has a shorter one).
absl::Status UnknownService(const std::string& id) {
  return absl::NotFoundError(
      absl::StrCat("Unknown service ID \"", id,
                   "\". Ensure that the service ID is passed, not the service "
                   "name."));
}

absl::Status UnknownCheck(const std::string& id) {
  return absl::NotFoundError(
      absl::StrCat("Unknown check ID \"", id,
                   "\". Ensure that the check ID is passed, not the check "
                   "name."));
}

bool IsMaintenance(const AgentCheck& check) {
  return check.check.type == "maintenance";
}

}  // namespace

AgentCheck Registry::MaintenanceCheck(const std::string& id,
                                      const std::string& reason) {
  AgentCheck check;
  check.origin = Origin::kApi;
  check.check.id = id;
  check.check.type = "maintenance";
  check.check.status = HealthStatus::kCritical;
  const bool is_nodes = id == kNodeMaintenance;
  check.check.name =
      is_nodes ? "Node Maintenance Mode" : "Service Maintenance Mode";
  check.check.notes = reason;
  if (!is_nodes) {
    check.check.service_id = id.substr(sizeof(kServiceMaintenance) - 1);
  }
  check.definition.id = id;
  check.definition.service_id = check.check.service_id;
  return check;
}

void Registry::PutAgentService(AgentService service, Changes* changes) {
  changes->push_back(UpsertInstance{LocalKey(), service.instance});
  agent_.PutService(std::move(service));
}

void Registry::PutAgentCheck(AgentCheck check, Changes* changes) {
  // A check that is defined anew goes on from what it found before, unless its
  // file says another status now.
  if (const AgentCheck* old = agent_.FindCheck(check.check.id);
      old != nullptr && !IsMaintenance(check) &&
      (check.origin == Origin::kApi ||
       old->definition.status == check.definition.status)) {
    check.check.status = old->check.status;
    check.check.output = old->check.output;
  }
  if (!IsMaintenance(check)) StartCheck(check);
  changes->push_back(UpsertCheck{LocalKey(), check.check});
  agent_.PutCheck(std::move(check));
}

void Registry::StartCheck(const AgentCheck& check) {
  CheckStart start{
      check.check.status, check.check.output,
      check.origin == Origin::kApi ? CheckOrigin::kRemote : CheckOrigin::kLocal,
      std::nullopt};
  const auto restored = loaded_->states.find(check.check.id);
  if (restored != loaded_->states.end() && check.definition.ttl.count() > 0) {
    const std::chrono::milliseconds age(UnixMs() - restored->second.unix_ms);
    start.ttl_left = std::chrono::duration_cast<std::chrono::milliseconds>(
                         check.definition.ttl) -
                     age;
  }
  const absl::Status started = runner_->Add(check.definition, start);
  if (started.ok()) return;
  // What was registered when more was allowed stays, in the state it had.
  LogWarn("agent", "Check is not run",
          {{"check", check.check.id.view()},
           {"reason", std::string(started.message())}});
}

void Registry::EraseAgentCheck(const std::string& id, Changes* changes) {
  runner_->Remove(id);
  changed_states_.erase(id);
  waiting_outputs_.erase(id);
  agent_.EraseCheck(id);
  changes->push_back(RemoveCheck{LocalKey(), id});
}

void Registry::EraseAgentService(const std::string& id, Changes* changes) {
  for (const std::string& check : agent_.ChecksOf(id)) {
    EraseAgentCheck(check, changes);
  }
  agent_.EraseService(id);
  changes->push_back(RemoveInstance{LocalKey(), id});
}

void Registry::EraseCheckWrites(const std::string& id, Writes* writes) {
  writes->push_back({CheckKey(id), std::nullopt});
  writes->push_back({MaintenanceKey(id), std::nullopt});
  writes->push_back({StateKey(id), std::nullopt});
}

void Registry::EraseServiceWrites(const std::string& id, Writes* writes) const {
  writes->push_back({ServiceKey(id), std::nullopt});
  for (const std::string& check : agent_.ChecksOf(id)) {
    EraseCheckWrites(check, writes);
  }
}

absl::Status Registry::JudgeCheck(CheckDefinition check) const {
  return PrepareCheck(options_.checks, CheckOrigin::kRemote, &check);
}

// What the registration of a service consists of: itself and its sidecar.
absl::StatusOr<std::vector<ServiceDefinition>> Registry::Parts(
    ServiceDefinition service) const {
  std::vector<ServiceDefinition> sidecars = std::exchange(service.sidecars, {});
  SidecarPorts ports = options_.sidecar_ports;
  const std::string sidecar_id = SidecarId(service.instance.id);
  ports.is_used = [&](uint16_t port) {
    if (port == service.instance.port) return true;
    for (const auto& [id, other] : agent_.services()) {
      if (other.instance.port == port && id != sidecar_id) return true;
    }
    return false;
  };
  std::vector<ServiceDefinition> parts;
  for (ServiceDefinition& sidecar : sidecars) {
    // One that is registered again keeps its port.
    if (const AgentService* old = agent_.FindService(sidecar_id);
        old != nullptr && sidecar.instance.port == 0) {
      sidecar.instance.port = old->instance.port;
    }
    absl::StatusOr<ServiceDefinition> complete =
        CompleteSidecar(service, std::move(sidecar), ports);
    if (!complete.ok()) return complete.status();
    parts.push_back(*std::move(complete));
  }
  parts.insert(parts.begin(), std::move(service));
  for (const ServiceDefinition& part : parts) {
    for (const CheckDefinition& check : part.checks) {
      const absl::Status allowed = JudgeCheck(check);
      if (!allowed.ok()) return allowed;
    }
  }
  return parts;
}

void Registry::RegisterService(ServiceDefinition service, bool replace_checks,
                               Done done) {
  absl::StatusOr<std::vector<ServiceDefinition>> judged =
      Parts(std::move(service));
  if (!judged.ok()) return done(judged.status());
  std::vector<ServiceDefinition> parts = *std::move(judged);
  Writes writes;
  for (const ServiceDefinition& part : parts) {
    ServiceDefinition alone = part;
    alone.checks.clear();
    writes.push_back({ServiceKey(part.instance.id), EncodeService(alone)});
    if (replace_checks) {
      for (const std::string& id : agent_.ChecksOf(part.instance.id)) {
        EraseCheckWrites(id, &writes);
      }
    }
    for (const CheckDefinition& check : part.checks) {
      writes.push_back({CheckKey(check.id), EncodeCheck(check)});
    }
  }
  auto apply = [this, replace_checks, parts = std::move(parts)] {
    Changes changes;
    for (const ServiceDefinition& part : parts) {
      const std::string id = part.instance.id;
      std::set<std::string> kept;
      for (const CheckDefinition& check : part.checks) kept.insert(check.id);
      PutAgentService({part.instance, part.token, Origin::kApi}, &changes);
      for (const std::string& check : agent_.ChecksOf(id)) {
        if (replace_checks && !kept.contains(check)) {
          EraseAgentCheck(check, &changes);
        }
      }
      for (const CheckDefinition& check : part.checks) {
        PutAgentCheck({check, CatalogCheck(check), Origin::kApi}, &changes);
      }
    }
    Emit(std::move(changes));
  };
  Submit(std::move(writes), std::move(apply), std::move(done));
}

void Registry::DeregisterService(const std::string& id, Done done) {
  const AgentService* service = agent_.FindService(id);
  if (service == nullptr) return done(UnknownService(id));
  std::vector<std::string> ids{id};
  // A sidecar that was registered with its service goes with it.
  const std::string sidecar = SidecarId(id);
  if (const AgentService* proxy = agent_.FindService(sidecar);
      proxy != nullptr &&
      proxy->instance.mesh->proxy_destination == service->instance.name) {
    ids.push_back(sidecar);
  }
  Writes writes;
  for (const std::string& gone : ids) EraseServiceWrites(gone, &writes);
  auto apply = [this, ids] {
    Changes changes;
    for (const std::string& gone : ids) {
      if (agent_.FindService(gone) != nullptr) {
        EraseAgentService(gone, &changes);
      }
    }
    Emit(std::move(changes));
  };
  Submit(std::move(writes), std::move(apply), std::move(done));
}

void Registry::RegisterCheck(CheckDefinition check, Done done) {
  if (!check.service_id.empty() &&
      agent_.FindService(check.service_id) == nullptr) {
    return done(absl::InternalError(
        absl::StrCat("ServiceID \"", check.service_id, "\" does not exist")));
  }
  const absl::Status allowed = JudgeCheck(check);
  if (!allowed.ok()) return done(allowed);
  Writes writes{{CheckKey(check.id), EncodeCheck(check)}};
  auto apply = [this, check = std::move(check)] {
    Changes changes;
    PutAgentCheck({check, CatalogCheck(check), Origin::kApi}, &changes);
    Emit(std::move(changes));
  };
  Submit(std::move(writes), std::move(apply), std::move(done));
}

void Registry::DeregisterCheck(const std::string& id, Done done) {
  if (agent_.FindCheck(id) == nullptr) return done(UnknownCheck(id));
  Writes writes;
  EraseCheckWrites(id, &writes);
  auto apply = [this, id] {
    Changes changes;
    if (agent_.FindCheck(id) != nullptr) EraseAgentCheck(id, &changes);
    Emit(std::move(changes));
  };
  Submit(std::move(writes), std::move(apply), std::move(done));
}

void Registry::SetMaintenance(AgentCheck check, bool enable, Done done) {
  const std::string id = check.check.id;
  // Consul keeps the reason that was given first.
  const bool is_enabled = agent_.FindCheck(id) != nullptr;
  if (enable == is_enabled)
    return options_.when_published([done] { done(absl::OkStatus()); });
  Writes writes;
  if (enable) {
    writes.push_back({MaintenanceKey(id), check.check.notes});
  } else {
    EraseCheckWrites(id, &writes);
  }
  auto apply = [this, enable, id, check = std::move(check)] {
    Changes changes;
    const std::string service = check.check.service_id;
    const bool is_known =
        service.empty() || agent_.FindService(service) != nullptr;
    if (enable && is_known) {
      PutAgentCheck(check, &changes);
    } else if (!enable && agent_.FindCheck(id) != nullptr) {
      EraseAgentCheck(id, &changes);
    }
    Emit(std::move(changes));
  };
  Submit(std::move(writes), std::move(apply), std::move(done));
}

void Registry::SetServiceMaintenance(const std::string& id, bool enable,
                                     const std::string& reason, Done done) {
  if (agent_.FindService(id) == nullptr) return done(UnknownService(id));
  SetMaintenance(MaintenanceCheck(absl::StrCat(kServiceMaintenance, id),
                                  reason.empty() ? kNoServiceReason : reason),
                 enable, std::move(done));
}

void Registry::SetNodeMaintenance(bool enable, const std::string& reason,
                                  Done done) {
  SetMaintenance(MaintenanceCheck(kNodeMaintenance,
                                  reason.empty() ? kNoNodeReason : reason),
                 enable, std::move(done));
}

// Whatever HTTP registered under an id of the configuration's is replaced, and
// forgotten.
void Registry::PutConfigured(Changes* changes) {
  Writes writes;
  auto put_check = [&](const CheckDefinition& check) {
    const AgentCheck* old = agent_.FindCheck(check.id);
    if (old != nullptr && old->origin == Origin::kConfig &&
        EncodeCheck(old->definition) == EncodeCheck(check)) {
      return;
    }
    if (old != nullptr && old->origin == Origin::kApi) {
      EraseCheckWrites(check.id, &writes);
    }
    PutAgentCheck({check, CatalogCheck(check), Origin::kConfig}, changes);
  };
  for (const ServiceDefinition& service : definitions_.services) {
    const std::string id = service.instance.id;
    const AgentService* old = agent_.FindService(id);
    if (old != nullptr && old->origin == Origin::kApi) {
      writes.push_back({ServiceKey(id), std::nullopt});
    }
    PutAgentService({service.instance, service.token, Origin::kConfig},
                    changes);
    for (const CheckDefinition& check : service.checks) put_check(check);
  }
  for (const CheckDefinition& check : definitions_.checks) put_check(check);
  if (!writes.empty()) store_->Commit(std::move(writes), LogFailure());
}

void Registry::EraseUnconfigured(Changes* changes) {
  std::set<std::string> services;
  std::set<std::string> checks;
  for (const ServiceDefinition& service : definitions_.services) {
    services.insert(service.instance.id);
    for (const CheckDefinition& check : service.checks) checks.insert(check.id);
  }
  for (const CheckDefinition& check : definitions_.checks) {
    checks.insert(check.id);
  }
  std::vector<std::string> gone;
  for (const auto& [id, check] : agent_.checks()) {
    if (check.origin == Origin::kConfig && !checks.contains(id)) {
      gone.push_back(id);
    }
  }
  for (const std::string& id : gone) EraseAgentCheck(id, changes);
  gone.clear();
  for (const auto& [id, service] : agent_.services()) {
    if (service.origin == Origin::kConfig && !services.contains(id)) {
      gone.push_back(id);
    }
  }
  for (const std::string& id : gone) EraseAgentService(id, changes);
}

}  // namespace dnsd
