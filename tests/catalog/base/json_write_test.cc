#include "catalog/base/json_write.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/base/json_read.h"
#include "tests/testing/process.h"
#include "tests/testing/seeds.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using Random = std::mt19937_64;

std::string Quoted(const std::string& text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

TEST(JsonWrite, PutsCommasAndBracketsAroundEveryKindOfValue) {
  std::string out = "before ";
  JsonWriter json(&out);
  json.BeginObject();
  json.Key("empty");
  json.BeginObject();
  json.EndObject();
  json.Key("list");
  json.BeginArray();
  json.BeginArray();
  json.EndArray();
  json.Null();
  json.Bool(true);
  json.Bool(false);
  json.BeginObject();
  json.Key("a<b");
  json.String("c");
  json.EndObject();
  json.EndArray();
  json.Key("int");
  json.Int(std::numeric_limits<int64_t>::min());
  json.Key("uint");
  json.Uint(std::numeric_limits<uint64_t>::max());
  json.EndObject();
  EXPECT_EQ(out, R"(before {"empty":{},"list":[[],null,true,false,)"
                 R"({"a\u003cb":"c"}],"int":-9223372036854775808,)"
                 R"("uint":18446744073709551615})");
}

TEST(JsonWrite, WritesALoneValue) {
  std::string out;
  JsonWriter(&out).String("x");
  EXPECT_EQ(out, "\"x\"");
}

// The right column was written by Go's encoding/json.
TEST(JsonWrite, EscapesAsGo) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", R"("")"},
      {"plain / text'", R"("plain / text'")"},
      {"\"\\", R"("\"\\")"},
      {"<a href=\"x\">&", R"("\u003ca href=\"x\"\u003e\u0026")"},
      {"\n\r\t", R"("\n\r\t")"},
      {std::string("\0\b\f\x1F\x7F", 5),
       "\"\\u0000\\u0008\\u000c\\u001f\x7F\""},
      {"\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA",
       "\"\\u2028\\u2029\xE2\x80\xAA\""},
      {"\xC3\xA9\xF0\x9F\x98\x80", "\"\xC3\xA9\xF0\x9F\x98\x80\""},
      // Not UTF-8: a lone continuation, overlong forms, a surrogate, above
      // U+10FFFF, cut off, and cut off before a good byte.
      {"\x80", R"("\ufffd")"},
      {"\xC0\x80", R"("\ufffd\ufffd")"},
      {"\xE0\x80\x80", R"("\ufffd\ufffd\ufffd")"},
      {"\xED\xA0\x80", R"("\ufffd\ufffd\ufffd")"},
      {"\xF4\x90\x80\x80", R"("\ufffd\ufffd\ufffd\ufffd")"},
      {"\xF8", R"("\ufffd")"},
      {"\xE2\x80", R"("\ufffd\ufffd")"},
      {"\xF0\x9F\x98x", R"("\ufffd\ufffd\ufffdx")"},
      // U+FFFD itself is a character like others.
      {"\xEF\xBF\xBD", "\"\xEF\xBF\xBD\""},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(Quoted(text), expected);
  }
}

// What a text reads as once it has been through JSON: simdjson's own check of
// UTF-8 tells which bytes are replaced.
std::string Repaired(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    size_t bytes = 1;
    while (bytes <= 4 && at + bytes <= text.size() &&
           !simdjson::validate_utf8(text.data() + at, bytes)) {
      ++bytes;
    }
    const bool valid = bytes <= 4 && at + bytes <= text.size();
    out += valid ? text.substr(at, bytes) : "\xEF\xBF\xBD";
    at += valid ? bytes : 1;
  }
  return out;
}

// Bytes that are often, but not always, UTF-8.
std::string RandomBytes(Random* random) {
  static const char* const kPieces[] = {
      "a",    "\"",           "\\",   "<",       "\n",
      "\x01", "\xE2\x80\xA8", "\xC3", "\xA9",    "\xE2\x80",
      "\xED", "\xF0\x9F\x98", "\x80", "\xF4\x8F"};
  std::string text;
  for (auto count = (*random)() % 12; count > 0; --count) {
    if ((*random)() % 4 == 0) {
      text.push_back(static_cast<char>((*random)() & 0xFF));
    } else {
      text += kPieces[(*random)() % std::size(kPieces)];
    }
  }
  return text;
}

