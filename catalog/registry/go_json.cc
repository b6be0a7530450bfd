#include "catalog/registry/go_json.h"

#include <charconv>
#include <cmath>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "catalog/base/json_read.h"
#include "catalog/base/json_write.h"
#include "catalog/base/limits.h"

namespace dnsd {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// As Go quotes a byte in "invalid character": it takes it for a code point.
std::string QuotedByte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  switch (c) {
    case '\'':
      return "'\\''";
    case '\\':
      return "'\\\\'";
    case '\t':
      return "'\\t'";
    case '\n':
      return "'\\n'";
    case '\r':
      return "'\\r'";
    default:
      break;
  }
  if (byte < 0x20 || byte == 0x7F) return absl::StrFormat("'\\x%02x'", byte);
  if (byte < 0x80) return absl::StrFormat("'%c'", c);
  if (byte < 0xA0 || byte == 0xAD) return absl::StrFormat("'\\u%04x'", byte);
  return absl::StrFormat("'%c%c'", 0xC0 | (byte >> 6), 0x80 | (byte & 0x3F));
}

// The size of the UTF-8 sequence at the beginning, or 0 (RFC 3629 section 4).
size_t SequenceBytes(absl::string_view text) {
  const auto byte = [text](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size_t bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (text.size() < bytes) return 0;
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (lead == 0xE0 && byte(1) < 0xA0) return 0;
  if (lead == 0xED && byte(1) > 0x9F) return 0;
  if (lead == 0xF0 && byte(1) < 0x90) return 0;
  if (lead == 0xF4 && byte(1) > 0x8F) return 0;
  return bytes;
}

// Goes over one value and copies it to where a strict parser takes it from.
class Scanner {
 public:
  explicit Scanner(absl::string_view text) : rest_(text) {}

  bool Scan() {
    SkipSpace();
    if (rest_.empty()) {
      error_ = "EOF";
      return false;
    }
    return ScanValue(0);
  }
  [[nodiscard]] const std::string& copy() const { return copy_; }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  bool Fail(absl::string_view context) {
    error_ = rest_.empty() ? "unexpected EOF"
                           : absl::StrCat("invalid character ",
                                          QuotedByte(rest_[0]), " ", context);
    return false;
  }
  void Take(size_t bytes) {
    copy_.append(rest_.data(), bytes);
    rest_.remove_prefix(bytes);
  }
  void SkipSpace() {
    size_t bytes = 0;
    while (bytes < rest_.size() && IsSpace(rest_[bytes])) ++bytes;
    Take(bytes);
  }
  [[nodiscard]] bool At(char c) const {
    return !rest_.empty() && rest_[0] == c;
  }

  bool ScanValue(size_t depth) {
    SkipSpace();
    if (depth > kNestingMax) {
      error_ = "exceeded max depth";
      return false;
    }
    if (At('{')) return ScanObject(depth);
    if (At('[')) return ScanArray(depth);
    if (At('"')) return ScanString();
    if (At('t')) return ScanLiteral("true");
    if (At('f')) return ScanLiteral("false");
    if (At('n')) return ScanLiteral("null");
    if (At('-') || (!rest_.empty() && IsDigit(rest_[0]))) return ScanNumber();
    return Fail("looking for beginning of value");
  }

  bool ScanObject(size_t depth) {
    Take(1);
    SkipSpace();
    if (At('}')) {
      Take(1);
      return true;
    }
    for (;;) {
      SkipSpace();
      if (!At('"')) return Fail("looking for beginning of object key string");
      if (!ScanString()) return false;
      SkipSpace();
      if (!At(':')) return Fail("after object key");
      Take(1);
      if (!ScanValue(depth + 1)) return false;
      SkipSpace();
      const bool is_end = At('}');
      if (!is_end && !At(',')) return Fail("after object key:value pair");
      Take(1);
      if (is_end) return true;
    }
  }

  bool ScanArray(size_t depth) {
    Take(1);
    SkipSpace();
    if (At(']')) {
      Take(1);
      return true;
    }
    for (;;) {
      if (!ScanValue(depth + 1)) return false;
      SkipSpace();
      const bool is_end = At(']');
      if (!is_end && !At(',')) return Fail("after array element");
      Take(1);
      if (is_end) return true;
    }
  }

  bool ScanLiteral(absl::string_view word) {
    for (size_t i = 0; i < word.size(); ++i) {
      if (!At(word[i])) {
        return Fail(
            absl::StrFormat("in literal %s (expecting '%c')", word, word[i]));
      }
      Take(1);
    }
    return true;
  }

  bool ScanDigits(absl::string_view context) {
    if (rest_.empty() || !IsDigit(rest_[0])) return Fail(context);
    while (!rest_.empty() && IsDigit(rest_[0])) Take(1);
    return true;
  }

  bool ScanNumber() {
    if (At('-')) Take(1);
    if (At('0')) {
      Take(1);
    } else if (!ScanDigits("in numeric literal")) {
      return false;
    }
    if (At('.')) {
      Take(1);
      if (!ScanDigits("after decimal point in numeric literal")) return false;
    }
    if (At('e') || At('E')) {
      Take(1);
      if (At('+') || At('-')) Take(1);
      if (!ScanDigits("in exponent of numeric literal")) return false;
    }
    return true;
  }

  bool ScanString() {
    Take(1);
    for (;;) {
      if (rest_.empty()) return Fail("");
      const auto byte = static_cast<unsigned char>(rest_[0]);
      if (byte == '"') {
        Take(1);
        return true;
      }
      if (byte < 0x20) return Fail("in string literal");
      if (byte == '\\') {
        if (!ScanEscape()) return false;
        continue;
      }
      const size_t bytes = SequenceBytes(rest_);
      if (bytes > 0) {
        Take(bytes);
      } else {
        copy_.append("\\ufffd");
        rest_.remove_prefix(1);
      }
    }
  }

  bool ScanEscape() {
    Take(1);
    if (At('u')) return ScanUnicode();
    if (rest_.empty() || absl::string_view("\"\\/bfnrt").find(rest_[0]) ==
                             absl::string_view::npos) {
      return Fail("in string escape code");
    }
    Take(1);
    return true;
  }

  // The four digits behind `\u`; the backslash has been copied.
  bool ScanUnicode() {
    unsigned code = 0;
    rest_.remove_prefix(1);
    for (int i = 0; i < 4; ++i) {
      if (rest_.empty() ||
          !absl::ascii_isxdigit(static_cast<unsigned char>(rest_[0]))) {
        return Fail("in \\u hexadecimal character escape");
      }
      const char c = absl::ascii_tolower(static_cast<unsigned char>(rest_[0]));
      const int digit = IsDigit(c) ? c - '0' : c - 'a' + 10;
      code = code * 16 + static_cast<unsigned>(digit);
      rest_.remove_prefix(1);
    }
    const bool is_high = code >= 0xD800 && code < 0xDC00;
    const bool is_low = code >= 0xDC00 && code < 0xE000;
    // A pair is copied at once, so that what is left of one is half of one.
    if (is_high && HasLowSurrogate()) {
      absl::StrAppend(&copy_, absl::StrFormat("u%04x", code));
      Take(6);
    } else {
      absl::StrAppend(
          &copy_, is_high || is_low ? "ufffd" : absl::StrFormat("u%04x", code));
    }
    return true;
  }

  [[nodiscard]] bool HasLowSurrogate() const {
    if (rest_.size() < 6 || !absl::StartsWithIgnoreCase(rest_, "\\ud") ||
        rest_[1] != 'u') {
      return false;
    }
    const auto is_hex = [this](size_t i) {
      return absl::ascii_isxdigit(static_cast<unsigned char>(rest_[i]));
    };
    const char third =
        absl::ascii_tolower(static_cast<unsigned char>(rest_[3]));
    return third >= 'c' && third <= 'f' && is_hex(4) && is_hex(5);
  }

  absl::string_view rest_;
  std::string copy_;
  std::string error_;
};

// As Go's encoding/json: the shortest, without an exponent where it is small.
void AppendDouble(double number, std::string* out) {
  char buffer[400];
  const double magnitude = std::fabs(number);
  const bool is_plain =
      magnitude == 0 || (magnitude >= 1e-6 && magnitude < 1e21);
  const auto end = std::to_chars(
      buffer, buffer + sizeof(buffer), number,
      is_plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer, end.ptr);
  // "1e-07" is "1e-7" there.
  const size_t zero = text.find("e-0");
  if (zero != std::string::npos) text.erase(zero + 2, 1);
  out->append(text);
}

void AppendObject(const Value& value, std::string* out) {
  std::map<absl::string_view, const Value*> members;
  for (const Member& member : value.members) {
    members[member.key] = &member.value;
  }
  out->push_back('{');
  bool is_first = true;
  for (const auto& [key, member] : members) {
    if (!is_first) out->push_back(',');
    is_first = false;
    AppendJsonString(key, out);
    out->push_back(':');
    AppendGoValue(*member, out);
  }
  out->push_back('}');
}

}  // namespace

