#include "catalog/base/hcl.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "catalog/base/hcl_lexer.h"
#include "catalog/base/limits.h"

namespace dnsd {
namespace {

// How an item of an object was written; it decides how a repeated key merges.
enum class Form : uint8_t {
  kScalar,    // k = 1
  kList,      // k = [...]
  kBlock,     // k { } or k = { }
  kLabelled,  // k "label" { }
};

// Collects the members of one object and merges repeated keys as HCL 1 does
// when it decodes into a map.
class ObjectBuilder {
 public:
  explicit ObjectBuilder(Value* object) : object_(object) {}

  // False if `key` is there already in a form that `member` cannot join.
  [[nodiscard]] bool Add(Member member, Form form) {
    const auto [it, inserted] =
        places_.try_emplace(member.key, Place{object_->members.size(), form});
    if (inserted) {
      object_->members.push_back(std::move(member));
      return true;
    }
    const Form old = it->second.form;
    if (old == Form::kScalar && form == Form::kScalar) {
      object_->members.push_back(std::move(member));
      return true;
    }
    if (!CanJoin(old, form, member.value)) return false;
    std::vector<Value>& items = object_->members[it->second.index].value.items;
    items.insert(items.end(),
                 std::make_move_iterator(member.value.items.begin()),
                 std::make_move_iterator(member.value.items.end()));
    return true;
  }

 private:
  struct Place {
    size_t index;
    Form form;
  };

  static bool CanJoin(Form old, Form added, const Value& value) {
    switch (old) {
      case Form::kScalar:
        return false;
      case Form::kList:
        return added == Form::kList || added == Form::kBlock;
      case Form::kLabelled:
        return added == Form::kLabelled;
      case Form::kBlock:
        break;
    }
    if (added == Form::kBlock) return true;
    if (added != Form::kList) return false;
    // A list that began with a block takes only objects.
    for (const Value& item : value.items) {
      if (item.kind != Value::Kind::kObject) return false;
    }
    return true;
  }

