// ParseGoJson reads a request's body as Go's json.Decoder does, with its error
// texts: the first value counts, what follows it is not looked at.
//
// Bytes that are not UTF-8 and halves of surrogate pairs become U+FFFD.
//
// Threads: any; no shared state.
// Errors:  kInvalidArgument with Go's text ("EOF", "unexpected EOF", "invalid
//          character '}' looking for beginning of value").
// Limits:  kNestingMax levels.
#ifndef DNSD_CATALOG_REGISTRY_GO_JSON_H_
#define DNSD_CATALOG_REGISTRY_GO_JSON_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/value.h"

namespace dnsd {

[[nodiscard]] absl::StatusOr<Value> ParseGoJson(absl::string_view text);

// What Go's time.ParseDuration says of a text it does not take.
[[nodiscard]] std::string GoDurationError(const std::string& text);

// A text in Go's %q.
[[nodiscard]] std::string GoQuoted(absl::string_view text);

// The value as Go writes an interface{}: compact, members sorted by name, of a
// repeated one the last.
void AppendGoValue(const Value& value, std::string* out);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_GO_JSON_H_
