// How a running Server explains its answers: GET /v1/dnsd/explain.
#include <memory>
#include <utility>

#include "dnsd/explain_link.h"
#include "dnsd/http/explain_api.h"
#include "dnsd/server.h"

namespace dnsd {

std::vector<Route> Server::MakeExplainRoutes() {
  ExplainLink::Parts parts{&config_, &sync_, &publisher_, &forward_, {}};
  if (mirror_) {
    parts.load = [this](const std::string& datacenter) {
      mirror_->LoadDatacenter(datacenter);
    };
  }
  const auto link = std::make_shared<const ExplainLink>(std::move(parts));
  ExplainHooks hooks;
  hooks.explain = [link](const ExplainQuestion& question,
                         std::shared_ptr<const Authorizer> reader,
                         ExplainLink::Done done) {
    link->Explain(question, std::move(reader), std::move(done));
  };
  hooks.acl = RequestAcl([this] { return config_.acl; });
  hooks.node_name = config_.node.name;
  return ExplainRoutes(std::move(hooks));
}

}  // namespace dnsd
