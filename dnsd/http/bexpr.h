// Filter is a compiled filter expression, ?filter= of the HTTP API, for
// objects of one kind:
//
//   absl::StatusOr<Filter<Node>> filter =
//       Filter<Node>::Compile("Meta.zone == a", kNodeFilter);
//   if (filter.ok() && filter->Matches(node)) ...
//
// Threads:   immutable; any. Copies share the program.
// Meaning:   Consul 1.8.7's. An empty text matches everything. A selector
//            below a list is true when it is of any element, != and the `not`
//            operators too; so nothing is true of an empty list. Of a key that
//            a map does not have, ==, `in` and `is not empty` are false and
//            all others true, `matches` too.
// Errors:    kInvalidArgument, with the whole text that Consul answers with
//            ("Failed to create boolean expression evaluator: ..."): syntax,
//            selectors, operators, numbers and bools. Texts of our own: longer
//            or deeper expressions than bexpr_parse.h allows, and regular
//            expressions too large for RE2. Nearly Consul's: which part of a
//            regular expression is wrong, and which rule met bytes that are
//            not UTF-8.
// Differs:   Consul cuts the connection when it filters agent services that
//            have no Connect or Proxy by these; here they are false and empty.
//            RE2 knows \C, and Go does not.
// Cost:      Matches() does not allocate, with two exceptions: JSON fields
//            (below Proxy, but DestinationServiceName) are parsed each time an
//            object has them, and RE2 may grow its caches.
#ifndef DNSD_DNSD_HTTP_BEXPR_H_
#define DNSD_DNSD_HTTP_BEXPR_H_

#include <memory>
#include <span>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "dnsd/http/bexpr_schema.h"

namespace dnsd {

class BexprProgram;

namespace bexpr_internal {

// nullptr for an empty text.
[[nodiscard]] absl::StatusOr<std::shared_ptr<const BexprProgram>> Compile(
    absl::string_view text, std::span<const BexprField> fields);
[[nodiscard]] bool Matches(const BexprProgram& program, const void* object);

}  // namespace bexpr_internal

template <typename Row>
class Filter {
 public:
  [[nodiscard]] static absl::StatusOr<Filter> Compile(
      absl::string_view text, const BexprSchema<Row>& schema) {
    auto program = bexpr_internal::Compile(text, schema.fields);
    if (!program.ok()) return program.status();
    return Filter(*std::move(program));
  }

  // Matches everything.
  Filter() = default;

  [[nodiscard]] bool matches_all() const { return program_ == nullptr; }
  [[nodiscard]] bool Matches(const Row& row) const {
    return program_ == nullptr || bexpr_internal::Matches(*program_, &row);
  }

 private:
  explicit Filter(std::shared_ptr<const BexprProgram> program)
      : program_(std::move(program)) {}

  std::shared_ptr<const BexprProgram> program_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_BEXPR_H_
