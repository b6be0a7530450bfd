// ApiContext is what the endpoints of Consul's HTTP API read from: the
// catalog, who waits for it, who may read what, and how filters are compiled.
//
// Threads:   the sync thread's.
// Ownership: shared by the routes; what it points to outlives them.
#ifndef DNSD_DNSD_HTTP_API_CONTEXT_H_
#define DNSD_DNSD_HTTP_API_CONTEXT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/state.h"

namespace dnsd {

class Blocking;

// Asked for each node and service by its name as
// registered; what may not be read is left out, as Consul does.
class ReadRights {
 public:
  virtual ~ReadRights() = default;
  [[nodiscard]] virtual bool MayReadNode(absl::string_view token,
                                         absl::string_view node) const = 0;
  [[nodiscard]] virtual bool MayReadService(
      absl::string_view token, absl::string_view service) const = 0;
};

// Filter expressions (?filter=). What the rows are that an
// expression chooses among; its selectors are the members of their JSON.
enum class FilterKind : uint8_t {
  kNone,         // the endpoint takes no filter
  kNode,         // catalog/nodes
  kNodeService,  // services of catalog/node, catalog/node-services
  kServiceNode,  // catalog/service, catalog/connect
  kHealthEntry,  // health/service: Node, Service, Checks
  kHealthCheck,  // health/node, health/checks, health/state
  kNodeInfo,     // internal/ui/nodes
};
// A row. What its kind has not is null.
struct FilterSubject {
  const Node* node = nullptr;
  const ServiceInstance* instance = nullptr;
  const CheckView* check = nullptr;
  const std::vector<CheckView>* checks = nullptr;
};
using RowFilter = std::function<bool(const FilterSubject&)>;
// The error's message is what Consul answers.
using FilterCompiler = std::function<absl::StatusOr<RowFilter>(
    FilterKind kind, absl::string_view expression)>;

struct ApiContext {
  const State* state = nullptr;
  Blocking* blocking = nullptr;
  std::string datacenter;      // our own, lower case
  std::string node_name;       // the agent's, for near=_agent
  std::string leader_address;  // "127.0.0.1:8300"; empty: there is no leader
  bool always_pretty = false;  // as Consul with -dev
  const ReadRights* rights = nullptr;  // null: everything may be read
  FilterCompiler compile_filter;       // empty: every filter is an error
};
using SharedApiContext = std::shared_ptr<const ApiContext>;

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_API_CONTEXT_H_
