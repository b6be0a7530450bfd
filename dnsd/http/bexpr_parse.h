// ParseBexpr turns the text of a filter expression into a tree. The language
// is that of go-bexpr 0.1, which Consul 1.8 has:
//
//   Service.Port == 80 and not (web in Service.Tags or Checks is empty)
//
// Threads: any; no shared state.
// Errors:  kInvalidArgument, with Consul's text: where the parser got to in
//          the end and what could have stood there, or what it refused.
// Cost:    linear in the length of the text. (Consul's parser takes time that
//          grows exponentially with nested parentheses.)
// Limits:  kFilterBytesMax bytes, and kNestingMax levels of parentheses and
//          `not`. Both have texts of our own; Consul has no such limits.
#ifndef DNSD_DNSD_HTTP_BEXPR_PARSE_H_
#define DNSD_DNSD_HTTP_BEXPR_PARSE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dnsd {

// Half of a request's head (kHttpHeadBytesMax), in which it comes escaped.
inline constexpr size_t kFilterBytesMax = 8u << 10;

enum class BexprOperator : uint8_t {
  kEqual,
  kNotEqual,
  kIn,  // `contains` is `in` with its sides turned
  kNotIn,
  kIsEmpty,
  kIsNotEmpty,
  kMatches,
  kNotMatches,
};

// "Equal", "Not In", ...: what errors call it.
[[nodiscard]] absl::string_view BexprOperatorName(BexprOperator op);

struct BexprMatch {
  std::vector<std::string> selector;  // Meta["a b"]: "Meta", "a b"
  BexprOperator op = BexprOperator::kEqual;
  std::string value;  // without its quotes; empty for kIsEmpty, kIsNotEmpty

  bool operator==(const BexprMatch&) const = default;
};

struct BexprNode {
  enum class Kind : uint8_t { kMatch, kNot, kAnd, kOr };

  Kind kind = Kind::kMatch;
  BexprMatch match;                 // kMatch
  std::vector<BexprNode> children;  // kNot: one; kAnd, kOr: two or more

  bool operator==(const BexprNode&) const = default;
};

[[nodiscard]] absl::StatusOr<BexprNode> ParseBexpr(absl::string_view text);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_BEXPR_PARSE_H_
