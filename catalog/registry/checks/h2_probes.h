// GrpcProbe asks grpc.health.v1's Check; H2PingProbe sends an HTTP/2 PING.
//
// As Probe (probe.h) says.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_H2_PROBES_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_H2_PROBES_H_

#include <memory>
#include <optional>
#include <string>

#include "catalog/registry/checks/dialer.h"
#include "catalog/registry/checks/h2_client.h"
#include "catalog/registry/checks/probe.h"
#include "catalog/registry/checks/probe_tools.h"

namespace dnsd {

class GrpcProbe : public Probe {
 public:
  GrpcProbe(ProbeTools* tools, const CheckDefinition& check, ProbeDone done);
  [[nodiscard]] ProbeResult TimeOut() override;

 private:
  void OnConnected(std::unique_ptr<PolledSocket> socket,
                   const std::string& error);
  void Ask();
  void OnError(const std::string& error);
  [[nodiscard]] ProbeResult Read(const H2Answer& answer) const;

  ProbeTools* const tools_;
  const CheckDefinition& check_;
  const ProbeDone done_;
  const std::string address_;  // "host:port"
  const std::string service_;  // what stands behind the slash
  std::optional<H2Client> client_;
  Dialer dialer_;
};

class H2PingProbe : public Probe {
 public:
  H2PingProbe(ProbeTools* tools, const CheckDefinition& check, ProbeDone done);
  [[nodiscard]] ProbeResult TimeOut() override;

 private:
  void OnConnected(std::unique_ptr<PolledSocket> socket,
                   const std::string& error);

  ProbeTools* const tools_;
  const CheckDefinition& check_;
  const ProbeDone done_;
  std::optional<H2Client> client_;
  bool is_open_ = false;
  Dialer dialer_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_H2_PROBES_H_
