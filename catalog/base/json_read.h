// ParseJson turns a JSON document into a Value, by simdjson.
//
// Threads: any; no shared state.
// Errors:  kInvalidArgument, message "line N: what is wrong". Trailing text
//          after the document, nesting deeper than kNestingMax
//          (limits.h), invalid UTF-8 and numbers outside int64/double are
//          errors. An empty document is an error.
// Numbers: integers that fit int64 are kInt, all others kDouble.
#ifndef DNSD_CATALOG_BASE_JSON_READ_H_
#define DNSD_CATALOG_BASE_JSON_READ_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/value.h"

namespace dnsd {

[[nodiscard]] absl::StatusOr<Value> ParseJson(absl::string_view text);

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_JSON_READ_H_
