// ParseHcl() on any bytes: it must end, with a value that is not nested deeper
// than promised or with an error that names a line.

#include <cstddef>
#include <cstdint>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "catalog/base/check.h"
#include "catalog/base/hcl.h"
#include "catalog/base/limits.h"

namespace dnsd {
namespace {

void CheckValue(const Value& value, size_t depth, int line_count) {
  // A block is an object in a list, and a label one more of each.
  DNSD_CHECK(depth <= 2 * kNestingMax + 1);
  DNSD_CHECK(value.line >= 1 && value.line <= line_count);
  DNSD_CHECK(value.items.empty() || value.kind == Value::Kind::kList);
  DNSD_CHECK(value.members.empty() || value.kind == Value::Kind::kObject);
  DNSD_CHECK(value.kind != Value::Kind::kNull);
  for (const Value& item : value.items) CheckValue(item, depth + 1, line_count);
  for (const Member& member : value.members) {
    DNSD_CHECK(member.line >= 1 && member.line <= line_count);
    CheckValue(member.value, depth + 1, line_count);
  }
}

}  // namespace
}  // namespace dnsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<dnsd::Value> value = dnsd::ParseHcl(text);
  if (!value.ok()) {
    DNSD_CHECK(absl::StartsWith(value.status().message(), "line "));
    return 0;
  }
  int line_count = 1;
  for (const char c : text) line_count += c == '\n';
  dnsd::CheckValue(*value, 0, line_count);
  return 0;
}
