#include "catalog/base/hcl_lexer.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace dnsd {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// One code point of a text, and how many bytes it takes: 0 if the bytes there
// are not well-formed UTF-8 (RFC 3629).
struct CodePoint {
  uint32_t value = 0;
  size_t size = 0;
};

CodePoint Decode(absl::string_view text, size_t offset) {
  const auto lead = static_cast<uint8_t>(text[offset]);
  if (lead < 0x80) return {lead, 1};
  size_t size = 0;
  uint32_t smallest = 0;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2;
    smallest = 0x80;
  } else if ((lead & 0xF0) == 0xE0) {
    size = 3;
    smallest = 0x800;
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4;
    smallest = 0x10000;
  }
  if (size == 0 || text.size() - offset < size) return {};
  uint32_t value = lead & (0x7Fu >> size);
  for (size_t i = 1; i < size; ++i) {
    const auto next = static_cast<uint8_t>(text[offset + i]);
    if ((next & 0xC0) != 0x80) return {};
    value = value << 6 | (next & 0x3F);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < smallest || value > 0x10FFFF || surrogate) return {};
  return {value, size};
}

void AppendUtf8(uint32_t value, std::string* out) {
  // A lone surrogate has no UTF-8 form; U+FFFD stands in, as in HCL 1.
  if (value >= 0xD800 && value <= 0xDFFF) value = 0xFFFD;
  const auto add = [out](uint32_t byte) {
    out->push_back(static_cast<char>(byte));
  };
  if (value < 0x80) {
    add(value);
  } else if (value < 0x800) {
    add(0xC0 | value >> 6);
    add(0x80 | (value & 0x3F));
  } else if (value < 0x10000) {
    add(0xE0 | value >> 12);
    add(0x80 | (value >> 6 & 0x3F));
    add(0x80 | (value & 0x3F));
  } else {
    add(0xF0 | value >> 18);
    add(0x80 | (value >> 12 & 0x3F));
    add(0x80 | (value >> 6 & 0x3F));
    add(0x80 | (value & 0x3F));
  }
}

// HCL 1 asks the Unicode tables for letters and digits outside ASCII. Without
// them: everything that is not in one of the blocks of spaces, controls,
// punctuation and symbols that get into files by mistake (a no-break space, a
// curly quote, a byte order mark).
bool IsForeignLetter(uint32_t value) {
  if (value < 0xC0) return value == 0xAA || value == 0xB5 || value == 0xBA;
  if (value == 0xD7 || value == 0xF7) return false;
  if (value >= 0x2000 && value <= 0x2BFF) return false;
  if (value >= 0x3000 && value <= 0x3020) return false;
  return value < 0xE000 || (value >= 0xF900 && value < 0xFE00) ||
         (value > 0xFE6F && value < 0xFFF0 && value != 0xFEFF) ||
         (value > 0xFFFF && value < 0xE0000);
}

absl::Status PlacedError(absl::string_view text, size_t offset,
                         absl::string_view message) {
  const absl::string_view before = text.substr(0, offset);
  const size_t newline = before.rfind('\n');
  const size_t line_start =
      newline == absl::string_view::npos ? 0 : newline + 1;
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto column =
      std::count_if(before.begin() + static_cast<ptrdiff_t>(line_start),
                    before.end(), [](char c) { return (c & 0xC0) != 0x80; }) +
      1;
  return absl::InvalidArgumentError(
      absl::StrCat("line ", line, ", column ", column, ": ", message));
}

// The text of a "<<-" heredoc. `body` ends with the indentation of the closing
// line. That indentation comes off every line if every line has it; if one has
// not (an empty line will do), nothing comes off. This is HCL 1's rule, which
// is not the "least common indentation" its documentation suggests.
std::string Unindent(absl::string_view body) {
  std::vector<absl::string_view> lines = absl::StrSplit(body, '\n');
  const absl::string_view indent = lines.back();
  for (absl::string_view& line : lines) {
    if (!absl::ConsumePrefix(&line, indent)) {
      // HCL 1 drops the last byte of the indentation, whatever it is, and
      // then the spaces and tabs before it.
      body.remove_suffix(std::min<size_t>(1, indent.size()));
      while (!body.empty() && (body.back() == ' ' || body.back() == '\t')) {
        body.remove_suffix(1);
      }
      return std::string(body);
    }
  }
  return absl::StrJoin(lines, "\n");
}

}  // namespace

std::string HclToken::Describe() const {
  switch (kind) {
    case HclTokenKind::kEnd:
      return "the end of the file";
    case HclTokenKind::kIdentifier:
      return absl::StrCat("'", text, "'");
    case HclTokenKind::kString:
      return absl::StrCat("the string \"", text, "\"");
    case HclTokenKind::kHeredoc:
      return "a heredoc";
    case HclTokenKind::kBool:
      return absl::StrCat("the boolean ", text);
    case HclTokenKind::kInteger:
    case HclTokenKind::kReal:
      return absl::StrCat("the number ", text);
    case HclTokenKind::kComma:
      return "','";
    case HclTokenKind::kAssign:
      return "'='";
    case HclTokenKind::kLeftBrace:
      return "'{'";
    case HclTokenKind::kRightBrace:
      return "'}'";
    case HclTokenKind::kLeftBracket:
      return "'['";
    case HclTokenKind::kRightBracket:
      return "']'";
  }
  return "";
}

