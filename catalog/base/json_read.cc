#include "catalog/base/json_read.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "catalog/base/limits.h"

namespace dnsd {
namespace {

namespace ondemand = simdjson::ondemand;

std::string Copy(std::string_view text) {
  return std::string(text.data(), text.size());
}

// Turns pointers into the document into line numbers. They come in rising
// order, so counting on from the last one keeps the whole linear.
class LineCounter {
 public:
  LineCounter(const char* begin, const char* end)
      : begin_(begin), end_(end), at_(begin) {}

  int LineOf(const char* place) {
    // std::less and not "<", because an error may point at the padding or
    // nowhere.
    if (std::less<>()(end_, place)) place = end_;
    if (std::less<>()(place, at_)) {
      at_ = begin_;
      line_ = 1;
    }
    if (std::less<>()(place, begin_)) return line_;
    line_ += static_cast<int>(std::count(at_, place, '\n'));
    at_ = place;
    return line_;
  }

 private:
  const char* begin_;
  const char* end_;
  const char* at_;
  int line_ = 1;
};

absl::Status ErrorOnLine(int line, absl::string_view message) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", message));
}

// simdjson refuses the text as a whole for some mistakes and does not say
// where they are. This looks for the first, for the message.
absl::Status TextError(simdjson::error_code error, absl::string_view text) {
  int line = 1;
  int string_line = 0;  // where the open string began; 0: not in a string
  for (size_t i = 0, line_begin = 0; i <= text.size(); ++i) {
    const bool at_end = i == text.size();
    if (at_end || text[i] == '\n') {
      if (!simdjson::validate_utf8(text.data() + line_begin, i - line_begin)) {
        return ErrorOnLine(line, "invalid UTF-8");
      }
      line_begin = i + 1;
    }
    if (at_end) break;
    const char c = text[i];
    if (string_line != 0 && static_cast<unsigned char>(c) < 0x20) {
      return ErrorOnLine(line,
                         "a string has a line end or other control "
                         "character in it, or its closing quote is "
                         "missing");
    }
    if (c == '\n') ++line;
    if (c == '"') string_line = string_line == 0 ? line : 0;
    // An escape hides its second byte from this loop, unless that byte is one
    // that the checks above must see.
    const bool escape = string_line != 0 && c == '\\' && i + 1 < text.size();
    if (escape && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
  }
  if (string_line != 0) {
    return ErrorOnLine(string_line, "a string has no closing quote");
  }
  return ErrorOnLine(line, simdjson::error_message(error));
}

// Walks a document and copies it into Values. simdjson checks a value only
// when it is read, so every one is.
class JsonReader {
 public:
  explicit JsonReader(absl::string_view text)
      : size_(text.size()),
        padded_(text.size() + 2),
        lines_(padded_.data() + 1, padded_.data() + 1 + size_) {
    // On-demand parsing handles a lone string or number by other rules than
    // one inside a container, and does not look for text behind it. Brackets
    // around the document make all documents alike.
    padded_.data()[0] = '[';
    if (size_ > 0) std::memcpy(padded_.data() + 1, text.data(), size_);
    padded_.data()[size_ + 1] = ']';
  }

  absl::Status Read(Value* root) {
    simdjson::error_code error = parser_.iterate(padded_).get(document_);
    if (error != simdjson::SUCCESS) {
      return TextError(error, absl::string_view(padded_.data() + 1, size_));
    }
    ondemand::array brackets;
    error = document_.get_array().get(brackets);
    if (error != simdjson::SUCCESS) return StructureError();
    bool found = false;
    for (auto element : brackets) {
      ondemand::value value;
      const simdjson::error_code got = element.get(value);
      // Behind the first value, even a good one is one too many; but an error
      // at the end means that it took the last bracket for its own.
      if (found && (got == simdjson::SUCCESS || Place() != End())) {
        return TrailingText();
      }
      if (got != simdjson::SUCCESS) return StructureError();
      found = true;
      absl::Status status = ReadValue(value, 1, root);
      if (!status.ok()) return status;
    }
    // There is a location only if something follows the closing bracket.
    if (document_.current_location().error() == simdjson::SUCCESS) {
      return TrailingText();
    }
    if (!found) return ErrorOnLine(1, "the document is empty");
    return absl::OkStatus();
  }

 private:
  const char* End() { return padded_.data() + 1 + size_; }

  // Where simdjson has come to, or the end.
  const char* Place() {
    const char* place = nullptr;
    if (document_.current_location().get(place) != simdjson::SUCCESS ||
        std::less<>()(End(), place)) {
      return End();
    }
    return place;
  }

  // An error at Place().
  absl::Status StructureError() {
    const char* place = Place();
    if (place == End()) {
      return ErrorOnLine(lines_.LineOf(place),
                         "the document ends before it is complete");
    }
    const absl::string_view found(place, 1);
    return ErrorOnLine(
        lines_.LineOf(place),
        absl::StrCat("unexpected ",
                     absl::ascii_isgraph(static_cast<unsigned char>(*place))
                         ? absl::StrCat("'", found, "'")
                         : "character",
                     "; a comma, colon, quote or value is missing before it"));
  }

  absl::Status TrailingText() {
    return ErrorOnLine(lines_.LineOf(Place()), "text after the document");
  }

  absl::Status ReadValue(ondemand::value value, size_t depth, Value* out) {
    const std::string_view raw = value.raw_json_token();
    out->line = lines_.LineOf(raw.data());
    ondemand::json_type type;
    if (value.type().get(type) != simdjson::SUCCESS) return StructureError();
    switch (type) {
      case ondemand::json_type::array:
        return ReadArray(value, depth, out);
      case ondemand::json_type::object:
        return ReadObject(value, depth, out);
      case ondemand::json_type::number:
        return ReadNumber(value, out);
      case ondemand::json_type::string: {
        out->kind = Value::Kind::kString;
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) {
          return ErrorOnLine(out->line, "a string has a bad escape");
        }
        out->text = Copy(text);
        return absl::OkStatus();
      }
      case ondemand::json_type::boolean:
        out->kind = Value::Kind::kBool;
        if (value.get_bool().get(out->boolean) == simdjson::SUCCESS) {
          return absl::OkStatus();
        }
        break;
      case ondemand::json_type::null: {
        out->kind = Value::Kind::kNull;
        // is_null() takes any token that begins with "null".
        bool null = false;
        if (Token(raw) == "null" &&
            value.is_null().get(null) == simdjson::SUCCESS && null) {
          return absl::OkStatus();
        }
        break;
      }
    }
    return ErrorOnLine(out->line,
                       absl::StrCat(Token(raw), " is not a JSON value"));
  }

  // A token without the space up to the next one.
  static absl::string_view Token(std::string_view raw) {
    return absl::StripTrailingAsciiWhitespace(
        absl::string_view(raw.data(), raw.size()));
  }

  absl::Status ReadNumber(ondemand::value value, Value* out) {
    out->text = std::string(Token(value.raw_json_token()));
    if (value.get_int64().get(out->integer) == simdjson::SUCCESS) {
      out->kind = Value::Kind::kInt;
      return absl::OkStatus();
    }
    out->kind = Value::Kind::kDouble;
    if (value.get_double().get(out->real) == simdjson::SUCCESS) {
      return absl::OkStatus();
    }
    return ErrorOnLine(
        out->line,
        absl::StrCat(out->text, " is not a JSON number or is too large"));
  }

  absl::Status TooDeep(int line) {
    return ErrorOnLine(
        line, absl::StrCat("nested deeper than ", kNestingMax, " levels"));
  }

  absl::Status ReadArray(ondemand::value value, size_t depth, Value* out) {
    if (depth > kNestingMax) return TooDeep(out->line);
    out->kind = Value::Kind::kList;
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) {
      return StructureError();
    }
    for (auto element : array) {
      ondemand::value item;
      if (element.get(item) != simdjson::SUCCESS) return StructureError();
      out->items.emplace_back();
      absl::Status status = ReadValue(item, depth + 1, &out->items.back());
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::Status ReadObject(ondemand::value value, size_t depth, Value* out) {
    if (depth > kNestingMax) return TooDeep(out->line);
    out->kind = Value::Kind::kObject;
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
      return StructureError();
    }
    for (auto element : object) {
      ondemand::field field;
      if (std::move(element).get(field) != simdjson::SUCCESS) {
        return StructureError();
      }
      Member& member = out->members.emplace_back();
      member.line = lines_.LineOf(field.key().raw());
      std::string_view key;
      if (field.unescaped_key().get(key) != simdjson::SUCCESS) {
        return ErrorOnLine(member.line, "a key has a bad escape");
      }
      member.key = Copy(key);
      absl::Status status = ReadValue(field.value(), depth + 1, &member.value);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  size_t size_;
  simdjson::padded_string padded_;
  LineCounter lines_;
  ondemand::parser parser_;
  ondemand::document document_;
};

}  // namespace

absl::StatusOr<Value> ParseJson(absl::string_view text) {
  // Line numbers are int, and simdjson's own limit is 4 GiB.
  if (text.size() > std::numeric_limits<int>::max() / 2) {
    return ErrorOnLine(1, "the document is larger than 1 GiB");
  }
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  Value root;
  absl::Status status = JsonReader(text).Read(&root);
  if (!status.ok()) return status;
  return root;
}

}  // namespace dnsd
