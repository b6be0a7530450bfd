#include "catalog/query_template.h"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <variant>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

using Value = std::variant<bool, int64_t, double, std::string>;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string ToText(const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<int64_t>(&value)) {
    return absl::StrCat(*number);
  }
  if (const auto* flag = std::get_if<bool>(&value)) {
    return *flag ? "true" : "false";
  }
  // The shortest text that is read back as the same number, as Go writes it.
  char buffer[32];
  auto end = std::to_chars(buffer, buffer + sizeof(buffer),
                           std::get<double>(value), std::chars_format::general);
  return std::string(buffer, end.ptr);
}

// Go's ParseInt with base 0: decimal, 0x or octal.
std::optional<int64_t> ReadInt(const std::string& text) {
  bool is_negative = !text.empty() && text[0] == '-';
  const char* begin = text.data() + (is_negative ? 1 : 0);
  const char* end = text.data() + text.size();
  int base = 10;
  if (end - begin > 1 && *begin == '0') {
    bool is_hex = begin[1] == 'x' || begin[1] == 'X';
    base = is_hex ? 16 : 8;
    begin += is_hex ? 2 : 1;
  }
  int64_t number = 0;
  auto result = std::from_chars(begin, end, number, base);
  if (begin == end || result.ec != std::errc() || result.ptr != end ||
      number < 0) {
    return std::nullopt;
  }
  return is_negative ? -number : number;
}

std::optional<double> ToFloat(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* number = std::get_if<int64_t>(&value)) {
    return static_cast<double>(*number);
  }
  const auto* text = std::get_if<std::string>(&value);
  double number = 0;
  if (text == nullptr || !absl::SimpleAtod(*text, &number)) return std::nullopt;
  return number;
}

std::optional<int64_t> ToInt(const Value& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) {
    return ReadInt(*text);
  }
  const auto* number = std::get_if<double>(&value);
  constexpr double kLimit = 9e18;
  if (number == nullptr || !(std::fabs(*number) < kLimit)) return std::nullopt;
  return static_cast<int64_t>(*number);
}

std::optional<bool> ToBool(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return std::nullopt;
  if (*text == "true" || *text == "1") return true;
  if (*text == "false" || *text == "0") return false;
  return std::nullopt;
}

// Wraps around where Go does.
std::optional<Value> IntMath(char op, int64_t left, int64_t right) {
  auto a = static_cast<uint64_t>(left);
  auto b = static_cast<uint64_t>(right);
  switch (op) {
    case '+':
      return Value(static_cast<int64_t>(a + b));
    case '-':
      return Value(static_cast<int64_t>(a - b));
    case '*':
      return Value(static_cast<int64_t>(a * b));
    default:
      break;
  }
  if (right == 0) return std::nullopt;
  if (right == -1) return Value(op == '/' ? static_cast<int64_t>(0 - a) : 0);
  return Value(op == '/' ? left / right : left % right);
}

std::optional<Value> FloatMath(char op, double left, double right) {
  switch (op) {
    case '+':
      return Value(left + right);
    case '-':
      return Value(left - right);
    case '*':
      return Value(left * right);
    case '/':
      if (right == 0) return std::nullopt;
      return Value(left / right);
    default:
      return std::nullopt;
  }
}

// The first operand that is a number says how both are read.
bool IsFloatMath(const Value& left, const Value& right) {
  if (std::holds_alternative<double>(left)) return true;
  return std::holds_alternative<double>(right) &&
         !std::holds_alternative<int64_t>(left);
}

std::optional<Value> Arithmetic(char op, const Value& left,
                                const Value& right) {
  if (IsFloatMath(left, right)) {
    std::optional<double> a = ToFloat(left);
    std::optional<double> b = ToFloat(right);
    return a && b ? FloatMath(op, *a, *b) : std::nullopt;
  }
  std::optional<int64_t> a = ToInt(left);
  std::optional<int64_t> b = ToInt(right);
  return a && b ? IntMath(op, *a, *b) : std::nullopt;
}

