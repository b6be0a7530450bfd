// A prepared query as /v1/query shows it (Consul 1.8.7).
//
// Threads: any; no shared state.
#ifndef DNSD_DNSD_HTTP_QUERY_JSON_H_
#define DNSD_DNSD_HTTP_QUERY_JSON_H_

#include "catalog/base/json_write.h"
#include "catalog/registry/registry.h"

namespace dnsd {

// Lists and maps without members are null.
void WriteQuery(const RegisteredQuery& query, JsonWriter* json);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_QUERY_JSON_H_
