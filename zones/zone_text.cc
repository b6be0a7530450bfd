#include "zones/zone_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace dnsd {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

bool EndsWord(char c) {
  return IsBlank(c) || c == '\n' || c == ';' || c == '(' || c == ')';
}

bool NeedsEscape(uint8_t byte) {
  return byte <= ' ' || byte >= 0x7f || byte == '"' || byte == '\\' ||
         byte == ';' || byte == '(' || byte == ')';
}

void AppendEscaped(uint8_t byte, std::string* text) {
  absl::StrAppendFormat(text, "\\%03d", byte);
}

// Seconds in a unit of a period, 0 if it is none.
uint32_t UnitSeconds(char unit) {
  switch (absl::ascii_tolower(static_cast<unsigned char>(unit))) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    case 'w':
      return 7 * 86400;
    default:
      return 0;
  }
}

}  // namespace

ZoneTextReader::ZoneTextReader(absl::string_view text) : text_(text) {
  // A byte order mark is an editor's doing; it would become part of a name.
  if (text_.substr(0, 3) == "\xef\xbb\xbf") at_ = 3;
}

void ZoneTextReader::SkipLine() {
  while (!done() && text_[at_] != '\n') ++at_;
}

void ZoneTextReader::Begin(bool starts_blank, ZoneEntry* entry) const {
  entry->line = line_;
  entry->starts_blank = starts_blank;
  size_t begin = at_;
  while (begin > 0 && text_[begin - 1] != '\n') --begin;
  size_t end = text_.find('\n', at_);
  if (end == absl::string_view::npos) end = text_.size();
  entry->source = absl::StripAsciiWhitespace(text_.substr(begin, end - begin));
}

bool ZoneTextReader::Next(ZoneEntry* entry) {
  *entry = ZoneEntry();
  int depth = 0;
  bool blank = false;  // the line began with a blank
  bool line_start = true;
  while (!done()) {
    char c = text_[at_];
    if (c == '\n') {
      ++at_;
      ++line_;
      line_start = true;
      if (depth == 0) {
        if (!entry->tokens.empty()) return true;
        *entry = ZoneEntry();
      }
      continue;
    }
    if (line_start) blank = IsBlank(c);
    line_start = false;
    if (IsBlank(c)) {
      ++at_;
      continue;
    }
    if (c == ';') {
      SkipLine();
      continue;
    }
    if (entry->line == 0) Begin(blank, entry);
    if (c == '(') {
      ++depth;
      ++at_;
    } else if (c == ')') {
      ++at_;
      if (--depth < 0) entry->error = "')' without '('";
    } else {
      ReadToken(entry);
    }
    if (!entry->error.empty()) {
      Begin(entry->starts_blank, entry);  // the line the error is on
      SkipLine();
      return true;
    }
  }
  if (depth > 0) entry->error = "'(' is never closed";
  return !entry->tokens.empty() || !entry->error.empty();
}

bool ZoneTextReader::ReadToken(ZoneEntry* entry) {
  ZoneToken token;
  bool ok = text_[at_] == '"' ? ReadQuoted(&token, &entry->error)
                              : ReadWord(&token, &entry->error);
  if (ok) entry->tokens.push_back(std::move(token));
  return ok;
}

bool ZoneTextReader::ReadQuoted(ZoneToken* token, std::string* error) {
  ++at_;
  token->quoted = true;
  while (!done() && text_[at_] != '"') {
    if (text_[at_] == '\n') break;
    if (!ReadByte(true, &token->text, error)) return false;
  }
  if (done() || text_[at_] == '\n') {
    // Taken as an error, not as text over two lines: a forgotten quote would
    // swallow the rest of the file.
    *error = "a quote is not closed on its line";
    return false;
  }
  ++at_;
  return true;
}

bool ZoneTextReader::ReadWord(ZoneToken* token, std::string* error) {
  absl::string_view rest = text_.substr(at_);
  if (rest.substr(0, 2) == "\\#" && (rest.size() == 2 || EndsWord(rest[2]))) {
    token->generic = true;
    token->text = "\\#";
    at_ += 2;
    return true;
  }
  bool quoted = false;
  while (!done() && (quoted ? text_[at_] != '\n' : !EndsWord(text_[at_]))) {
    if (text_[at_] == '"') {
      quoted = !quoted;
      token->inner_quote = true;
      token->text.push_back('"');
      ++at_;
      continue;
    }
    if (!ReadByte(quoted, &token->text, error)) return false;
  }
  if (quoted) *error = "a quote is not closed on its line";
  return !quoted;
}

bool ZoneTextReader::ReadByte(bool quoted, std::string* text,
                              std::string* error) {
  char c = text_[at_];
  if (c == '\\') return ReadEscape(text, error);
  auto byte = static_cast<uint8_t>(c);
  if ((byte < ' ' && c != '\t') || byte == 0x7f) {
    *error = absl::StrFormat("byte 0x%02x is no text; write it as \\%03d", byte,
                             byte);
    return false;
  }
  ++at_;
  if (quoted && NeedsEscape(byte)) {
    AppendEscaped(byte, text);
  } else {
    text->push_back(c);
  }
  return true;
}

bool ZoneTextReader::ReadEscape(std::string* text, std::string* error) {
  absl::string_view rest = text_.substr(at_);
  if (rest.size() < 2 || rest[1] == '\n' || rest[1] == '\r') {
    *error = "'\\' at the end of a line";
    return false;
  }
  if (!absl::ascii_isdigit(static_cast<unsigned char>(rest[1]))) {
    AppendEscaped(static_cast<uint8_t>(rest[1]), text);
    at_ += 2;
    return true;
  }
  int value = 0;
  for (size_t i = 1; i <= 3; ++i) {
    if (i == rest.size() ||
        !absl::ascii_isdigit(static_cast<unsigned char>(rest[i]))) {
      value = 256;
      break;
    }
    value = value * 10 + (rest[i] - '0');
  }
  if (value > 255) {
    *error = "an escape is '\\' and three digits up to 255";
    return false;
  }
  AppendEscaped(static_cast<uint8_t>(value), text);
  at_ += 4;
  return true;
}

bool ParseZonePeriod(absl::string_view text, uint32_t max, uint32_t* seconds) {
  uint64_t total = 0;
  uint64_t number = 0;
  bool digits = false;
  for (char c : text) {
    if (absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      number = number * 10 + static_cast<uint64_t>(c - '0');
      digits = true;
    } else {
      uint32_t unit = UnitSeconds(c);
      if (!digits || unit == 0) return false;
      total += number * unit;
      number = 0;
      digits = false;
    }
    // Checked at every byte, so neither can overflow 64 bits.
    if (number > max || total > max) return false;
  }
  if (text.empty() || total + number > max) return false;
  *seconds = static_cast<uint32_t>(total + number);
  return true;
}

}  // namespace dnsd
