// ValueText prints a parsed document as JSON without spaces, for comparisons
// in tests: members in their order, repeated keys included; floats always with
// a point or an exponent; strings byte for byte except for quotes, backslashes
// and control characters.
//
// Threads: any; no shared state.
#ifndef DNSD_TESTS_TESTING_VALUE_TEXT_H_
#define DNSD_TESTS_TESTING_VALUE_TEXT_H_

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "catalog/base/value.h"

namespace dnsd::testing {

inline std::string QuotedText(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      absl::StrAppendFormat(&out, "\\u%04x", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

inline std::string ValueText(const Value& value) {
  std::string out;
  const char* comma = "";
  switch (value.kind) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kBool:
      return value.boolean ? "true" : "false";
    case Value::Kind::kInt:
      return absl::StrCat(value.integer);
    case Value::Kind::kDouble:
      out = absl::StrFormat("%.17g", value.real);
      if (out.find_first_of(".e") == std::string::npos) out += ".0";
      return out;
    case Value::Kind::kString:
      return QuotedText(value.text);
    case Value::Kind::kList:
      for (const Value& item : value.items) {
        absl::StrAppend(&out, comma, ValueText(item));
        comma = ",";
      }
      return absl::StrCat("[", out, "]");
    case Value::Kind::kObject:
      for (const Member& member : value.members) {
        absl::StrAppend(&out, comma, QuotedText(member.key), ":",
                        ValueText(member.value));
        comma = ",";
      }
      return absl::StrCat("{", out, "}");
  }
  return out;
}

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_VALUE_TEXT_H_
