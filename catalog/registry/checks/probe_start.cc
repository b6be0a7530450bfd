#include "catalog/registry/checks/probe_start.h"

#include <utility>

#include "catalog/base/check.h"
#include "catalog/registry/checks/docker_probe.h"
#include "catalog/registry/checks/h2_probes.h"
#include "catalog/registry/checks/http_probe.h"
#include "catalog/registry/checks/script_probe.h"
#include "catalog/registry/checks/socket_probes.h"

namespace dnsd {

CheckKind KindOf(const CheckDefinition& check) {
  if (check.ttl.count() > 0) return CheckKind::kTtl;
  if (!check.docker_container_id.empty()) return CheckKind::kDocker;
  if (!check.args.empty()) return CheckKind::kScript;
  if (!check.http.empty()) return CheckKind::kHttp;
  if (!check.tcp.empty()) return CheckKind::kTcp;
  if (!check.udp.empty()) return CheckKind::kUdp;
  if (!check.grpc.empty()) return CheckKind::kGrpc;
  if (!check.h2ping.empty()) return CheckKind::kH2Ping;
  if (!check.os_service.empty()) return CheckKind::kOsService;
  if (!check.alias_node.empty() || !check.alias_service.empty()) {
    return CheckKind::kAlias;
  }
  return CheckKind::kNone;
}

std::chrono::nanoseconds TimeoutOf(const CheckDefinition& check) {
  if (check.timeout.count() > 0) return check.timeout;
  const CheckKind kind = KindOf(check);
  const bool runs_a_program =
      kind == CheckKind::kScript || kind == CheckKind::kDocker;
  return std::chrono::seconds(runs_a_program ? 30 : 10);
}

std::unique_ptr<Probe> StartProbe(ProbeTools* tools,
                                  const CheckDefinition& check,
                                  ProbeDone done) {
  switch (KindOf(check)) {
    case CheckKind::kHttp:
      return std::make_unique<HttpProbe>(tools, check, std::move(done));
    case CheckKind::kTcp:
      return std::make_unique<TcpProbe>(tools, check, std::move(done));
    case CheckKind::kUdp:
      return std::make_unique<UdpProbe>(tools, check, std::move(done));
    case CheckKind::kGrpc:
      return std::make_unique<GrpcProbe>(tools, check, std::move(done));
    case CheckKind::kH2Ping:
      return std::make_unique<H2PingProbe>(tools, check, std::move(done));
    case CheckKind::kScript:
      return std::make_unique<ScriptProbe>(tools, check, std::move(done));
    case CheckKind::kDocker:
      return std::make_unique<DockerProbe>(tools, check, std::move(done));
    case CheckKind::kNone:
    case CheckKind::kOsService:
    case CheckKind::kAlias:
    case CheckKind::kTtl:
      break;
  }
  DNSD_CHECK(false && "a check of this kind is not polled");
  return nullptr;
}

}  // namespace dnsd