absl::StatusOr<Value> ParseGoJson(absl::string_view text) {
  Scanner scanner(text);
  if (!scanner.Scan()) return absl::InvalidArgumentError(scanner.error());
  return ParseJson(scanner.copy());
}

void AppendGoValue(const Value& value, std::string* out) {
  switch (value.kind) {
    case Value::Kind::kNull:
      out->append("null");
      return;
    case Value::Kind::kBool:
      out->append(value.boolean ? "true" : "false");
      return;
    case Value::Kind::kInt:
      if (value.text == "-0") out->push_back('-');  // a double to Go
      absl::StrAppend(out, value.integer);
      return;
    case Value::Kind::kDouble:
      AppendDouble(value.real, out);
      return;
    case Value::Kind::kString:
      AppendJsonString(value.text, out);
      return;
    case Value::Kind::kList:
      out->push_back('[');
      for (size_t i = 0; i < value.items.size(); ++i) {
        if (i > 0) out->push_back(',');
        AppendGoValue(value.items[i], out);
      }
      out->push_back(']');
      return;
    case Value::Kind::kObject:
      AppendObject(value, out);
      return;
  }
}

std::string GoQuoted(absl::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const size_t bytes = SequenceBytes(text);
    const char c = text[0];
    if (bytes > 1) {
      quoted.append(text.data(), bytes);
    } else if (bytes == 0) {
      absl::StrAppend(
          &quoted, absl::StrFormat("\\x%02x", static_cast<unsigned char>(c)));
    } else if (c == '"' || c == '\\') {
      quoted.push_back('\\');
      quoted.push_back(c);
    } else if (c == '\'') {
      quoted.push_back(c);
    } else {
      const std::string byte = QuotedByte(c);
      quoted.append(byte, 1, byte.size() - 2);
    }
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  quoted.push_back('"');
  return quoted;
}

