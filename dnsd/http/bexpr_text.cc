#include "dnsd/http/bexpr_text.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace dnsd {
namespace {

using absl::string_view;

constexpr uint32_t kRuneMax = 0x10FFFF;

bool IsSurrogate(uint32_t rune) { return rune >= 0xD800 && rune <= 0xDFFF; }

struct Range {
  uint32_t first;
  uint32_t last;
};
// Controls, spaces but U+0020, format characters, private use.
constexpr Range kInvisible[] = {
    {0x7F, 0xA0},        {0xAD, 0xAD},     {0x600, 0x605},   {0x61C, 0x61C},
    {0x6DD, 0x6DD},      {0x70F, 0x70F},   {0x1680, 0x1680}, {0x180E, 0x180E},
    {0x2000, 0x200F},    {0x2028, 0x202F}, {0x205F, 0x206F}, {0x3000, 0x3000},
    {0xD800, 0xF8FF},    {0xFEFF, 0xFEFF}, {0xFFF0, 0xFFFB}, {0xFFFE, 0xFFFF},
    {0xE0000, 0x10FFFF},
};

bool IsVisible(uint32_t rune) {
  return rune >= ' ' && std::none_of(std::begin(kInvisible),
                                     std::end(kInvisible), [&](Range range) {
                                       return rune >= range.first &&
                                              rune <= range.last;
                                     });
}

struct ShortEscape {
  char letter;
  char byte;
};
constexpr ShortEscape kShortEscapes[] = {
    {'a', '\a'}, {'b', '\b'}, {'f', '\f'},  {'n', '\n'}, {'r', '\r'},
    {'t', '\t'}, {'v', '\v'}, {'\\', '\\'}, {'"', '"'},
};

void AppendQuoted(Rune rune, string_view bytes, std::string* out) {
  const bool is_broken = rune.rune == kRuneError && rune.size == 1;
  for (const ShortEscape& escape : kShortEscapes) {
    if (rune.rune == static_cast<uint8_t>(escape.byte)) {
      absl::StrAppend(out, "\\", string_view(&escape.letter, 1));
      return;
    }
  }
  if (is_broken) {
    absl::StrAppendFormat(out, "\\x%02x", static_cast<uint8_t>(bytes[0]));
  } else if (IsVisible(rune.rune)) {
    absl::StrAppend(out, bytes);
  } else if (rune.rune < 0x80) {
    absl::StrAppendFormat(out, "\\x%02x", rune.rune);
  } else if (rune.rune < 0x10000) {
    absl::StrAppendFormat(out, "\\u%04x", rune.rune);
  } else {
    absl::StrAppendFormat(out, "\\U%08x", rune.rune);
  }
}

uint32_t DigitOf(char c) {
  if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
    return static_cast<uint32_t>(c - '0');
  }
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
  if (lower < 'a' || lower > 'z') return 99;
  return static_cast<uint32_t>(lower - 'a' + 10);
}

// Takes `count` digits of `base` from `text`; nothing when they are not there.
std::optional<uint32_t> TakeDigits(string_view* text, size_t count,
                                   uint32_t base) {
  if (text->size() < count) return std::nullopt;
  uint32_t number = 0;
  for (const char c : text->substr(0, count)) {
    const uint32_t digit = DigitOf(c);
    if (digit >= base) return std::nullopt;
    number = number * base + digit;
  }
  text->remove_prefix(count);
  return number;
}

// `text` begins behind the backslash.
bool Unescape(string_view* text, std::string* out) {
  if (text->empty()) return false;
  const char letter = text->front();
  for (const ShortEscape& escape : kShortEscapes) {
    if (letter == escape.letter) {
      out->push_back(escape.byte);
      text->remove_prefix(1);
      return true;
    }
  }
  if (letter >= '0' && letter <= '7') {
    const auto byte = TakeDigits(text, 3, 8);
    if (!byte || *byte > 255) return false;
    out->push_back(static_cast<char>(*byte));
    return true;
  }
  text->remove_prefix(1);
  if (letter == 'x') {
    const auto byte = TakeDigits(text, 2, 16);
    if (byte) out->push_back(static_cast<char>(*byte));
    return byte.has_value();
  }
  if (letter != 'u' && letter != 'U') return false;
  const auto rune = TakeDigits(text, letter == 'u' ? 4 : 8, 16);
  if (!rune || *rune > kRuneMax) return false;
  AppendRune(*rune, out);
  return true;
}

