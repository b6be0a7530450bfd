#include "tests/testing/source_text.h"

#include <algorithm>
#include <cctype>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"

namespace dnsd::testing {
namespace {

enum class Part { kCode, kLineComment, kBlockComment, kLiteral };

bool IsWordChar(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Walks over the text once and says of each byte what it belongs to.
class Scanner {
 public:
  explicit Scanner(const std::string& text)
      : text_(text), parts_(text.size(), Part::kCode) {}

  std::vector<Part> Scan() {
    while (at_ < text_.size()) {
      if (Starts("//")) {
        Mark(text_.find('\n', at_), Part::kLineComment);
      } else if (Starts("/*")) {
        Mark(End(text_.find("*/", at_ + 2), 2), Part::kBlockComment);
      } else if (Starts("R\"") && (at_ == 0 || !IsWordChar(text_[at_ - 1]))) {
        RawString();
      } else if (text_[at_] == '"' || IsCharLiteral()) {
        Quoted(text_[at_]);
      } else {
        ++at_;
      }
    }
    return parts_;
  }

 private:
  bool Starts(const char* what) const {
    return text_.compare(at_, 2, what) == 0;
  }

  // 1'000'000 has quotes that open nothing.
  bool IsCharLiteral() const {
    return text_[at_] == '\'' && (at_ == 0 || !IsWordChar(text_[at_ - 1]));
  }

  static size_t End(size_t found, size_t behind) {
    return found == std::string::npos ? found : found + behind;
  }

  void Mark(size_t end, Part part) {
    end = std::min(end, text_.size());
    std::fill(parts_.begin() + static_cast<ptrdiff_t>(at_),
              parts_.begin() + static_cast<ptrdiff_t>(end), part);
    at_ = end;
  }

  void RawString() {
    const size_t open = text_.find('(', at_);
    if (open == std::string::npos) return Mark(open, Part::kLiteral);
    const std::string close =
        ")" + text_.substr(at_ + 2, open - at_ - 2) + "\"";
    Mark(End(text_.find(close, open), close.size()), Part::kLiteral);
  }

  // The quotes stay code, so that "" is still seen as a word apart.
  void Quoted(char quote) {
    ++at_;
    size_t end = at_;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2 : 1;
    }
    Mark(end, Part::kLiteral);
    ++at_;
  }

  const std::string& text_;
  std::vector<Part> parts_;
  size_t at_ = 0;
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines = absl::StrSplit(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

enum class Scope { kOuter, kFunction, kInner };

// What a brace opens, from the words since the last statement ended.
Scope ScopeOf(const std::string& head, const std::vector<Scope>& open) {
  const bool at_declarations =
      std::all_of(open.begin(), open.end(),
                  [](Scope scope) { return scope == Scope::kOuter; });
  if (!at_declarations) return Scope::kInner;
  for (const absl::string_view word :
       absl::StrSplit(head, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    for (const char* outer : {"namespace", "class", "struct", "union"}) {
      if (word == outer) return Scope::kOuter;
    }
    if (word == "enum" || word == "=") return Scope::kInner;
  }
  return absl::StrContains(head, "(") ? Scope::kFunction : Scope::kInner;
}

}  // namespace

SourceText::SourceText(const std::string& text) : lines_(Lines(text)) {
  const std::vector<Part> parts = Scanner(text).Scan();
  std::string code = text;
  std::string comments = text;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\n') continue;
    const bool comment =
        parts[i] == Part::kLineComment || parts[i] == Part::kBlockComment;
    if (parts[i] != Part::kCode) code[i] = ' ';
    if (!comment) comments[i] = ' ';
  }
  code_ = Lines(code);
  comments_ = Lines(comments);
}

std::vector<Include> SourceText::Includes() const {
  std::vector<Include> includes;
  for (size_t i = 0; i < lines_.size(); ++i) {
    // The path itself is a literal, so it is read from the line.
    if (!absl::StartsWith(code_[i], "#include")) continue;
    const size_t open = lines_[i].find_first_of("\"<");
    if (open == std::string::npos) continue;
    const bool quoted = lines_[i][open] == '"';
    const size_t close = lines_[i].find(quoted ? '"' : '>', open + 1);
    includes.push_back({lines_[i].substr(open + 1, close - open - 1), quoted});
  }
  return includes;
}

std::vector<FunctionSize> SourceText::Functions() const {
  std::vector<FunctionSize> functions;
  std::vector<Scope> open;
  size_t first_line = 0;
  std::string head;
  for (size_t line = 0; line < code_.size(); ++line) {
    if (absl::StartsWith(code_[line], "#")) continue;
    for (const char c : code_[line]) {
      if (c == '{') {
        open.push_back(ScopeOf(head, open));
        if (open.back() == Scope::kFunction) first_line = line;
      } else if (c == '}' && !open.empty()) {
        if (open.back() == Scope::kFunction) {
          functions.push_back({first_line + 1, line - first_line + 1});
        }
        open.pop_back();
      }
      if (c == ';' || c == '{' || c == '}') {
        head.clear();
      } else {
        head += c;
      }
    }
    head += '\n';
  }
  return functions;
}

}  // namespace dnsd::testing
