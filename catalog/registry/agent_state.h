// AgentState is what this agent itself runs: services and checks, defined by
// its configuration or registered over HTTP, with the state of the checks.
// It is what /v1/agent/services and /v1/agent/checks show.
//
// Threads:   the sync thread only.
// Ownership: owns the values; pointers are valid until the next change.
// Consul:    the rules of who owns what. A registration replaces one of the
//            same id whoever made it; a check whose service is gone goes too;
//            a reload withdraws what the configuration does not define any
//            more, and gives back what HTTP had replaced.
#ifndef DNSD_CATALOG_REGISTRY_AGENT_STATE_H_
#define DNSD_CATALOG_REGISTRY_AGENT_STATE_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "catalog/registry/definition.h"
#include "catalog/types.h"

namespace dnsd {

enum class Origin : uint8_t { kConfig, kApi };

struct AgentService {
  ServiceInstance instance;
  std::string token;
  Origin origin = Origin::kApi;
};

struct AgentCheck {
  CheckDefinition definition;
  Check check;  // with the status and output it has now
  Origin origin = Origin::kApi;
};

class AgentState {
 public:
  using Services = std::map<std::string, AgentService>;  // by id
  using Checks = std::map<std::string, AgentCheck>;      // by id

  [[nodiscard]] const Services& services() const { return services_; }
  [[nodiscard]] const Checks& checks() const { return checks_; }
  [[nodiscard]] const AgentService* FindService(const std::string& id) const;
  [[nodiscard]] const AgentCheck* FindCheck(const std::string& id) const;
  // The ids of the checks of a service, or of the node: "".
  [[nodiscard]] std::set<std::string> ChecksOf(
      const std::string& service) const;

  void PutService(AgentService service);
  void PutCheck(AgentCheck check);
  // False: there is none, or nothing is different.
  bool SetCheck(const std::string& id, HealthStatus status,
                const std::string& output);
  // With its checks.
  void EraseService(const std::string& id);
  void EraseCheck(const std::string& id);

 private:
  Services services_;
  Checks checks_;
  std::map<std::string, std::set<std::string>> checks_of_;  // by service id
};

// The check as the catalog has it: its kind, and the state it begins in.
[[nodiscard]] Check CatalogCheck(const CheckDefinition& definition);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_AGENT_STATE_H_
