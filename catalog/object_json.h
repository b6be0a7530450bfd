// The catalog's objects as Consul's HTTP API writes them (1.8.7): the order of
// the members, and what is null, empty or left out.
//
// Threads: any; no shared state.
// Cost:    appends to the writer's string; nothing is built in between.
#ifndef DNSD_CATALOG_OBJECT_JSON_H_
#define DNSD_CATALOG_OBJECT_JSON_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "catalog/base/json_write.h"
#include "catalog/state.h"
#include "catalog/types.h"

namespace dnsd {

// How a list of tags without any is written: the API for user interfaces and
// executed queries have null.
enum class EmptyTags : uint8_t { kList, kNull };

// "connect-proxy", ...; "" for kTypical.
[[nodiscard]] absl::string_view ServiceKindName(ServiceKind kind);

// What stands as "Proxy" and "Connect" for an instance without proxy_json and
// connect_json.
void WritePlainProxy(const ServiceInstance& instance, JsonWriter* json);
void WritePlainConnect(const ServiceInstance& instance, JsonWriter* json);

// {"ID","Node","Address","Datacenter",...}: a row of /v1/catalog/nodes.
void WriteNode(const NodeView& view, JsonWriter* json);

// {"ID","Service","Tags",...}: a service on a node whose name is known.
void WriteNodeService(const InstanceView& view, EmptyTags empty,
                      JsonWriter* json);

// {"ID","Node",...,"ServiceID",...}: a row of /v1/catalog/service/NAME.
void WriteServiceNode(const InstanceView& view, JsonWriter* json);

// {"Node","CheckID",...}
void WriteHealthCheck(const CheckView& view, EmptyTags empty, JsonWriter* json);

// {"Node","Service","Checks"}: a row of /v1/health/service/NAME.
void WriteHealthEntry(const InstanceView& view,
                      const std::vector<CheckView>& checks, JsonWriter* json,
                      EmptyTags empty = EmptyTags::kList);

// {"ID","Node",...,"Services","Checks"}: a row of /v1/internal/ui/nodes.
void WriteNodeInfo(const NodeView& view,
                   const std::vector<InstanceView>& instances,
                   const std::vector<CheckView>& checks, JsonWriter* json);

}  // namespace dnsd

#endif  // DNSD_CATALOG_OBJECT_JSON_H_