// Go allows an underscore between digits and behind the prefix of a base, and
// only where the base is told by a prefix or is ten.
bool UnderscoresAreGood(string_view digits, bool has_prefix) {
  char before = has_prefix ? '0' : 'x';
  for (const char c : digits) {
    if (c == '_' && before != '0') return false;
    before = c == '_' ? '_' : '0';
  }
  return before != '_';
}

absl::Status NumberError(string_view function, string_view text,
                         string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "strconv.", function, ": parsing ", GoQuote(text), ": ", why));
}

// Takes the prefix off `digits` and returns the base it names.
uint32_t TakeBase(string_view* digits) {
  if (digits->size() < 2 || digits->front() != '0') return 10;
  const char letter =
      absl::ascii_tolower(static_cast<unsigned char>((*digits)[1]));
  const uint32_t base = letter == 'x'   ? 16
                        : letter == 'o' ? 8
                        : letter == 'b' ? 2
                                        : 0;
  if (base != 0 && digits->size() > 2) {
    digits->remove_prefix(2);
    return base;
  }
  digits->remove_prefix(1);
  return 8;
}

}  // namespace

Rune DecodeRune(string_view text) {
  if (text.empty()) return Rune();
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  const Rune broken = {kRuneError, 1};
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return broken;
  uint32_t rune = lead & (0xFF >> (size + 1));
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return broken;
    rune = rune << 6 | (byte(i) & 0x3F);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (rune < kLeast[size] || rune > kRuneMax || IsSurrogate(rune)) {
    return broken;
  }
  return {rune, size};
}

void AppendRune(uint32_t rune, std::string* out) {
  if (rune > kRuneMax || IsSurrogate(rune)) rune = kRuneError;
  const auto put = [&](uint32_t byte) {
    out->push_back(static_cast<char>(byte));
  };
  if (rune < 0x80) return put(rune);
  if (rune < 0x800) {
    put(0xC0 | rune >> 6);
  } else {
    if (rune < 0x10000) {
      put(0xE0 | rune >> 12);
    } else {
      put(0xF0 | rune >> 18);
      put(0x80 | (rune >> 12 & 0x3F));
    }
    put(0x80 | (rune >> 6 & 0x3F));
  }
  put(0x80 | (rune & 0x3F));
}

std::string GoQuote(string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Rune rune = DecodeRune(text);
    AppendQuoted(rune, text.substr(0, rune.size), &out);
    text.remove_prefix(rune.size);
  }
  out.push_back('"');
  return out;
}

std::optional<std::string> GoUnquote(string_view literal) {
  if (literal.size() < 2 || literal.front() != literal.back()) {
    return std::nullopt;
  }
  const char quote = literal.front();
  string_view text = literal.substr(1, literal.size() - 2);
  if (absl::StrContains(text, quote)) return std::nullopt;
  std::string out;
  if (quote == '`') {
    std::copy_if(text.begin(), text.end(), std::back_inserter(out),
                 [](char c) { return c != '\r'; });
    return out;
  }
  if (quote != '"' || absl::StrContains(text, '\n')) return std::nullopt;
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c != '\\') {
      out.push_back(c);
    } else if (!Unescape(&text, &out)) {
      return std::nullopt;
    }
  }
  return out;
}

absl::StatusOr<int64_t> GoParseInt(string_view text) {
  const auto bad = [&] {
    return NumberError("ParseInt", text, "invalid syntax");
  };
  string_view digits = text;
  const bool is_negative = absl::StartsWith(digits, "-");
  if (is_negative || absl::StartsWith(digits, "+")) digits.remove_prefix(1);
  const size_t size = digits.size();
  const uint32_t base = TakeBase(&digits);
  if (digits.empty() || !UnderscoresAreGood(digits, digits.size() != size)) {
    return bad();
  }
  const uint64_t most =
      uint64_t{std::numeric_limits<int64_t>::max()} + (is_negative ? 1 : 0);
  uint64_t number = 0;
  bool is_in_range = true;
  for (const char c : digits) {
    if (c == '_') continue;
    const uint32_t digit = DigitOf(c);
    if (digit >= base) return bad();
    is_in_range = is_in_range && number <= (most - digit) / base;
    if (is_in_range) number = number * base + digit;
  }
  if (!is_in_range) {
    return NumberError("ParseInt", text, "value out of range");
  }
  return static_cast<int64_t>(is_negative ? -number : number);
}

absl::StatusOr<bool> GoParseBool(string_view text) {
  for (const char* yes : {"1", "t", "T", "true", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const char* no : {"0", "f", "F", "false", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return NumberError("ParseBool", text, "invalid syntax");
}

}  // namespace dnsd
