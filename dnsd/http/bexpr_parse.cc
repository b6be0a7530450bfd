// A recursive descent that tries the same terminals at the same places as
// Consul's grammar does, because those become its syntax errors. What that
// grammar tries twice (a chain, a group) is tried once: the second try would
// tell the same.
#include "dnsd/http/bexpr_parse.h"

#include <initializer_list>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/base/limits.h"
#include "dnsd/http/bexpr_scanner.h"
#include "dnsd/http/bexpr_text.h"

namespace dnsd {
namespace {

using absl::string_view;
using Place = BexprScanner::Place;
using Rule = BexprScanner::Rule;

constexpr BexprScanner::Class kSpace = {
    "[ \\t\\r\\n]",
    [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }};
constexpr BexprScanner::Class kLetter = {
    "[a-zA-Z]",
    [](char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }};
constexpr BexprScanner::Class kWordCharacter = {
    "[a-zA-Z0-9_]", [](char c) {
      return c == '_' || absl::ascii_isalnum(static_cast<unsigned char>(c));
    }};
constexpr BexprScanner::Class kDigit = {
    "[0-9]", [](char c) { return c >= '0' && c <= '9'; }};
constexpr BexprScanner::Class kDigitNotZero = {
    "[1-9]", [](char c) { return c >= '1' && c <= '9'; }};

class Parser {
 public:
  explicit Parser(string_view text) : scan_(text) {}

  absl::StatusOr<BexprNode> Parse() {
    BexprNode node;
    const bool ok = Input(&node);
    if (is_too_deep_) {
      return absl::InvalidArgumentError(absl::StrCat(
          "Expression is nested deeper than ", kNestingMax, " levels"));
    }
    if (!ok && !scan_.has_error()) scan_.AddExpected();
    if (scan_.has_error()) return absl::InvalidArgumentError(scan_.error());
    return node;
  }

 private:
  // A chain of `part`s with `word` between them.
  struct ChainForm {
    string_view rule;
    string_view word;
    BexprNode::Kind kind;
    bool (Parser::*part)(BexprNode*);
  };

  // Each is false when it does not stand here, and then moves nothing; only
  // the three kinds of matches and Quoted() leave the scanner where they got.
  bool Input(BexprNode* out);
  bool WholeGroup(BexprNode* out);
  bool Chain(const ChainForm& form, BexprNode* out);
  bool Or(BexprNode* out);
  bool And(BexprNode* out);
  bool Not(BexprNode* out);
  bool Group(BexprNode* out);
  bool Match(BexprMatch* out);
  bool SelectorOperatorValue(BexprMatch* out);
  bool SelectorOperator(BexprMatch* out);
  bool ValueOperatorSelector(BexprMatch* out);
  // `op` goes to `out` when `sign`, or `words` with spaces between, are here.
  bool Sign(string_view sign, BexprOperator op, BexprOperator* out);
  bool Words(std::initializer_list<string_view> words, BexprOperator op,
             BexprOperator* out);
  bool Selector(std::vector<std::string>* out);
  bool Identifier(std::string* out);
  bool Part(std::string* out);
  bool Index(std::string* out);
  bool Value(std::string* out);
  bool Number(std::string* out);
  bool Digits();
  bool AfterNumber();
  bool String(std::string* out);
  bool Quoted(string_view quote, string_view rule);
  bool Space();
  // Between the parts of a chain: "and", "or", with its spaces.
  bool Joint(string_view word);

  // True, and one level deeper, when there may be one more.
  bool Deeper() {
    is_too_deep_ = is_too_deep_ || depth_ >= kNestingMax;
    if (is_too_deep_) return false;
    ++depth_;
    return true;
  }
  bool Back(const Place& start) {
    scan_.Restore(start);
    return false;
  }

