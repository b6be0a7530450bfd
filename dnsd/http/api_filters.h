// What ?filter= chooses by, for the endpoints: expressions (bexpr.h) bound to
// the rows that an endpoint lists.
//
// Threads: any; what they return is immutable.
// Errors:  the whole text that Consul answers with.
#ifndef DNSD_DNSD_HTTP_API_FILTERS_H_
#define DNSD_DNSD_HTTP_API_FILTERS_H_

#include <functional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/types.h"
#include "dnsd/http/api_context.h"

namespace dnsd {

// For ApiContext. internal/ui/nodes is filtered as catalog/nodes.
[[nodiscard]] absl::StatusOr<RowFilter> CompileRowFilter(
    FilterKind kind, absl::string_view expression);

// For AgentApiOptions.
[[nodiscard]] absl::StatusOr<std::function<bool(const ServiceInstance&)>>
CompileAgentServiceFilter(absl::string_view expression);

// `node` is this agent's, and outlives the filter.
[[nodiscard]] absl::StatusOr<
    std::function<bool(const Check&, const ServiceInstance*)>>
CompileAgentCheckFilter(const Node* node, absl::string_view expression);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_API_FILTERS_H_
