// ParseHcl turns an HCL 1 document, as Consul's configuration files use it,
// into a Value: comments (#, //, /* */), k = v, k { }, k "label" { }, strings
// with escapes, heredocs (<<EOF, <<-EOF), numbers (decimal, 0x, exponent),
// booleans, lists with a trailing comma, objects.
//
// Semantics are HCL 1's (hashicorp/hcl v1.0.0): every object `k { }` or
// `k = { }` becomes a list of one object, repeated keys with objects append
// to that list, and a label becomes one more level of object. A caller that
// wants a single map takes the only element of a one-element list, as Consul
// does (its decoder's "PatchSliceOfMaps").
//
// Threads: any; no shared state.
// Errors:  kInvalidArgument, message "line N, column M: what is wrong".
//          Nesting deeper than kNestingMax (limits.h) is an error.
#ifndef DNSD_CATALOG_BASE_HCL_H_
#define DNSD_CATALOG_BASE_HCL_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/value.h"

namespace dnsd {

[[nodiscard]] absl::StatusOr<Value> ParseHcl(absl::string_view text);

}  // namespace dnsd

#endif  // DNSD_CATALOG_BASE_HCL_H_
