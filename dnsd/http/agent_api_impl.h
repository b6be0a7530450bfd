// The parts of AgentApi that its files share.
//
// Threads: the sync thread's.
#ifndef DNSD_DNSD_HTTP_AGENT_API_IMPL_H_
#define DNSD_DNSD_HTTP_AGENT_API_IMPL_H_

#include <list>
#include <memory>
#include <string>
#include <vector>

#include "dnsd/http/agent_api.h"

namespace dnsd {

struct AgentApi::Impl : std::enable_shared_from_this<AgentApi::Impl> {
  // A request that waits for a service to be another than it knows.
  struct Waiter {
    std::string id;
    std::string hash;
    HttpRequest request;
    HttpReply reply;
    std::unique_ptr<Timer> timer;
  };
  using Handler = void (Impl::*)(const HttpRequest&, const HttpReply&);

  explicit Impl(AgentApiOptions given) : options(std::move(given)) {}

  [[nodiscard]] Route MakeRoute(const char* method, const char* path,
                                Handler handler);
  [[nodiscard]] const AgentState& agent() const {
    return options.registry->agent();
  }
  [[nodiscard]] bool May(const HttpRequest& request, ApiResource resource,
                         const std::string& name, ApiAccess access) const {
    return IsAllowed(options.rights, request, resource, name, access);
  }
  // Whether the check's service, or else the node, may be touched.
  [[nodiscard]] bool MayCheck(const HttpRequest& request,
                              const std::string& service_id,
                              ApiAccess access) const;
  [[nodiscard]] const ServiceInstance* ServiceOf(const Check& check) const;
  // Answers 200 without a body, or the error, and wakes who waits.
  [[nodiscard]] Registry::Done Answer(const HttpReply& reply);

  // agent_api.cc
  void Services(const HttpRequest& request, const HttpReply& reply);
  void Service(const HttpRequest& request, const HttpReply& reply);
  void Checks(const HttpRequest& request, const HttpReply& reply);
  void Members(const HttpRequest& request, const HttpReply& reply);
  void AnswerService(const Waiter& waiter);
  void Wake();

  // agent_health_api.cc
  void HealthById(const HttpRequest& request, const HttpReply& reply);
  void HealthByName(const HttpRequest& request, const HttpReply& reply);

  // agent_service_api.cc
  void RegisterService(const HttpRequest& request, const HttpReply& reply);
  void DeregisterService(const HttpRequest& request, const HttpReply& reply);
  void MaintainService(const HttpRequest& request, const HttpReply& reply);
  void MaintainNode(const HttpRequest& request, const HttpReply& reply);
  void Leave(const HttpRequest& request, const HttpReply& reply);
  void ForceLeave(const HttpRequest& request, const HttpReply& reply);
  void Join(const HttpRequest& request, const HttpReply& reply);

  // agent_check_api.cc
  void RegisterCheck(const HttpRequest& request, const HttpReply& reply);
  void DeregisterCheck(const HttpRequest& request, const HttpReply& reply);
  void PassCheck(const HttpRequest& request, const HttpReply& reply);
  void WarnCheck(const HttpRequest& request, const HttpReply& reply);
  void FailCheck(const HttpRequest& request, const HttpReply& reply);
  void UpdateCheck(const HttpRequest& request, const HttpReply& reply);
  void SetCheck(const HttpRequest& request, const std::string& id,
                HealthStatus status, std::string output,
                const HttpReply& reply);
  [[nodiscard]] absl::Status JudgeScripts(
      const std::vector<CheckDefinition>& checks) const;

  AgentApiOptions options;
  std::list<Waiter> waiters;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_AGENT_API_IMPL_H_
