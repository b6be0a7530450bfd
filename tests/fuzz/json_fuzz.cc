// ParseJson() on any bytes: it must end, with a value or with an error that
// names a line. simdjson's DOM parser, which checks a whole document by other
// code, must agree about what is JSON.

#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "catalog/base/check.h"
#include "catalog/base/json_read.h"
#include "catalog/base/limits.h"

namespace dnsd {
namespace {

void CheckValue(const Value& value, size_t depth, int line_count) {
  const bool nested = !value.items.empty() || !value.members.empty();
  DNSD_CHECK(!nested || depth < kNestingMax);
  DNSD_CHECK(value.line >= 1 && value.line <= line_count);
  DNSD_CHECK(value.items.empty() || value.kind == Value::Kind::kList);
  DNSD_CHECK(value.members.empty() || value.kind == Value::Kind::kObject);
  for (const Value& item : value.items) CheckValue(item, depth + 1, line_count);
  for (const Member& member : value.members) {
    DNSD_CHECK(member.line >= 1 && member.line <= line_count);
    CheckValue(member.value, depth + 1, line_count);
  }
}

}  // namespace
}  // namespace dnsd

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<dnsd::Value> value = dnsd::ParseJson(text);

  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  if (text.empty()) {
    // simdjson's own copy of no bytes is undefined.
    DNSD_CHECK(!value.ok());
    return 0;
  }
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::error_code error =
      parser.parse(text.data(), text.size()).get(root);
  if (!value.ok()) {
    const absl::string_view message = value.status().message();
    DNSD_CHECK(absl::StartsWith(message, "line "));
    // The DOM parser also takes exponents of twenty and more digits.
    DNSD_CHECK(error != simdjson::SUCCESS ||
               absl::StrContains(message, "nested deeper") ||
               absl::StrContains(message, "is not a JSON number"));
    return 0;
  }
  int line_count = 1;
  for (const char c : text) line_count += c == '\n';
  dnsd::CheckValue(*value, 0, line_count);
  // The DOM parser refuses whole numbers that uint64 cannot hold, which come
  // out as kDouble here.
  DNSD_CHECK(error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR);
  return 0;
}
