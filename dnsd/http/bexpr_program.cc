#include "dnsd/http/bexpr_program.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/check.h"
#include "catalog/base/json_read.h"
#include "dnsd/http/bexpr_text.h"

namespace dnsd {
namespace {

using absl::string_view;

// How a match ends, with the `not` of its operator.
bool IsNegated(BexprOperator op) {
  return op == BexprOperator::kNotEqual || op == BexprOperator::kNotIn ||
         op == BexprOperator::kIsNotEmpty || op == BexprOperator::kNotMatches;
}

bool Verdict(BexprOperator op, bool is_so) { return is_so != IsNegated(op); }

// Of a key that the map does not have.
bool MissingKey(BexprOperator op) {
  return op != BexprOperator::kEqual && op != BexprOperator::kIn &&
         op != BexprOperator::kIsNotEmpty;
}

bool IsEmptiness(BexprOperator op) {
  return op == BexprOperator::kIsEmpty || op == BexprOperator::kIsNotEmpty;
}

bool Allows(BexprType type, BexprOperator op) {
  using enum BexprOperator;
  const bool is_equality = op == kEqual || op == kNotEqual;
  const bool is_membership = op == kIn || op == kNotIn;
  switch (type) {
    case BexprType::kString:
      return !IsEmptiness(op);
    case BexprType::kInt:
    case BexprType::kBool:
      return is_equality;
    case BexprType::kStrings:
    case BexprType::kStringMap:
    case BexprType::kStructMap:
      return is_membership || IsEmptiness(op);
    case BexprType::kStructList:
      return IsEmptiness(op);
    case BexprType::kStruct:
      return false;
  }
  return false;
}

const BexprField* Find(std::span<const BexprField> fields,
                       const std::string& name) {
  const auto at =
      std::find_if(fields.begin(), fields.end(),
                   [&](const BexprField& field) { return field.name == name; });
  return at == fields.end() ? nullptr : &*at;
}

string_view GoErrorOf(re2::RE2::ErrorCode code) {
  switch (code) {
    case re2::RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case re2::RE2::ErrorBadCharClass:
      return "invalid character class";
    case re2::RE2::ErrorBadCharRange:
      return "invalid character class range";
    case re2::RE2::ErrorMissingBracket:
      return "missing closing ]";
    case re2::RE2::ErrorMissingParen:
      return "missing closing )";
    case re2::RE2::ErrorUnexpectedParen:
      return "unexpected )";
    case re2::RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case re2::RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case re2::RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case re2::RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case re2::RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case re2::RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case re2::RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    case re2::RE2::ErrorPatternTooLarge:
      return "expression too large";
    case re2::RE2::NoError:
    case re2::RE2::ErrorInternal:
      break;
  }
  return "regexp/syntax: internal error";
}

absl::Status RegexpError(const std::string& text, const re2::RE2& regexp) {
  // Go tells the part that is wrong, or everything when all of it is.
  const bool is_whole = regexp.error_code() == re2::RE2::ErrorUnexpectedParen ||
                        regexp.error_code() == re2::RE2::ErrorPatternTooLarge;
  string_view code = GoErrorOf(regexp.error_code());
  std::string part = is_whole ? text : regexp.error_arg();
  if (regexp.error_code() == re2::RE2::ErrorTrailingBackslash) part = "";
  return absl::InvalidArgumentError(
      absl::StrCat("Failed to compile regular expression ", GoQuote(text),
                   ": error parsing regexp: ", code, ": `", part, "`"));
}

const Value* FindMember(const Value* object, string_view name) {
  if (object == nullptr) return nullptr;
  for (const Member& member : object->members) {
    if (string_view(member.key) == name) return &member.value;
  }
  return nullptr;
}

bool AnyElement(const BexprList& list, const auto& predicate) {
  const char* element = static_cast<const char*>(list.first);
  for (size_t i = 0; i < list.count; ++i, element += list.element_size) {
    if (predicate(element)) return true;
  }
  return false;
}

}  // namespace

// --- compiling ---

absl::StatusOr<std::shared_ptr<const BexprProgram>> BexprProgram::Compile(
    const BexprNode& tree, std::span<const BexprField> fields) {
  auto program = std::make_shared<BexprProgram>();
  const absl::Status status = CompileNode(tree, fields, &program->root_);
  if (!status.ok()) return status;
  return program;
}

absl::Status BexprProgram::CompileNode(const BexprNode& tree,
                                       std::span<const BexprField> fields,
                                       Node* out) {
  out->kind = tree.kind;
  if (tree.kind == BexprNode::Kind::kMatch) {
    return CompileMatch(tree.match, fields, &out->match);
  }
  out->children.resize(tree.children.size());
  for (size_t i = 0; i < tree.children.size(); ++i) {
    const absl::Status status =
        CompileNode(tree.children[i], fields, &out->children[i]);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status BexprProgram::CompileMatch(const BexprMatch& match,
                                        std::span<const BexprField> fields,
                                        Match* out) {
  out->op = match.op;
  out->value = match.value;
  BexprType type = BexprType::kStruct;
  for (size_t i = 0; i < match.selector.size(); ++i) {
    if (!out->steps.empty() && !out->steps.back().has_key &&
        (type == BexprType::kStringMap || type == BexprType::kStructMap)) {
      out->steps.back().key = match.selector[i];
      out->steps.back().has_key = true;
      type = type == BexprType::kStringMap ? BexprType::kString
                                           : BexprType::kStruct;
      continue;
    }
    const BexprField* field = Find(fields, match.selector[i]);
    if (field == nullptr) {
      const std::vector<std::string> upto(
          match.selector.begin(),
          match.selector.begin() + static_cast<ptrdiff_t>(i) + 1);
      return absl::InvalidArgumentError(absl::StrCat(
          "Selector ", GoQuote(absl::StrJoin(upto, ".")), " is not valid"));
    }
    out->steps.push_back({field, "", false});
    fields = field->fields;
    type = field->type;
  }
  const std::string selector = absl::StrJoin(match.selector, ".");
  if (!Allows(type, match.op)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Invalid match operator ", GoQuote(BexprOperatorName(match.op)),
        " for selector ", GoQuote(selector)));
  }
  return Convert(selector, type, out);
}

absl::Status BexprProgram::Convert(const std::string& selector, BexprType type,
                                   Match* out) {
  absl::Status status;
  if (type == BexprType::kInt) {
    const absl::StatusOr<int64_t> integer = GoParseInt(out->value);
    status = integer.status();
    out->integer = integer.value_or(0);
  } else if (type == BexprType::kBool) {
    const absl::StatusOr<bool> boolean = GoParseBool(out->value);
    status = boolean.status();
    out->boolean = boolean.value_or(false);
  }
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "Failed to coerce value ", GoQuote(out->value), " for selector ",
        GoQuote(selector), ": ", status.message()));
  }
  if (out->op == BexprOperator::kMatches ||
      out->op == BexprOperator::kNotMatches) {
    re2::RE2::Options options;
    options.set_log_errors(false);
    auto regexp = std::make_unique<const re2::RE2>(out->value, options);
    if (!regexp->ok()) return RegexpError(out->value, *regexp);
    out->regexp = std::move(regexp);
  }
  return absl::OkStatus();
}

