#include "catalog/registry/sidecar.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/registry/proxy_json.h"

namespace dnsd {
namespace {

uint16_t TakePort(const SidecarPorts& ports) {
  if (ports.min <= 0) return 0;
  for (int port = ports.min; port <= std::min(ports.max, 65535); ++port) {
    const auto number = static_cast<uint16_t>(port);
    if (!ports.is_used || !ports.is_used(number)) return number;
  }
  return 0;
}

// The two checks Consul gives a sidecar that brings none.
std::vector<CheckDefinition> DefaultChecks(const ServiceDefinition& service,
                                           const ServiceInstance& sidecar) {
  CheckDefinition listening;
  listening.name = "Connect Sidecar Listening";
  listening.tcp = absl::StrCat("127.0.0.1:", sidecar.port);
  listening.interval = std::chrono::seconds(10);
  CheckDefinition aliasing;
  aliasing.name =
      absl::StrCat("Connect Sidecar Aliasing ", service.instance.id.view());
  aliasing.alias_service = service.instance.id;
  return {listening, aliasing};
}

void CompleteProxy(const ServiceInstance& parent, ServiceInstance* sidecar) {
  ProxyConfig proxy = FromProxyJson(sidecar->mesh->proxy_json);
  if (proxy.destination_name.empty()) {
    proxy.destination_name = sidecar->mesh->proxy_destination.empty()
                                 ? *parent.name
                                 : sidecar->mesh->proxy_destination;
  }
  if (proxy.destination_id.empty()) proxy.destination_id = parent.id;
  if (proxy.local_address.empty()) proxy.local_address = "127.0.0.1";
  if (proxy.local_port < 1) proxy.local_port = parent.port;
  sidecar->mesh.Edit().proxy_destination = proxy.destination_name;
  sidecar->mesh.Edit().proxy_json = ToProxyJson(proxy);
}

}  // namespace

std::string SidecarId(const std::string& service_id) {
  return absl::StrCat(service_id, "-sidecar-proxy");
}

void NameChecks(ServiceDefinition* service) {
  const ServiceInstance& instance = service->instance;
  for (size_t i = 0; i < service->checks.size(); ++i) {
    CheckDefinition& check = service->checks[i];
    check.service_id = instance.id;
    if (check.id.empty()) {
      check.id = absl::StrCat("service:", instance.id.view());
      if (service->checks.size() > 1) absl::StrAppend(&check.id, ":", i + 1);
    }
    if (check.name.empty()) {
      check.name = absl::StrCat("Service '", *instance.name, "' check");
    }
  }
}

absl::StatusOr<ServiceDefinition> CompleteSidecar(
    const ServiceDefinition& service, ServiceDefinition sidecar,
    const SidecarPorts& ports) {
  const ServiceInstance& parent = service.instance;
  ServiceInstance& proxy = sidecar.instance;
  proxy.id = SidecarId(parent.id);
  if (proxy.name.empty()) {
    proxy.name = absl::StrCat(*parent.name, "-sidecar-proxy");
  }
  if (proxy.kind == ServiceKind::kTypical) {
    proxy.kind = ServiceKind::kConnectProxy;
  }
  if (proxy.tags.empty()) proxy.tags = parent.tags;
  if (proxy.meta.empty()) {
    proxy.meta = parent.meta;
    proxy.has_meta = proxy.has_meta || parent.has_meta;
  }
  if (sidecar.token.empty()) sidecar.token = service.token;
  CompleteProxy(parent, &proxy);
  if (proxy.port == 0) proxy.port = TakePort(ports);
  if (proxy.port == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("no port provided for sidecar_service and none left in "
                     "the configured range [",
                     ports.min, ", ", ports.max, "]"));
  }
  if (sidecar.checks.empty()) sidecar.checks = DefaultChecks(service, proxy);
  for (CheckDefinition& check : sidecar.checks) {
    if (check.place.key.empty()) check.place = sidecar.place;
  }
  NameChecks(&sidecar);
  return sidecar;
}

}  // namespace dnsd
