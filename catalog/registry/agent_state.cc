#include "catalog/registry/agent_state.h"

#include <utility>

namespace dnsd {
namespace {

const char* TypeOf(const CheckDefinition& check) {
  if (!check.docker_container_id.empty()) return "docker";
  if (!check.args.empty()) return "script";
  if (!check.http.empty()) return "http";
  if (!check.tcp.empty()) return "tcp";
  if (!check.udp.empty()) return "udp";
  if (!check.grpc.empty()) return "grpc";
  if (!check.h2ping.empty()) return "h2ping";
  if (!check.os_service.empty()) return "os_service";
  if (!check.alias_node.empty() || !check.alias_service.empty()) return "alias";
  return check.ttl.count() > 0 ? "ttl" : "";
}

}  // namespace

Check CatalogCheck(const CheckDefinition& definition) {
  Check check;
  check.id = definition.id;
  check.name = definition.name;
  check.service_id = definition.service_id;
  check.status = definition.status;
  check.notes = definition.notes;
  check.type = TypeOf(definition);
  return check;
}

const AgentService* AgentState::FindService(const std::string& id) const {
  const auto it = services_.find(id);
  return it == services_.end() ? nullptr : &it->second;
}

const AgentCheck* AgentState::FindCheck(const std::string& id) const {
  const auto it = checks_.find(id);
  return it == checks_.end() ? nullptr : &it->second;
}

void AgentState::PutService(AgentService service) {
  std::string id = service.instance.id;
  services_[std::move(id)] = std::move(service);
}

void AgentState::PutCheck(AgentCheck check) {
  const std::string id = check.check.id;
  EraseCheck(id);
  checks_of_[check.check.service_id].insert(id);
  checks_[id] = std::move(check);
}

bool AgentState::SetCheck(const std::string& id, HealthStatus status,
                          const std::string& output) {
  const auto it = checks_.find(id);
  if (it == checks_.end()) return false;
  Check& check = it->second.check;
  if (check.status == status && check.output == output) return false;
  check.status = status;
  check.output = output;
  return true;
}

std::set<std::string> AgentState::ChecksOf(const std::string& service) const {
  const auto it = checks_of_.find(service);
  return it == checks_of_.end() ? std::set<std::string>() : it->second;
}

void AgentState::EraseService(const std::string& id) {
  for (const std::string& check : ChecksOf(id)) EraseCheck(check);
  services_.erase(id);
}

void AgentState::EraseCheck(const std::string& id) {
  const auto it = checks_.find(id);
  if (it == checks_.end()) return;
  const auto of = checks_of_.find(it->second.check.service_id);
  of->second.erase(id);
  if (of->second.empty()) checks_of_.erase(of);
  checks_.erase(it);
}

}  // namespace dnsd
