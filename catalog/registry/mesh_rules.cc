// Which proxies and gateways may be registered, in Consul's words.
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/registry/body_parts.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

std::string UpstreamError(const ProxyUpstream& upstream) {
  const std::string& type = upstream.destination_type;
  if (!type.empty() && type != "service" && type != "prepared_query") {
    return absl::StrCat("unknown upstream destination type: ", GoQuoted(type));
  }
  if (upstream.destination_name.empty()) {
    return "upstream destination name cannot be empty";
  }
  if (upstream.local_bind_port == 0) {
    return "upstream local bind port cannot be zero";
  }
  return "";
}

void CheckUpstreams(const ProxyConfig& proxy,
                    std::vector<std::string>* errors) {
  std::set<std::tuple<std::string, std::string, std::string, std::string>> keys;
  std::set<std::string> addresses;
  for (const ProxyUpstream& upstream : proxy.upstreams) {
    std::string error = UpstreamError(upstream);
    if (!error.empty()) {
      errors->push_back(std::move(error));
      continue;
    }
    if (!keys.emplace(upstream.destination_type, upstream.destination_namespace,
                      upstream.destination_name, upstream.datacenter)
             .second) {
      errors->push_back(absl::StrFormat(
          "upstreams cannot contain duplicates of [type=%s, name=%s, "
          "namespace=%s, datacenter=%s]",
          GoQuoted(upstream.destination_type),
          GoQuoted(upstream.destination_name),
          GoQuoted(upstream.destination_namespace),
          GoQuoted(upstream.datacenter)));
      continue;
    }
    const std::string& host = upstream.local_bind_address;
    const bool is_v6 = absl::StrContains(host, ":");
    const std::string address =
        absl::StrCat(is_v6 ? "[" : "", host.empty() ? "127.0.0.1" : host,
                     is_v6 ? "]" : "", ":", upstream.local_bind_port);
    if (!addresses.insert(address).second) {
      errors->push_back(absl::StrCat(
          "upstreams cannot contain duplicates by local bind address and "
          "port; ",
          GoQuoted(address), " is specified twice"));
    }
  }
}

void CheckExposed(const ProxyConfig& proxy, std::vector<std::string>* errors) {
  std::set<std::string> paths;
  std::set<int64_t> listeners;
  for (const ProxyExposedPath& exposed : proxy.exposed_paths) {
    if (exposed.path.empty()) {
      errors->push_back("expose.paths: empty path exposed");
    }
    if (!paths.insert(exposed.path).second) {
      errors->push_back("expose.paths: duplicate paths exposed");
    }
    if (!listeners.insert(exposed.listener_port).second) {
      errors->push_back("expose.paths: duplicate listener ports exposed");
    }
    if (exposed.listener_port <= 0 || exposed.listener_port > 65535) {
      errors->push_back(absl::StrCat("expose.paths: invalid listener port: ",
                                     exposed.listener_port));
    }
    const std::string protocol = absl::AsciiStrToLower(exposed.protocol);
    if (!protocol.empty() && protocol != "http" && protocol != "http2") {
      errors->push_back(absl::StrCat("protocol '", protocol,
                                     "' not supported for path: ", exposed.path,
                                     ", must be in: [http http2]"));
    }
  }
}

void CheckProxy(const ServiceInstance& instance, const ProxyConfig& proxy,
                std::vector<std::string>* errors) {
  if (absl::StripAsciiWhitespace(proxy.destination_name).empty()) {
    errors->push_back(
        "Proxy.DestinationServiceName must be non-empty for Connect proxy "
        "services");
  }
  if (instance.port == 0) {
    errors->push_back("Port must be set for a Connect proxy");
  }
  if (instance.connect_native) {
    errors->push_back(
        "A Proxy cannot also be Connect Native, only typical services");
  }
  CheckUpstreams(proxy, errors);
  CheckExposed(proxy, errors);
}

void CheckGateway(const ServiceInstance& instance, const ProxyConfig& proxy,
                  bool has_sidecar, const char* kind,
                  std::vector<std::string>* errors) {
  if (instance.port == 0 && instance.kind != ServiceKind::kIngressGateway) {
    errors->push_back(absl::StrCat("Port must be non-zero for a ", kind));
  }
  if (has_sidecar) {
    errors->push_back(
        absl::StrCat("A ", kind, " cannot have a sidecar service defined"));
  }
  const auto must_lack = [&](bool has, const char* field) {
    if (!has) return;
    errors->push_back(absl::StrCat("The Proxy.", field,
                                   " configuration is invalid for a ", kind));
  };
  must_lack(!proxy.destination_name.empty(), "DestinationServiceName");
  must_lack(!proxy.destination_id.empty(), "DestinationServiceID");
  must_lack(!proxy.local_address.empty(), "LocalServiceAddress");
  must_lack(proxy.local_port != 0, "LocalServicePort");
  must_lack(!proxy.upstreams.empty(), "Upstreams");
}

}  // namespace

std::vector<std::string> MeshErrors(const ServiceInstance& instance,
                                    const ProxyConfig& proxy,
                                    bool has_sidecar) {
  std::vector<std::string> errors;
  switch (instance.kind) {
    case ServiceKind::kTypical:
    case ServiceKind::kApiGateway:
      break;
    case ServiceKind::kConnectProxy:
      CheckProxy(instance, proxy, &errors);
      break;
    case ServiceKind::kMeshGateway:
      CheckGateway(instance, proxy, has_sidecar, "mesh-gateway", &errors);
      break;
    case ServiceKind::kTerminatingGateway:
      CheckGateway(instance, proxy, has_sidecar, "terminating-gateway",
                   &errors);
      break;
    case ServiceKind::kIngressGateway:
      CheckGateway(instance, proxy, has_sidecar, "ingress-gateway", &errors);
      break;
  }
  return errors;
}

}  // namespace dnsd
