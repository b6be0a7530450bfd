// AgentApi is /v1/agent/ of Consul's HTTP API: what this agent itself runs, and
// the registering and deregistering of it.
//
//   GET services, service/ID (?hash=&wait=), checks, members,
//       health/service/{id,name}/X
//   PUT service/{register,deregister/ID,maintenance/ID}, maintenance,
//       check/{register,deregister,pass,warn,fail,update}/ID,
//       leave, force-leave/NODE, join/ADDRESS
//
// Threads:   the sync thread, except construction.
// Ownership: borrows loop and registry. The routes may outlive it: what waits
//            or comes then is answered 500.
// Errors:    statuses and texts of Consul 1.8.7.
#ifndef DNSD_DNSD_HTTP_AGENT_API_H_
#define DNSD_DNSD_HTTP_AGENT_API_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/event_loop.h"
#include "catalog/registry/agent_state.h"
#include "catalog/registry/registry.h"
#include "dnsd/http/api_reply.h"
#include "dnsd/http/routes.h"

namespace dnsd {

struct AgentApiOptions {
  EventLoop* loop = nullptr;
  Registry* registry = nullptr;
  // Consul's enable_script_checks; as CheckRunnerOptions::remote_scripts.
  bool runs_scripts = false;
  // The one member as JSON (agent_self.h).
  std::function<std::string()> member;
  // Ends the process in good order, once the answer is sent.
  std::function<void()> leave;
  ApiRights rights;
  // For ?filter=. An error's message is what Consul answers. Empty: every
  // filter is one.
  std::function<absl::StatusOr<std::function<bool(const ServiceInstance&)>>(
      absl::string_view expression)>
      compile_service_filter;
  // The service is the check's, or null.
  std::function<
      absl::StatusOr<std::function<bool(const Check&, const ServiceInstance*)>>(
          absl::string_view expression)>
      compile_check_filter;
};

class AgentApi {
 public:
  explicit AgentApi(AgentApiOptions options);
  ~AgentApi();
  AgentApi(const AgentApi&) = delete;
  AgentApi& operator=(const AgentApi&) = delete;

  [[nodiscard]] std::vector<Route> Routes();

  // Says that services of the agent may have changed other than by these
  // routes. It wakes who waits for one that has.
  void Changed();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_AGENT_API_H_
