#include "dnsd/http/bexpr.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "dnsd/http/bexpr_parse.h"
#include "dnsd/http/bexpr_program.h"

namespace dnsd::bexpr_internal {
namespace {

absl::Status Refused(const absl::Status& status) {
  return absl::InvalidArgumentError(absl::StrCat(
      "Failed to create boolean expression evaluator: ", status.message()));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const BexprProgram>> Compile(
    absl::string_view text, std::span<const BexprField> fields) {
  if (text.empty()) return nullptr;
  const absl::StatusOr<BexprNode> tree = ParseBexpr(text);
  if (!tree.ok()) return Refused(tree.status());
  auto program = BexprProgram::Compile(*tree, fields);
  if (!program.ok()) return Refused(program.status());
  return program;
}

bool Matches(const BexprProgram& program, const void* object) {
  return program.Matches(object);
}

}  // namespace dnsd::bexpr_internal