// --- running ---

bool BexprProgram::Run(const Node& node, const void* object) {
  const auto holds = [&](const Node& child) { return Run(child, object); };
  switch (node.kind) {
    case BexprNode::Kind::kMatch:
      return RunMatch(node.match, 0, object);
    case BexprNode::Kind::kNot:
      return !Run(node.children.front(), object);
    case BexprNode::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), holds);
    case BexprNode::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), holds);
  }
  return false;
}

bool BexprProgram::RunText(const Match& match, string_view text) {
  switch (match.op) {
    case BexprOperator::kEqual:
    case BexprOperator::kNotEqual:
      return Verdict(match.op, text == string_view(match.value));
    case BexprOperator::kIn:
    case BexprOperator::kNotIn:
      return Verdict(match.op, absl::StrContains(text, match.value));
    case BexprOperator::kMatches:
    case BexprOperator::kNotMatches:
      return Verdict(match.op, re2::RE2::PartialMatch(
                                   re2::StringPiece(text.data(), text.size()),
                                   *match.regexp));
    case BexprOperator::kIsEmpty:
    case BexprOperator::kIsNotEmpty:
      break;
  }
  DNSD_CHECK(false);
  return false;
}

bool BexprProgram::RunMatch(const Match& match, size_t index,
                            const void* object) {
  const BexprField& field = *match.steps[index].field;
  if (field.json != nullptr) {
    const string_view text = field.json(object);
    if (text.empty()) return RunJson(match, index, nullptr);
    const absl::StatusOr<Value> value = ParseJson(text);
    return RunJson(match, index, value.ok() ? &*value : nullptr);
  }
  const bool is_last = index + 1 == match.steps.size();
  switch (field.type) {
    case BexprType::kString:
      return RunText(match, field.string(object));
    case BexprType::kInt:
      return Verdict(match.op, field.integer(object) == match.integer);
    case BexprType::kBool:
      return Verdict(match.op, field.boolean(object) == match.boolean);
    case BexprType::kStrings: {
      const BexprField::Strings* strings = field.strings(object);
      const bool is_so = IsEmptiness(match.op)
                             ? strings == nullptr || strings->empty()
                             : strings != nullptr &&
                                   std::find(strings->begin(), strings->end(),
                                             match.value) != strings->end();
      return Verdict(match.op, is_so);
    }
    case BexprType::kStringMap:
    case BexprType::kStructMap:
      return RunMap(match, index, object);
    case BexprType::kStruct:
      return RunMatch(match, index + 1, field.object(object));
    case BexprType::kStructList: {
      const BexprList list = field.list(object);
      if (is_last) return Verdict(match.op, list.count == 0);
      return AnyElement(list, [&](const void* element) {
        return RunMatch(match, index + 1, element);
      });
    }
  }
  return false;
}

