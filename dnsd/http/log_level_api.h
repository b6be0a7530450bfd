// The API of the level from which on the agent logs. It is dnsd's own: Consul
// changes its level by a reload alone.
//
//   GET /v1/dnsd/log-level           agent:read;  {"Level":"info"}
//   PUT /v1/dnsd/log-level?level=X   agent:write; the same, as it is now
//
// What is set so holds until the next reload or start.
//
// Threads:   the sync thread.
// Errors:    400 for what is no level, 403 as elsewhere.
#ifndef DNSD_DNSD_HTTP_LOG_LEVEL_API_H_
#define DNSD_DNSD_HTTP_LOG_LEVEL_API_H_

#include <string>
#include <vector>

#include "dnsd/http/request_acl.h"
#include "dnsd/http/routes.h"

namespace dnsd {

[[nodiscard]] std::vector<Route> LogLevelRoutes(const RequestAcl& acl,
                                                const std::string& node_name);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_LOG_LEVEL_API_H_
