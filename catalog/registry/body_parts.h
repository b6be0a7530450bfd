// What the bodies of several requests have in common (api_body.h).
//
// Threads: any; no shared state.
// Errors:  ToStatus() says which statuses Consul answers: kInvalidArgument is
//          400, kFailedPrecondition 500.
#ifndef DNSD_CATALOG_REGISTRY_BODY_PARTS_H_
#define DNSD_CATALOG_REGISTRY_BODY_PARTS_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/json_write.h"
#include "catalog/registry/definition.h"
#include "catalog/registry/go_object.h"
#include "catalog/registry/proxy_json.h"
#include "catalog/types.h"

namespace dnsd {

// "Request decode failed: ...".
[[nodiscard]] absl::Status DecodeFailed(absl::string_view reason);
[[nodiscard]] absl::StatusOr<Value> ParseBody(absl::string_view json);

// What checks and services have in Consul, or in a newer one, that is of no use
// here: read and forgotten.
inline constexpr GoObject::Names kNewerOfChecks = {
    "Namespace", "Partition", "ProxyGRPC", "ProxyHTTP", "SessionName"};
inline constexpr GoObject::Names kNewerOfServices = {
    "Locality", "Namespace", "Partition", "Ports", "SocketPath"};

// Several errors as Consul lists them; OK when there are none.
[[nodiscard]] absl::Status ListErrors(absl::StatusCode code,
                                      const std::vector<std::string>& errors);

// What is wrong with a pair of metadata, or "". `allowed` is a reserved key
// that may be used, or null.
[[nodiscard]] std::string MetaError(
    const std::map<std::string, std::string>& meta, const char* allowed);

// "0.0.0.0", "::", "[::]".
[[nodiscard]] bool IsAnyAddress(absl::string_view address);

// What is wrong with the weights, or "".
[[nodiscard]] std::string WeightsError(const Weights& weights);

// The members of a service that the agent's and the catalog's bodies share,
// but for name and id. A port or kind that we have not is an error.
struct ServiceParts {
  ServiceInstance instance;
  ProxyConfig proxy;
  bool has_weights = false;
  const Value* sidecar = nullptr;  // Connect.SidecarService
};
[[nodiscard]] ServiceParts ReadServiceParts(const GoObject& object,
                                            GoErrors* errors);

// NodeService.Validate(): the rules of proxies and gateways. A sidecar that
// brings its own id or a sidecar is an error here too.
[[nodiscard]] std::vector<std::string> MeshErrors(
    const ServiceInstance& instance, const ProxyConfig& proxy,
    bool has_sidecar);

struct CheckParts {
  CheckDefinition definition;
  std::string status;                     // as given
  std::optional<std::string> kind_error;  // why it cannot be run
};
[[nodiscard]] CheckParts ReadCheckParts(const GoObject& object,
                                        GoErrors* errors);
[[nodiscard]] std::optional<HealthStatus> ParseHealthStatus(
    absl::string_view status);

// Members of a JSON object.
void PutText(absl::string_view key, absl::string_view text, JsonWriter* json);
void PutTexts(absl::string_view key, const std::vector<std::string>& texts,
              JsonWriter* json);
void PutMap(absl::string_view key,
            const std::map<std::string, std::string>& map, JsonWriter* json);
void PutService(const ServiceInstance& instance, JsonWriter* json);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_BODY_PARTS_H_
