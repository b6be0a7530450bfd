// The agent's own services and checks as /v1/agent/ shows them (Consul 1.8.7):
// not as the catalog does, in order and in what is left out.
//
// Threads: any; no shared state.
#ifndef DNSD_DNSD_HTTP_AGENT_JSON_H_
#define DNSD_DNSD_HTTP_AGENT_JSON_H_

#include <string>

#include "catalog/base/json_write.h"
#include "catalog/registry/agent_state.h"

namespace dnsd {

// 16 hexadecimal digits that stand for all that is shown of the service.
[[nodiscard]] std::string ContentHash(const ServiceInstance& instance);

// With an empty hash there is no "ContentHash".
void WriteAgentService(const ServiceInstance& instance,
                       const std::string& content_hash, JsonWriter* json);

// kBare: as /v1/agent/health/service shows it, without its type.
enum class AgentCheckShape : uint8_t { kFull, kBare };
// `service` is the check's, or null.
void WriteAgentCheck(const std::string& node, const Check& check,
                     const ServiceInstance* service, AgentCheckShape shape,
                     JsonWriter* json);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_AGENT_JSON_H_
