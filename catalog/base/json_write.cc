#include "catalog/base/json_write.h"

#include <cstddef>

#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

// Whether a byte may stand in a string as it is. Bytes of longer UTF-8
// sequences are looked at together.
constexpr bool IsPlain(unsigned char c) {
  return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' && c != '<' &&
         c != '>' && c != '&';
}

// A table of IsPlain(), because nearly every byte asks it.
struct PlainTable {
  constexpr PlainTable() {
    for (int c = 0; c < 256; ++c) {
      plain[c] = IsPlain(static_cast<unsigned char>(c));
    }
  }
  bool plain[256] = {};
};
constexpr PlainTable kPlain;

// The size of the UTF-8 sequence that `text` begins with; 0 if it begins with
// none. RFC 3629 section 4: shortest form only, no surrogates, nothing above
// U+10FFFF; the second byte tells.
size_t SequenceBytes(absl::string_view text) {
  const auto byte = [text](size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const unsigned char lead = byte(0);
  size_t bytes = 2;
  unsigned char second_min = 0x80;
  unsigned char second_max = 0xBF;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  if (lead >= 0xE0) bytes = lead >= 0xF0 ? 4 : 3;
  if (lead == 0xE0) second_min = 0xA0;
  if (lead == 0xED) second_max = 0x9F;
  if (lead == 0xF0) second_min = 0x90;
  if (lead == 0xF4) second_max = 0x8F;
  if (text.size() < bytes) return 0;
  if (byte(1) < second_min || byte(1) > second_max) return 0;
  for (size_t i = 2; i < bytes; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  return bytes;
}

void AppendAsciiEscape(char c, std::string* out) {
  const auto byte = static_cast<unsigned char>(c);
  switch (c) {
    case '"':
    case '\\':
      out->push_back('\\');
      out->push_back(c);
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    default:
      out->append("\\u00");
      out->push_back(kHexDigits[byte >> 4]);
      out->push_back(kHexDigits[byte & 0xF]);
  }
}

// Appends what `text` begins with, which is not plain, and returns its size.
size_t AppendSpecial(absl::string_view text, std::string* out) {
  if (static_cast<unsigned char>(text[0]) < 0x80) {
    AppendAsciiEscape(text[0], out);
    return 1;
  }
  const size_t bytes = SequenceBytes(text);
  if (bytes == 0) {
    out->append("\\ufffd");
    return 1;
  }
  const absl::string_view sequence = text.substr(0, bytes);
  // The two line ends of JavaScript that JSON has not.
  if (sequence == "\xE2\x80\xA8") {
    out->append("\\u2028");
  } else if (sequence == "\xE2\x80\xA9") {
    out->append("\\u2029");
  } else {
    out->append(sequence.data(), sequence.size());
  }
  return bytes;
}

}  // namespace

void AppendJsonString(absl::string_view text, std::string* out) {
  out->push_back('"');
  while (!text.empty()) {
    size_t run = 0;
    while (run < text.size() &&
           kPlain.plain[static_cast<unsigned char>(text[run])]) {
      ++run;
    }
    out->append(text.data(), run);
    text.remove_prefix(run);
    if (!text.empty()) text.remove_prefix(AppendSpecial(text, out));
  }
  out->push_back('"');
}

void JsonWriter::Separate() {
  if (!first_) out_->push_back(',');
  first_ = false;
}

void JsonWriter::Begin(char bracket) {
  Separate();
  out_->push_back(bracket);
  first_ = true;
}

void JsonWriter::End(char bracket) {
  out_->push_back(bracket);
  first_ = false;
}

void JsonWriter::Key(absl::string_view key) {
  Separate();
  AppendJsonString(key, out_);
  out_->push_back(':');
  first_ = true;
}

void JsonWriter::String(absl::string_view text) {
  Separate();
  AppendJsonString(text, out_);
}

void JsonWriter::Int(int64_t number) {
  Separate();
  absl::StrAppend(out_, number);
}

void JsonWriter::Uint(uint64_t number) {
  Separate();
  absl::StrAppend(out_, number);
}

void JsonWriter::Bool(bool value) {
  Separate();
  out_->append(value ? "true" : "false");
}

void JsonWriter::Null() {
  Separate();
  out_->append("null");
}

void JsonWriter::Raw(absl::string_view json) {
  Separate();
  out_->append(json.data(), json.size());
}

std::string IndentJson(absl::string_view compact) {
  constexpr size_t kIndent = 4;
  std::string out;
  out.reserve(compact.size() * 2);
  size_t depth = 0;
  bool in_string = false;
  const auto new_line = [&] {
    out.push_back('\n');
    out.append(depth * kIndent, ' ');
  };
  for (size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    const char next = i + 1 < compact.size() ? compact[i + 1] : '\0';
    if (in_string) {
      out.push_back(c);
      if (c == '\\' && next != '\0') {
        out.push_back(next);
        ++i;
      }
      in_string = c != '"';
    } else if (c == '{' || c == '[') {
      out.push_back(c);
      if (next == '}' || next == ']') {  // empty: stays on its line
        out.push_back(next);
        ++i;
        continue;
      }
      ++depth;
      new_line();
    } else if (c == '}' || c == ']') {
      if (depth > 0) --depth;
      new_line();
      out.push_back(c);
    } else {
      out.push_back(c);
      if (c == ',') new_line();
      if (c == ':') out.push_back(' ');
      in_string = c == '"';
    }
  }
  out.push_back('\n');
  return out;
}

}  // namespace dnsd