std::optional<Value> Compare(const std::string& op, const Value& left,
                             const Value& right) {
  if (op == "==" || op == "!=") {
    bool is_equal = false;
    if (std::holds_alternative<std::string>(left)) {
      is_equal = std::get<std::string>(left) == ToText(right);
    } else if (std::holds_alternative<bool>(left)) {
      std::optional<bool> other = ToBool(right);
      if (!other) return std::nullopt;
      is_equal = std::get<bool>(left) == *other;
    } else {
      std::optional<double> a = ToFloat(left);
      std::optional<double> b = ToFloat(right);
      if (!a || !b) return std::nullopt;
      is_equal = *a == *b;
    }
    return Value(is_equal == (op == "=="));
  }
  std::optional<double> a = ToFloat(left);
  std::optional<double> b = ToFloat(right);
  if (!a || !b) return std::nullopt;
  if (op == "<") return Value(*a < *b);
  if (op == ">") return Value(*a > *b);
  return Value(op == "<=" ? *a <= *b : *a >= *b);
}

struct Operator {
  const char* text;  // a longer one before its beginning
  int level;         // a higher one binds closer
};
constexpr Operator kOperators[] = {
    {"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {"<=", 4}, {">=", 4}, {"<", 4},
    {">", 4},  {"+", 5},  {"-", 5},  {"*", 6},  {"/", 6},  {"%", 6}};

std::optional<Value> Combine(const std::string& op, const Value& left,
                             const Value& right) {
  if (op == "||" || op == "&&") {
    std::optional<bool> a = ToBool(left);
    std::optional<bool> b = ToBool(right);
    if (!a || !b) return std::nullopt;
    return Value(op == "||" ? *a || *b : *a && *b);
  }
  if (op.size() == 2 || op == "<" || op == ">") return Compare(op, left, right);
  return Arithmetic(op[0], left, right);
}

// Reads and evaluates in one pass: texts are short and have no side effects.
class Evaluator {
 public:
  Evaluator(const std::string& text, const TemplateScope& scope)
      : text_(text), scope_(scope) {}

  std::optional<std::string> Run() { return Text(false); }

 private:
  // Counts how deep the calls are nested.
  class Level {
   public:
    explicit Level(int* depth) : depth_(depth) { ++*depth_; }
    ~Level() { --*depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    [[nodiscard]] bool too_deep() const { return *depth_ > kTemplateDepthMax; }

   private:
    int* depth_;
  };

  [[nodiscard]] bool AtEnd() const { return at_ >= text_.size(); }
  [[nodiscard]] char Peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void SkipBlanks() {
    while (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' ||
           Peek() == '\r') {
      ++at_;
    }
  }
  bool Take(const char* token) {
    SkipBlanks();
    size_t size = std::char_traits<char>::length(token);
    if (text_.compare(at_, size, token) != 0) return false;
    at_ += size;
    return true;
  }

  // Literal text with ${...}, to the end or to the closing quote.
  std::optional<std::string> Text(bool is_quoted) {
    Level level(&depth_);
    std::string out;
    while (!AtEnd()) {
      char c = text_[at_++];
      if (is_quoted && c == '"') return out;
      if (c == '$' && Peek() == '$') {
        out.push_back('$');
        ++at_;
      } else if (c == '$' && Peek() == '{') {
        ++at_;
        std::optional<Value> value = Choice();
        if (!value || !Take("}")) return std::nullopt;
        out += ToText(*value);
      } else if (is_quoted && c == '\\' && (Peek() == '"' || Peek() == '\\')) {
        out.push_back(text_[at_++]);
      } else if (is_quoted && c == '\\' && Peek() == 'n') {
        out.push_back('\n');
        ++at_;
      } else {
        out.push_back(c);
      }
    }
    if (is_quoted) return std::nullopt;
    return out;
  }

  std::optional<Value> Choice() {
    Level level(&depth_);
    if (level.too_deep()) return std::nullopt;
    std::optional<Value> value = Binary(1);
    if (!value || !Take("?")) return value;
    std::optional<bool> flag = ToBool(*value);
    std::optional<Value> yes = Choice();
    if (!yes || !Take(":")) return std::nullopt;
    std::optional<Value> no = Choice();
    if (!flag || !no) return std::nullopt;
    return *flag ? yes : no;
  }

  // The operator of at least this level that comes next, taken.
  const Operator* TakeOperator(int level) {
    SkipBlanks();
    for (const Operator& op : kOperators) {
      size_t size = std::char_traits<char>::length(op.text);
      if (text_.compare(at_, size, op.text) != 0) continue;
      if (op.level < level) return nullptr;
      at_ += size;
      return &op;
    }
    return nullptr;
  }

  std::optional<Value> Binary(int level) {
    Level nested(&depth_);
    if (nested.too_deep()) return std::nullopt;
    std::optional<Value> left = Unary();
    while (left) {
      const Operator* op = TakeOperator(level);
      if (op == nullptr) return left;
      std::optional<Value> right = Binary(op->level + 1);
      if (!right) return std::nullopt;
      left = Combine(op->text, *left, *right);
    }
    return std::nullopt;
  }

  std::optional<Value> Unary() {
    Level level(&depth_);
    if (level.too_deep()) return std::nullopt;
    if (Take("-")) {
      std::optional<Value> value = Unary();
      if (!value) return std::nullopt;
      return Arithmetic('-', Value(int64_t{0}), *value);
    }
    if (Take("!")) {
      std::optional<Value> value = Unary();
      std::optional<bool> flag = value ? ToBool(*value) : std::nullopt;
      if (!flag) return std::nullopt;
      return Value(!*flag);
    }
    return Primary();
  }

  std::optional<Value> Primary() {
    if (Take("(")) {
      std::optional<Value> value = Choice();
      if (!value || !Take(")")) return std::nullopt;
      return value;
    }
    if (Take("\"")) {
      std::optional<std::string> text = Text(true);
      if (!text) return std::nullopt;
      return Value(*text);
    }
    if (IsDigit(Peek())) return Number();
    if (IsLetter(Peek())) return Named();
    return std::nullopt;
  }

  std::optional<Value> Number() {
    size_t begin = at_;
    while (IsDigit(Peek())) ++at_;
    if (Peek() == '.' && IsDigit(Peek(1))) {
      ++at_;
      while (IsDigit(Peek())) ++at_;
      double number = 0;
      if (!absl::SimpleAtod(text_.substr(begin, at_ - begin), &number)) {
        return std::nullopt;
      }
      return Value(number);
    }
    std::optional<int64_t> number = ReadInt(text_.substr(begin, at_ - begin));
    if (!number) return std::nullopt;
    return Value(*number);
  }

  std::optional<Value> Named() {
    size_t begin = at_;
    while (IsLetter(Peek()) || IsDigit(Peek()) || Peek() == '.' ||
           Peek() == '-') {
      ++at_;
    }
    std::string name = text_.substr(begin, at_ - begin);
    if (name == "name.full") return Value(scope_.full);
    if (name == "name.prefix") return Value(scope_.prefix);
    if (name == "name.suffix") return Value(scope_.suffix);
    // Segments are Consul Enterprise's.
    if (name == "agent.segment") return Value(std::string());
    if (name == "true") return Value(true);
    if (name == "false") return Value(false);
    if (name == "match" && Take("(")) return Match();
    return std::nullopt;
  }

  std::optional<Value> Match() {
    std::optional<Value> value = Choice();
    std::optional<int64_t> index = value ? ToInt(*value) : std::nullopt;
    if (!index || !Take(")")) return std::nullopt;
    auto count = static_cast<int64_t>(scope_.matches.size());
    if (*index < 0 || *index >= count) return Value(std::string());
    return Value(scope_.matches[static_cast<size_t>(*index)]);
  }

  const std::string& text_;
  const TemplateScope& scope_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

std::optional<std::string> RenderTemplateText(const std::string& text,
                                              const TemplateScope& scope) {
  return Evaluator(text, scope).Run();
}

}  // namespace dnsd
