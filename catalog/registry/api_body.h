// Bodies of Consul's registering requests: JSON to validated values, and back
// to JSON that decodes to the same. The store keeps registrations in this form.
//
// Keys are matched as Consul's decoder does: without regard to case, and by
// the snake_case aliases of its agent endpoints; unknown keys are ignored, null
// is not given, durations are texts or nanoseconds.
//
// Threads: any; no shared state, no I/O.
// Errors:  Consul's text where it has one; else one that names the field and
//          the value. kInvalidArgument where Consul answers 400,
//          kFailedPrecondition where it answers 500.
#ifndef DNSD_CATALOG_REGISTRY_API_BODY_H_
#define DNSD_CATALOG_REGISTRY_API_BODY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/prepared_query.h"
#include "catalog/registry/definition.h"
#include "catalog/types.h"

namespace dnsd {

// PUT /v1/catalog/register.
struct CatalogRegistration {
  Node node;  // `datacenter` as given: may be empty, which is this one
  bool skip_node_update = false;
  std::optional<ServiceInstance> service;
  std::vector<Check> checks;  // of `node`, whatever node they name
};

// PUT /v1/catalog/deregister: a check, else a service, else the node.
struct CatalogDeregistration {
  std::string datacenter;  // as given
  std::string node;
  std::string service_id;
  std::string check_id;
};

// A prepared query as it was put; what PreparedQuery does not need is kept to
// be shown again.
struct StoredQuery {
  PreparedQuery query;
  std::string session;
};

// PUT /v1/agent/check/update/ID.
struct CheckUpdate {
  HealthStatus status = HealthStatus::kCritical;
  std::string output;
};

// The service with its sidecar as written (ServiceDefinition::sidecars), for
// only who knows the ports in use can complete it: CompleteSidecar().
[[nodiscard]] absl::StatusOr<ServiceDefinition> DecodeServiceBody(
    absl::string_view json);
[[nodiscard]] absl::StatusOr<CheckDefinition> DecodeCheckBody(
    absl::string_view json);
[[nodiscard]] absl::StatusOr<CheckUpdate> DecodeCheckUpdate(
    absl::string_view json);
[[nodiscard]] absl::StatusOr<CatalogRegistration> DecodeCatalogRegistration(
    absl::string_view json);
[[nodiscard]] absl::StatusOr<CatalogDeregistration> DecodeCatalogDeregistration(
    absl::string_view json);
[[nodiscard]] absl::StatusOr<StoredQuery> DecodeQueryBody(
    absl::string_view json);

// A service without its sidecars: they are services of their own by then.
[[nodiscard]] std::string EncodeService(const ServiceDefinition& service);
[[nodiscard]] std::string EncodeCheck(const CheckDefinition& check);
[[nodiscard]] std::string EncodeCatalogRegistration(
    const CatalogRegistration& registration);
[[nodiscard]] std::string EncodeQuery(const StoredQuery& query);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_API_BODY_H_