bool BexprProgram::RunMap(const Match& match, size_t index,
                          const void* object) {
  const Step& step = match.steps[index];
  const BexprField& field = *step.field;
  const bool is_struct = field.type == BexprType::kStructMap;
  const BexprField::StringMap* map =
      is_struct ? nullptr : field.string_map(object);
  const auto has = [&](const std::string& key) {
    return is_struct ? field.find(object, key) != nullptr
                     : map->find(key) != map->end();
  };
  if (!step.has_key) {
    const size_t count = is_struct ? field.count(object) : map->size();
    return Verdict(match.op,
                   IsEmptiness(match.op) ? count == 0 : has(match.value));
  }
  if (is_struct) {
    const void* value = field.find(object, step.key);
    return value == nullptr ? MissingKey(match.op)
                            : RunMatch(match, index + 1, value);
  }
  const auto at = map->find(step.key);
  return at == map->end() ? MissingKey(match.op) : RunText(match, at->second);
}

bool BexprProgram::RunJson(const Match& match, size_t index,
                           const Value* object) {
  const BexprField& field = *match.steps[index].field;
  const Value* value = FindMember(object, field.name);
  switch (field.type) {
    case BexprType::kString:
      return RunText(match, value == nullptr ? string_view() : value->text);
    case BexprType::kInt:
      return Verdict(match.op,
                     (value == nullptr ? 0 : value->integer) == match.integer);
    case BexprType::kBool:
      return Verdict(match.op,
                     (value != nullptr && value->boolean) == match.boolean);
    case BexprType::kStruct:
      return RunJson(match, index + 1, value);
    case BexprType::kStructList: {
      if (index + 1 == match.steps.size()) {
        return Verdict(match.op, value == nullptr || value->items.empty());
      }
      return value != nullptr &&
             std::any_of(value->items.begin(), value->items.end(),
                         [&](const Value& item) {
                           return RunJson(match, index + 1, &item);
                         });
    }
    case BexprType::kStrings:
    case BexprType::kStringMap:
    case BexprType::kStructMap:
      break;  // no schema has such a member
  }
  DNSD_CHECK(false);
  return false;
}

}  // namespace dnsd