TEST(JsonWrite, AnyBytesReadBackBySimdjson) {
  Random random(testing::TestSeed());
  const int count = testing::Scaled(200'000);
  for (int i = 0; i < count; ++i) {
    const std::string text = RandomBytes(&random);
    const std::string json = Quoted(text);
    const absl::StatusOr<Value> value = ParseJson(json);
    ASSERT_TRUE(value.ok()) << json << ": " << value.status();
    ASSERT_EQ(value->text, Repaired(text)) << json;
    ASSERT_EQ(json.find_first_of("<>&\n\t\r"), std::string::npos) << json;
  }
}

void AppendCodePoint(uint32_t c, std::string* out) {
  const auto add = [out](uint32_t byte) {
    out->push_back(static_cast<char>(byte));
  };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0 | c >> 6);
    add(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    add(0xE0 | c >> 12);
    add(0x80 | (c >> 6 & 0x3F));
    add(0x80 | (c & 0x3F));
  } else {
    add(0xF0 | c >> 18);
    add(0x80 | (c >> 12 & 0x3F));
    add(0x80 | (c >> 6 & 0x3F));
    add(0x80 | (c & 0x3F));
  }
}

std::string RandomText(Random* random) {
  constexpr uint32_t kBounds[] = {0x20, 0x80, 0x800, 0x3000, 0xFFFF, 0x10FFFF};
  std::string text;
  for (auto count = (*random)() % 8; count > 0; --count) {
    const uint32_t bound = kBounds[(*random)() % std::size(kBounds)];
    const auto c = static_cast<uint32_t>((*random)() % (bound + 1));
    if (c < 0xD800 || c > 0xDFFF) AppendCodePoint(c, &text);
    if ((*random)() % 8 == 0) AppendCodePoint(0x2028 + c % 2, &text);
  }
  return text;
}

void WriteRandom(Random* random, int depth, JsonWriter* json) {
  const auto kind = (*random)() % (depth > 0 ? 9 : 6);
  const auto count = (*random)() % 4;
  if (kind == 0) json->Null();
  if (kind == 1) json->Bool((*random)() % 2 == 0);
  if (kind == 2) json->Int(static_cast<int64_t>((*random)()));
  if (kind == 3) json->Uint((*random)() >> (*random)() % 64);
  if (kind == 4 || kind == 5) json->String(RandomText(random));
  if (kind == 6) {
    json->BeginArray();
    for (uint64_t i = 0; i < count; ++i) WriteRandom(random, depth - 1, json);
    json->EndArray();
  }
  if (kind > 6) {
    json->BeginObject();
    for (uint64_t i = 0; i < count; ++i) {
      // Python keeps one of two equal keys.
      json->Key(absl::StrCat(i, RandomText(random)));
      WriteRandom(random, depth - 1, json);
    }
    json->EndObject();
  }
}

// Reads each line and writes it again, compactly, with Go's escapes; prints
// the numbers of lines that come out changed.
constexpr char kPython[] = R"(
import json, re, sys
def go(match):
    text = match.group(0)
    text = {'\\b': '\\u0008', '\\f': '\\u000c'}.get(text, text)
    if text in '<>&\u2028\u2029':
        text = '\\u%04x' % ord(text)
    return text
lines = open(sys.argv[1], encoding='utf-8', newline='\n').read().split('\n')
for number, line in enumerate(lines[:-1]):
    again = json.dumps(json.loads(line), ensure_ascii=False,
                       separators=(',', ':'))
    again = re.sub('\\\\u[0-9a-f]{4}|\\\\.|[<>&\u2028\u2029]', go, again)
    if again != line:
        print('changed', number)
print('read', len(lines) - 1)
)";

TEST(JsonWrite, PythonReadsAndWritesTheSame) {
  Random random(testing::TestSeed());
  const int count = testing::Scaled(20'000);
  std::string lines;
  for (int i = 0; i < count; ++i) {
    JsonWriter json(&lines);
    WriteRandom(&random, 4, &json);
    lines.push_back('\n');
  }
  ASSERT_EQ(std::count(lines.begin(), lines.end(), '\n'), count);
  const testing::TempDir dir;
  const testing::Finished run = testing::RunToEnd(
      {"/usr/bin/python3", "-c", kPython, dir.Write("lines", lines)});
  EXPECT_EQ(run.output, absl::StrCat("read ", count, "\n"));
  EXPECT_EQ(run.exit_code, 0);
}

}  // namespace
}  // namespace dnsd