  BexprScanner scan_;
  size_t depth_ = 0;
  bool is_too_deep_ = false;
};

// --- chains and groups ---

bool Parser::Input(BexprNode* out) {
  const Rule rule(&scan_, "Input");
  if (WholeGroup(out)) return true;
  const Place start = scan_.place();
  Space();
  if (!Or(out)) return Back(start);
  Space();
  return scan_.End() || Back(start);
}

// The grammar tries a group around everything first.
bool Parser::WholeGroup(BexprNode* out) {
  const Place start = scan_.place();
  Space();
  if (!scan_.Literal("(")) return Back(start);
  Space();
  if (!Or(out)) return Back(start);
  Space();
  if (!scan_.Literal(")")) return Back(start);
  Space();
  return scan_.End() || Back(start);
}

bool Parser::Joint(string_view word) {
  return Space() && scan_.Literal(word) && Space();
}

bool Parser::Chain(const ChainForm& form, BexprNode* out) {
  const Rule rule(&scan_, form.rule);
  BexprNode part;
  if (!(this->*form.part)(&part)) return false;
  std::vector<BexprNode> parts;
  parts.push_back(std::move(part));
  for (;;) {
    const Place behind = scan_.place();
    part = BexprNode();
    if (!Joint(form.word) || !(this->*form.part)(&part)) {
      scan_.Restore(behind);
      break;
    }
    parts.push_back(std::move(part));
  }
  if (parts.size() == 1) {
    *out = std::move(parts.front());
    return true;
  }
  *out = BexprNode();
  out->kind = form.kind;
  out->children = std::move(parts);
  return true;
}

bool Parser::Or(BexprNode* out) {
  return Chain({"OrExpression", "or", BexprNode::Kind::kOr, &Parser::And}, out);
}

bool Parser::And(BexprNode* out) {
  return Chain({"AndExpression", "and", BexprNode::Kind::kAnd, &Parser::Not},
               out);
}

bool Parser::Not(BexprNode* out) {
  const Rule rule(&scan_, "NotExpression");
  const Place start = scan_.place();
  if (scan_.Literal("not") && Space() && Deeper()) {
    BexprNode operand;
    const bool ok = Not(&operand);
    --depth_;
    if (ok) {
      *out = BexprNode();
      out->kind = BexprNode::Kind::kNot;
      out->children.push_back(std::move(operand));
      return true;
    }
  }
  scan_.Restore(start);
  return Group(out);
}

bool Parser::Group(BexprNode* out) {
  const Rule rule(&scan_, "\"grouping\"");
  const Place start = scan_.place();
  if (!scan_.Literal("(")) {
    *out = BexprNode();
    return Match(&out->match);
  }
  Space();
  if (!Deeper()) return Back(start);
  const bool ok = Or(out);
  --depth_;
  if (!ok) return Back(start);
  Space();
  if (scan_.Literal(")")) return true;
  scan_.AddError("Unmatched parentheses");
  return Back(start);
}

// --- matches ---

bool Parser::Match(BexprMatch* out) {
  const Rule rule(&scan_, "\"match\"");
  const Place start = scan_.place();
  for (const auto form :
       {&Parser::SelectorOperatorValue, &Parser::SelectorOperator,
        &Parser::ValueOperatorSelector}) {
    *out = BexprMatch();
    if ((this->*form)(out)) return true;
    scan_.Restore(start);
  }
  return false;
}

bool Parser::SelectorOperatorValue(BexprMatch* out) {
  return Selector(&out->selector) &&
         (Sign("==", BexprOperator::kEqual, &out->op) ||
          Sign("!=", BexprOperator::kNotEqual, &out->op) ||
          Words({"contains"}, BexprOperator::kIn, &out->op) ||
          Words({"not", "contains"}, BexprOperator::kNotIn, &out->op) ||
          Words({"matches"}, BexprOperator::kMatches, &out->op) ||
          Words({"not", "matches"}, BexprOperator::kNotMatches, &out->op)) &&
         Value(&out->value);
}

bool Parser::SelectorOperator(BexprMatch* out) {
  return Selector(&out->selector) &&
         (Words({"is", "empty"}, BexprOperator::kIsEmpty, &out->op) ||
          Words({"is", "not", "empty"}, BexprOperator::kIsNotEmpty, &out->op));
}

bool Parser::ValueOperatorSelector(BexprMatch* out) {
  if (!Value(&out->value) ||
      !(Words({"in"}, BexprOperator::kIn, &out->op) ||
        Words({"not", "in"}, BexprOperator::kNotIn, &out->op))) {
    return false;
  }
  if (Selector(&out->selector)) return true;
  scan_.AddError("Invalid selector");
  return false;
}

bool Parser::Sign(string_view sign, BexprOperator op, BexprOperator* out) {
  const Place start = scan_.place();
  Space();
  if (!scan_.Literal(sign)) return Back(start);
  Space();
  *out = op;
  return true;
}

bool Parser::Words(std::initializer_list<string_view> words, BexprOperator op,
                   BexprOperator* out) {
  const Place start = scan_.place();
  for (const string_view word : words) {
    if (!Space() || !scan_.Literal(word)) return Back(start);
  }
  const bool has_value =
      op != BexprOperator::kIsEmpty && op != BexprOperator::kIsNotEmpty;
  if (has_value && !Space()) return Back(start);
  *out = op;
  return true;
}

// --- selectors ---

bool Parser::Selector(std::vector<std::string>* out) {
  const Rule rule(&scan_, "\"selector\"");
  out->clear();
  std::string part;
  if (!Identifier(&part)) return false;
  do {
    out->push_back(std::move(part));
    part.clear();
  } while (Part(&part));
  return true;
}

bool Parser::Identifier(std::string* out) {
  const Rule rule(&scan_, "Identifier");
  const Place start = scan_.place();
  if (!scan_.OneOf(kLetter)) return false;
  while (scan_.OneOf(kWordCharacter)) continue;
  *out = std::string(scan_.TextSince(start));
  return true;
}

bool Parser::Part(std::string* out) {
  const Rule rule(&scan_, "SelectorOrIndex");
  const Place start = scan_.place();
  if (scan_.Literal(".") && Identifier(out)) return true;
  scan_.Restore(start);
  return Index(out);
}

bool Parser::Index(std::string* out) {
  const Rule rule(&scan_, "\"index\"");
  const Place start = scan_.place();
  if (!scan_.Literal("[")) return false;
  Space();
  if (!String(out)) {
    scan_.AddError("Invalid index");
    return Back(start);
  }
  Space();
  if (scan_.Literal("]")) return true;
  scan_.AddError("Unclosed index expression");
  return Back(start);
}

// --- values ---

bool Parser::Value(std::string* out) {
  const Rule rule(&scan_, "\"value\"");
  std::vector<std::string> parts;
  if (Selector(&parts)) {
    *out = absl::StrJoin(parts, ".");
    return true;
  }
  return Number(out) || String(out);
}

bool Parser::Number(std::string* out) {
  const Rule rule(&scan_, "\"number\"");
  const Place start = scan_.place();
  scan_.Literal("-");
  if (!Digits()) return Back(start);
  const string_view text = scan_.TextSince(start);
  if (!AfterNumber()) {
    scan_.AddError("Invalid number literal");
    return Back(start);
  }
  *out = std::string(text);
  return true;
}

bool Parser::Digits() {
  const Rule rule(&scan_, "IntegerOrFloat");
  if (!scan_.Literal("0")) {
    if (!scan_.OneOf(kDigitNotZero)) return false;
    while (scan_.OneOf(kDigit)) continue;
  }
  const Place whole = scan_.place();
  if (!scan_.Literal(".") || !scan_.OneOf(kDigit)) {
    scan_.Restore(whole);
    return true;
  }
  while (scan_.OneOf(kDigit)) continue;
  return true;
}

bool Parser::AfterNumber() {
  const Rule rule(&scan_, "AfterNumbers");
  const Place start = scan_.place();
  const bool ok = Space() || scan_.End() || scan_.Literal(")");
  scan_.Restore(start);
  return ok;
}

bool Parser::String(std::string* out) {
  const Rule rule(&scan_, "\"string\"");
  const Place start = scan_.place();
  if (Quoted("`", "RawStringChar") || Quoted("\"", "DoubleStringChar")) {
    std::optional<std::string> text = GoUnquote(scan_.TextSince(start));
    if (!text) scan_.AddErrorAt("invalid syntax", start);
    *out = std::move(text).value_or("");
    return true;
  }
  // What begins with a quote and is no string has reached the end.
  if (scan_.place().offset == start.offset) return false;
  scan_.AddError("Unterminated string literal");
  return Back(start);
}

// False with the scanner at the end of the text when the last quote is missing.
bool Parser::Quoted(string_view quote, string_view rule) {
  if (!scan_.Literal(quote)) return false;
  for (;;) {
    const Rule character(&scan_, rule);
    if (!scan_.AnyBut(quote)) break;
  }
  return scan_.Literal(quote);
}

bool Parser::Space() {
  const Rule rule(&scan_, "\"whitespace\"");
  if (!scan_.OneOf(kSpace)) return false;
  while (scan_.OneOf(kSpace)) continue;
  return true;
}

}  // namespace

absl::string_view BexprOperatorName(BexprOperator op) {
  constexpr string_view kNames[] = {
      "Equal",    "Not Equal",    "In",      "Not In",
      "Is Empty", "Is Not Empty", "Matches", "Not Matches",
  };
  return kNames[static_cast<size_t>(op)];
}

absl::StatusOr<BexprNode> ParseBexpr(string_view text) {
  if (text.size() > kFilterBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("Expression of ", text.size(), " bytes is longer than ",
                     kFilterBytesMax));
  }
  return Parser(text).Parse();
}

}  // namespace dnsd