absl::Status CheckHclText(absl::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const CodePoint point = Decode(text, i);
    if (point.size == 0) return PlacedError(text, i, "invalid UTF-8");
    if (point.value == 0) return PlacedError(text, i, "a NUL character");
    i += point.size;
  }
  return absl::OkStatus();
}

absl::Status HclLexer::ErrorAt(size_t offset, absl::string_view message) const {
  return PlacedError(text_, offset, message);
}

// How many bytes the letter, digit or underscore at `offset` takes; 0 if there
// is something else.
size_t HclLexer::LetterSize(size_t offset) const {
  if (offset >= text_.size()) return 0;
  const char c = text_[offset];
  if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_') return 1;
  if ((c & 0x80) == 0) return 0;
  const CodePoint point = Decode(text_, offset);
  return IsForeignLetter(point.value) ? point.size : 0;
}

size_t HclLexer::SkipDigits(size_t offset) const {
  while (absl::ascii_isdigit(static_cast<unsigned char>(At(offset)))) ++offset;
  return offset;
}

absl::Status HclLexer::SkipBlanksAndComments() {
  while (position_ < text_.size()) {
    const absl::string_view rest = text_.substr(position_);
    if (IsBlank(rest[0])) {
      ++position_;
    } else if (rest[0] == '#' || absl::StartsWith(rest, "//")) {
      position_ = std::min(text_.find('\n', position_), text_.size());
    } else if (absl::StartsWith(rest, "/*")) {
      const size_t end = text_.find("*/", position_ + 2);
      if (end == absl::string_view::npos) {
        return ErrorAt(position_, "the comment that begins here has no end");
      }
      position_ = end + 2;
    } else {
      break;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<HclToken> HclLexer::Next() {
  absl::Status status = SkipBlanksAndComments();
  if (!status.ok()) return status;

  const absl::string_view skipped =
      text_.substr(counted_, position_ - counted_);
  line_ += static_cast<int>(std::count(skipped.begin(), skipped.end(), '\n'));
  counted_ = position_;

  HclToken token;
  token.line = line_;
  token.offset = position_;
  if (position_ == text_.size()) return token;

  constexpr absl::string_view kMarks = ",={}[]";
  constexpr HclTokenKind kMarkKinds[] = {
      HclTokenKind::kComma,       HclTokenKind::kAssign,
      HclTokenKind::kLeftBrace,   HclTokenKind::kRightBrace,
      HclTokenKind::kLeftBracket, HclTokenKind::kRightBracket,
  };
  const char c = text_[position_];
  const size_t mark = kMarks.find(c);
  const char digit = c == '-' || c == '.' ? At(position_ + 1) : c;
  if (mark != absl::string_view::npos) {
    token.kind = kMarkKinds[mark];
    ++position_;
  } else if (c == '"') {
    status = ScanString(&token);
  } else if (c == '<') {
    status = ScanHeredoc(&token);
  } else if (absl::ascii_isdigit(static_cast<unsigned char>(digit))) {
    status = ScanNumber(&token);
  } else if (LetterSize(position_) > 0) {
    ScanIdentifier(&token);
  } else {
    const CodePoint point = Decode(text_, position_);
    status = ErrorAt(position_,
                     absl::StrCat("unexpected character '",
                                  text_.substr(position_, point.size), "'"));
  }
  if (!status.ok()) return status;
  return token;
}

void HclLexer::ScanIdentifier(HclToken* token) {
  const size_t begin = position_;
  for (;;) {
    size_t size = LetterSize(position_);
    if (At(position_) == '-' || At(position_) == '.') size = 1;
    if (size == 0) break;
    position_ += size;
  }
  token->text = std::string(text_.substr(begin, position_ - begin));
  const bool boolean = token->text == "true" || token->text == "false";
  token->kind = boolean ? HclTokenKind::kBool : HclTokenKind::kIdentifier;
}

// Only finds where the number ends and whether it is a whole one; the parser
// reads it. An exponent without digits is left in the text, so that it is
// refused there.
absl::Status HclLexer::ScanNumber(HclToken* token) {
  const size_t begin = position_;
  size_t end = begin + (At(begin) == '-' ? 1 : 0);
  token->kind = HclTokenKind::kInteger;
  if (At(end) == '0' && (At(end + 1) == 'x' || At(end + 1) == 'X')) {
    end += 2;
    while (absl::ascii_isxdigit(static_cast<unsigned char>(At(end)))) ++end;
  } else {
    end = SkipDigits(end);
    if (At(end) == '.') {
      token->kind = HclTokenKind::kReal;
      end = SkipDigits(end + 1);
    }
    if (At(end) == 'e' || At(end) == 'E') {
      // HCL 1 reads ".5" but not ".5e1".
      if (At(begin) == '.') {
        return ErrorAt(begin, "a number with an exponent needs a digit first");
      }
      token->kind = HclTokenKind::kReal;
      ++end;
      if (At(end) == '-' || At(end) == '+') ++end;
      end = SkipDigits(end);
    }
  }
  token->text = std::string(text_.substr(begin, end - begin));
  position_ = end;
  return absl::OkStatus();
}

absl::Status HclLexer::ScanString(HclToken* token) {
  token->kind = HclTokenKind::kString;
  const size_t begin = position_++;
  // Depth of braces inside "${...}". Everything in there is kept as written,
  // quotes and line ends included.
  size_t braces = 0;
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (braces == 0 && c == '"') {
      ++position_;
      return absl::OkStatus();
    }
    if (braces == 0 && c == '\n') break;
    if (c == '\\') {
      // An escape must be a good one even where it is not decoded.
      const size_t escape = position_;
      std::string decoded;
      absl::Status status = ScanEscape(&decoded);
      if (!status.ok()) return status;
      token->text +=
          braces == 0 ? decoded
                      : std::string(text_.substr(escape, position_ - escape));
      continue;
    }
    if (braces == 0 && c == '$' && At(position_ + 1) == '{') {
      braces = 1;
      token->text += "${";
      position_ += 2;
      continue;
    }
    if (braces > 0 && c == '{') ++braces;
    if (braces > 0 && c == '}') --braces;
    token->text += c;
    ++position_;
  }
  return ErrorAt(begin, "the string that begins here has no end");
}

absl::Status HclLexer::ScanEscape(std::string* out) {
  const size_t begin = position_;
  const char c = At(begin + 1);
  const auto bad = [this, begin] {
    return ErrorAt(begin, "an escape that HCL does not have");
  };
  constexpr absl::string_view kLetters = "abfnrtv\\\"";
  constexpr absl::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
  const size_t simple = kLetters.find(c);
  if (simple != absl::string_view::npos) {
    out->push_back(kMeanings[simple]);
    position_ = begin + 2;
    return absl::OkStatus();
  }
  if (IsOctal(c)) {
    if (!IsOctal(At(begin + 2)) || !IsOctal(At(begin + 3))) return bad();
    const int value =
        (c - '0') * 64 + (At(begin + 2) - '0') * 8 + (At(begin + 3) - '0');
    if (value > 255) return bad();
    out->push_back(static_cast<char>(value));
    position_ = begin + 4;
    return absl::OkStatus();
  }
  const size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  const absl::string_view hex =
      text_.substr(std::min(begin + 2, text_.size()), digits);
  uint32_t value = 0;
  const bool all_hex = std::all_of(hex.begin(), hex.end(), [](char digit) {
    return absl::ascii_isxdigit(static_cast<unsigned char>(digit));
  });
  if (digits == 0 || hex.size() != digits || !all_hex ||
      !absl::SimpleHexAtoi(hex, &value) || value > 0x10FFFF) {
    return bad();
  }
  if (c == 'x') {
    out->push_back(static_cast<char>(value));
  } else {
    AppendUtf8(value, out);
  }
  position_ = begin + 2 + digits;
  return absl::OkStatus();
}

absl::Status HclLexer::ScanHeredoc(HclToken* token) {
  token->kind = HclTokenKind::kHeredoc;
  const size_t begin = position_;
  if (At(begin + 1) != '<') return ErrorAt(begin, "unexpected character '<'");
  const bool indented = At(begin + 2) == '-';
  const size_t anchor_begin = begin + (indented ? 3 : 2);
  size_t anchor_end = anchor_begin;
  while (LetterSize(anchor_end) > 0) anchor_end += LetterSize(anchor_end);
  const absl::string_view anchor =
      text_.substr(anchor_begin, anchor_end - anchor_begin);
  if (anchor.empty() || At(anchor_end) != '\n') {
    return ErrorAt(begin, "'<<' needs a word after it and then the line's end");
  }

  const size_t body_begin = anchor_end + 1;
  for (size_t line_begin = body_begin;;) {
    const size_t line_end = text_.find('\n', line_begin);
    if (line_end == absl::string_view::npos) break;
    absl::string_view indent = text_.substr(line_begin, line_end - line_begin);
    // HCL 1 counts the '-' to the word, so that the closing line of a "<<-"
    // heredoc must be indented to be seen.
    const bool long_enough = indent.size() >= anchor.size() + indented;
    if (long_enough && absl::ConsumeSuffix(&indent, anchor) &&
        absl::StripAsciiWhitespace(indent).empty()) {
      const absl::string_view body =
          text_.substr(body_begin, line_begin - body_begin + indent.size());
      // Without the '-', the indentation of the closing line stays in the
      // text: HCL 1 cuts off the word only.
      token->text = indented ? Unindent(body) : std::string(body);
      position_ = line_end + 1;
      return absl::OkStatus();
    }
    line_begin = line_end + 1;
  }
  return ErrorAt(begin, absl::StrCat("the heredoc that begins here has no "
                                     "closing line '",
                                     anchor, "'"));
}

}  // namespace dnsd