  Value* object_;
  absl::flat_hash_map<std::string, Place> places_;
};

// The list of one object that every block becomes.
Value ListOf(Value object) {
  Value list;
  list.kind = Value::Kind::kList;
  list.line = object.line;
  list.items.push_back(std::move(object));
  return list;
}

// Reads a whole number as HCL 1 does: "0x" is hexadecimal, any other leading
// zero octal. False if it does not fit or has a digit too large.
bool ReadInteger(absl::string_view text, int64_t* integer) {
  const bool negative = absl::ConsumePrefix(&text, "-");
  uint64_t base = 10;
  if (absl::StartsWith(text, "0x") || absl::StartsWith(text, "0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text[0] == '0') {
    base = 8;
  }
  if (text.empty()) return false;
  const uint64_t limit = negative ? uint64_t{1} << 63 : INT64_MAX;
  uint64_t magnitude = 0;
  for (const char c : text) {
    const char lower = static_cast<char>(c | 0x20);
    const auto digit =
        static_cast<uint64_t>(c <= '9' ? c - '0' : lower - 'a' + 10);
    if (digit >= base || magnitude > (limit - digit) / base) return false;
    magnitude = magnitude * base + digit;
  }
  *integer = static_cast<int64_t>(negative ? ~magnitude + 1 : magnitude);
  return true;
}

// A recursive descent over the tokens; `depth` bounds it. token_ is always the
// next token that nothing has used.
class HclParser {
 public:
  explicit HclParser(absl::string_view text) : lexer_(text) {}

  [[nodiscard]] absl::Status ParseDocument(Value* root) {
    root->kind = Value::Kind::kObject;
    root->line = 1;
    absl::Status status = Advance();
    if (!status.ok()) return status;
    return ParseItems(HclTokenKind::kEnd, 0, root);
  }

 private:
  using Kind = HclTokenKind;

  absl::Status Advance() {
    absl::StatusOr<HclToken> token = lexer_.Next();
    if (!token.ok()) return token.status();
    token_ = *std::move(token);
    return absl::OkStatus();
  }

  absl::Status Expected(absl::string_view what) const {
    return lexer_.ErrorAt(
        token_.offset,
        absl::StrCat("expected ", what, ", found ", token_.Describe()));
  }

  absl::Status TooDeep(size_t offset) const {
    return lexer_.ErrorAt(
        offset, absl::StrCat("nested deeper than ", kNestingMax, " levels"));
  }

  // Reads items up to `end`, which it leaves as the next token.
  absl::Status ParseItems(Kind end, size_t depth, Value* object) {
    ObjectBuilder builder(object);
    while (token_.kind != end) {
      absl::Status status = ParseItem(depth, end, &builder);
      if (!status.ok()) return status;
      if (token_.kind != Kind::kComma) continue;
      status = Advance();
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // Reads `key = value`, `key { }` or `key "label"... { }`.
  absl::Status ParseItem(size_t depth, Kind end, ObjectBuilder* builder) {
    const size_t offset = token_.offset;
    std::vector<HclToken> keys;
    while (token_.kind == Kind::kIdentifier || token_.kind == Kind::kString) {
      keys.push_back(std::move(token_));
      absl::Status status = Advance();
      if (!status.ok()) return status;
    }
    if (keys.empty()) {
      return Expected(end == Kind::kEnd ? "a key" : "a key or '}'");
    }
    const bool assigned = token_.kind == Kind::kAssign && keys.size() == 1;
    if (!assigned && token_.kind != Kind::kLeftBrace) {
      return Expected(absl::StrCat(keys.size() == 1 ? "'=' or '{'" : "'{'",
                                   " after ", keys.back().Describe()));
    }
    if (depth + keys.size() > kNestingMax) return TooDeep(offset);

    Member member;
    Form form = keys.size() > 1 ? Form::kLabelled : Form::kBlock;
    absl::Status status = assigned ? Advance() : absl::OkStatus();
    if (!status.ok()) return status;
    status = ParseValue(depth + keys.size(), &member.value, &form);
    if (!status.ok()) return status;

    // From the inside out: every label wraps what follows it.
    for (size_t i = keys.size(); i-- > 1;) {
      Member inner = std::exchange(member, Member());
      inner.key = std::move(keys[i].text);
      inner.line = keys[i].line;
      Value object;
      object.kind = Value::Kind::kObject;
      object.line = inner.line;
      object.members.push_back(std::move(inner));
      member.value = ListOf(std::move(object));
    }
    member.key = std::move(keys[0].text);
    member.line = keys[0].line;
    const std::string name = member.key;
    if (!builder->Add(std::move(member), form)) {
      return lexer_.ErrorAt(
          offset, absl::StrCat("'", name, "' is here before, as another kind ",
                               "of value that this one cannot be added to"));
    }
    return absl::OkStatus();
  }

  // Reads any value. An object comes out as a list of one, which is what it is
  // as the value of a key; form, unless it says kLabelled, is set to what the
  // value is.
  absl::Status ParseValue(size_t depth, Value* value, Form* form) {
    if (token_.kind == Kind::kLeftBrace) {
      Value object;
      absl::Status status = ParseObject(depth, &object);
      if (!status.ok()) return status;
      *value = ListOf(std::move(object));
      return absl::OkStatus();
    }
    if (token_.kind == Kind::kLeftBracket) {
      *form = Form::kList;
      return ParseList(depth, value);
    }
    *form = Form::kScalar;
    return ParseScalar(value);
  }

  absl::Status ParseObject(size_t depth, Value* value) {
    if (depth > kNestingMax) return TooDeep(token_.offset);
    value->kind = Value::Kind::kObject;
    value->line = token_.line;
    absl::Status status = Advance();
    if (!status.ok()) return status;
    status = ParseItems(Kind::kRightBrace, depth, value);
    if (!status.ok()) return status;
    return Advance();
  }

  // HCL 1 lets commas repeat and be left out after an inner list.
  absl::Status ParseList(size_t depth, Value* value) {
    if (depth > kNestingMax) return TooDeep(token_.offset);
    value->kind = Value::Kind::kList;
    value->line = token_.line;
    absl::Status status = Advance();
    bool need_comma = false;
    while (status.ok() && token_.kind != Kind::kRightBracket) {
      if (token_.kind == Kind::kComma) {
        need_comma = false;
        status = Advance();
        continue;
      }
      if (need_comma) return Expected("',' or ']'");
      need_comma = token_.kind != Kind::kLeftBracket;
      value->items.emplace_back();
      status = ParseListItem(depth + 1, &value->items.back());
    }
    if (!status.ok()) return status;
    return Advance();
  }

  absl::Status ParseListItem(size_t depth, Value* value) {
    if (token_.kind == Kind::kLeftBrace) return ParseObject(depth, value);
    if (token_.kind == Kind::kLeftBracket) return ParseList(depth, value);
    if (token_.kind == Kind::kEnd) return Expected("',' or ']'");
    return ParseScalar(value);
  }

  absl::Status ParseScalar(Value* value) {
    value->line = token_.line;
    switch (token_.kind) {
      case Kind::kString:
      case Kind::kHeredoc:
        value->kind = Value::Kind::kString;
        break;
      case Kind::kBool:
        value->kind = Value::Kind::kBool;
        value->boolean = token_.text == "true";
        break;
      case Kind::kInteger:
        value->kind = Value::Kind::kInt;
        if (!ReadInteger(token_.text, &value->integer)) return BadNumber();
        break;
      case Kind::kReal:
        value->kind = Value::Kind::kDouble;
        if (!absl::SimpleAtod(token_.text, &value->real) ||
            !std::isfinite(value->real)) {
          return BadNumber();
        }
        break;
      default:
        return Expected("a value");
    }
    if (value->kind != Value::Kind::kBool) value->text = token_.text;
    return Advance();
  }

  absl::Status BadNumber() const {
    return lexer_.ErrorAt(
        token_.offset,
        absl::StrCat(token_.text, " is not a number or is too large"));
  }

  HclLexer lexer_;
  HclToken token_;
};

}  // namespace

absl::StatusOr<Value> ParseHcl(absl::string_view text) {
  if (text.size() > kConfigFileBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("line 1, column 1: ", text.size(),
                     " bytes, more than the limit of ", kConfigFileBytesMax));
  }
  // Editors put a byte order mark at the start of UTF-8 files.
  absl::ConsumePrefix(&text, "\xEF\xBB\xBF");
  absl::Status status = CheckHclText(text);
  if (!status.ok()) return status;

  // HCL 1 makes all line ends '\n', so that heredocs have no '\r' in them.
  const std::string lines = absl::StrReplaceAll(text, {{"\r\n", "\n"}});
  Value root;
  status = HclParser(lines).ParseDocument(&root);
  if (!status.ok()) return status;
  return root;
}

}  // namespace dnsd
