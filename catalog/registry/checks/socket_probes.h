// TcpProbe connects, with TLS if the check says so. UdpProbe sends an empty
// datagram: an answer and silence are both passing, an ICMP error is critical.
//
// As Probe (probe.h) says.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_SOCKET_PROBES_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_SOCKET_PROBES_H_

#include <memory>
#include <optional>
#include <string>

#include "catalog/registry/checks/dialer.h"
#include "catalog/registry/checks/probe.h"
#include "catalog/registry/checks/probe_tools.h"

namespace dnsd {

class TcpProbe : public Probe {
 public:
  TcpProbe(ProbeTools* tools, const CheckDefinition& check, ProbeDone done);
  [[nodiscard]] ProbeResult TimeOut() override;

 private:
  void OnConnected(std::unique_ptr<PolledSocket> socket,
                   const std::string& error);
  void Succeed(const char* what);

  ProbeTools* const tools_;
  const CheckDefinition& check_;
  const ProbeDone done_;
  std::unique_ptr<PolledSocket> socket_;
  std::optional<ByteStream> stream_;
  Dialer dialer_;
};

class UdpProbe : public Probe {
 public:
  UdpProbe(ProbeTools* tools, const CheckDefinition& check, ProbeDone done);
  [[nodiscard]] ProbeResult TimeOut() override;

 private:
  void OnConnected(std::unique_ptr<PolledSocket> socket,
                   const std::string& error);
  void OnAnswer();
  [[nodiscard]] ProbeResult Success() const;

  const CheckDefinition& check_;
  const ProbeDone done_;
  std::unique_ptr<PolledSocket> socket_;
  Dialer dialer_;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_SOCKET_PROBES_H_
