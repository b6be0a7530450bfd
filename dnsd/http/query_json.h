// A prepared query as /v1/query shows it (Consul 1.8.7).
//
// Threads: any; no shared state.
#ifndef DNSD_DNSD_HTTP_QUERY_JSON_H_
#define DNSD_DNSD_HTTP_QUERY_JSON_H_

#include <cstdint>

#include "catalog/base/json_write.h"
#include "catalog/registry/registry.h"

namespace dnsd {

enum class ShownToken : uint8_t { kHidden, kPlain };

// Lists and maps without members are null. A token that is kHidden and not
// empty is "<hidden>".
void WriteQuery(const RegisteredQuery& query, ShownToken shown,
                JsonWriter* json);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_QUERY_JSON_H_
