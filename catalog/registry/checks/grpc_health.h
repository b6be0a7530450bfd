// The one call of grpc.health.v1 that a check makes: its message, and what the
// answer says in grpc-go's words.
//
// Threads: any; no shared state.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_GRPC_HEALTH_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_GRPC_HEALTH_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "catalog/registry/checks/h2_client.h"

namespace dnsd {

// HealthCheckRequest{service}, framed as a gRPC message.
[[nodiscard]] std::string GrpcHealthRequest(absl::string_view service);

// "" when `answer` says SERVING; else why not: "gRPC TARGET serving status:
// NOT_SERVING", "rpc error: code = NotFound desc = unknown service".
[[nodiscard]] std::string GrpcHealthError(const H2Answer& answer,
                                          absl::string_view target);

// "rpc error: code = Unavailable desc = WHY"
[[nodiscard]] std::string GrpcUnavailable(absl::string_view why);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_GRPC_HEALTH_H_
