// ApiEndpoint is one row of the reading half of Consul's HTTP API: a path, what
// its answer depends on, and how that is written. What all of them share
// (parameters, errors, headers, waiting, ?pretty, gzip) is made of it by
// EndpointRoute().
//
// Threads: the sync thread's.
#ifndef DNSD_DNSD_HTTP_API_ENDPOINT_H_
#define DNSD_DNSD_HTTP_API_ENDPOINT_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/base/json_write.h"
#include "catalog/state.h"
#include "catalog/watch_key.h"
#include "dnsd/http/api_context.h"
#include "dnsd/http/blocking.h"
#include "dnsd/http/http_message.h"
#include "dnsd/http/query_options.h"
#include "dnsd/http/routes.h"

namespace dnsd {

// One request, understood.
struct Asked {
  SharedApiContext context;
  QueryOptions options;
  std::string datacenter;  // lower case
  std::string name;        // what follows the path
  NameKey key;             // {datacenter, name in lower case}
  bool passing = false;
  RowFilter filter;  // empty: all

  // ?node-meta
  [[nodiscard]] bool Wants(const Node& node) const;
  // ?tag
  [[nodiscard]] bool WantsTags(const ServiceInstance& instance) const;
  // ?filter
  [[nodiscard]] bool Matches(const FilterSubject& subject) const;
  // What the token may read.
  [[nodiscard]] bool MayRead(const Node& node) const;
  [[nodiscard]] bool MayReadService(absl::string_view service) const;
  [[nodiscard]] bool MayRead(const InstanceView& view) const;
  [[nodiscard]] bool MayRead(const CheckView& view) const;
  // ?near names the agent: its rows come first.
  [[nodiscard]] bool IsNear(const Node& node) const;

  [[nodiscard]] WatchKey Watch(WatchKind kind) const;  // a list's
  [[nodiscard]] WatchKey WatchName(WatchKind kind) const;
};

struct ApiEndpoint {
  std::string path;          // with a final slash: a name follows
  std::string missing = {};  // "Missing service name"
  FilterKind filter = FilterKind::kNone;
  bool has_passing = false;     // looks at ?passing
  bool has_consistency = true;  // tells it
  bool has_cache = false;       // tells of it, with ?cached
  bool refuses_namespace = true;
  std::function<std::vector<WatchKey>(const Asked&)> keys = {};
  // Nothing written: 404.
  std::function<void(const Asked&, JsonWriter*)> write = {};
};

[[nodiscard]] Route EndpointRoute(SharedApiContext context,
                                  ApiEndpoint endpoint);

// The parts of it, for endpoints that are not like the others.

// Understands the request, or answers it and is false.
[[nodiscard]] bool ReadAsked(const SharedApiContext& context,
                             const ApiEndpoint& endpoint,
                             const HttpRequest& request, const HttpReply& reply,
                             Asked* asked);
// Status 200 with JSON, laid out as asked.
[[nodiscard]] HttpResponse JsonResponse(const ApiContext& context,
                                        const QueryOptions& options,
                                        std::string json);
// X-Consul-Index and its like.
void AddConsulHeaders(uint64_t index, bool knows_leader,
                      HttpResponse* response);

// 500, an error of Consul's servers: they have told nothing of themselves.
[[nodiscard]] HttpResponse ServerError(absl::string_view text);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_API_ENDPOINT_H_