std::string GoDurationError(const std::string& text) {
  absl::string_view rest = text;
  const auto invalid = [&text] {
    return absl::StrCat("time: invalid duration ", GoQuoted(text));
  };
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    rest.remove_prefix(1);
  }
  while (!rest.empty()) {
    size_t digits = 0;
    size_t end = 0;
    for (; end < rest.size() && (IsDigit(rest[end]) || rest[end] == '.');
         ++end) {
      if (IsDigit(rest[end])) ++digits;
    }
    const absl::string_view number = rest.substr(0, end);
    if (digits == 0 || number.find('.') != number.rfind('.')) return invalid();
    rest.remove_prefix(end);
    end = 0;
    while (end < rest.size() && rest[end] != '.' && !IsDigit(rest[end])) ++end;
    const absl::string_view unit = rest.substr(0, end);
    if (unit.empty()) {
      return absl::StrCat("time: missing unit in duration ", GoQuoted(text));
    }
    if (unit != "ns" && unit != "us" && unit != "\u00b5s" &&
        unit != "\u03bcs" && unit != "ms" && unit != "s" && unit != "m" &&
        unit != "h") {
      return absl::StrCat("time: unknown unit ", GoQuoted(unit),
                          " in duration ", GoQuoted(text));
    }
    rest.remove_prefix(end);
  }
  return invalid();
}

}  // namespace dnsd
