#include "catalog/base/json_read.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/limits.h"
#include "tests/testing/value_text.h"

namespace dnsd {
namespace {

using testing::ValueText;

// The text of the value, or the message of the error.
std::string Parsed(const std::string& document) {
  const absl::StatusOr<Value> value = ParseJson(document);
  if (value.ok()) return ValueText(*value);
  EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(value.status().message());
}

struct Case {
  std::string document;
  std::string expected;
};

TEST(JsonRead, ReadsEveryKindOfValue) {
  const std::vector<Case> cases = {
      {"{}", "{}"},
      {" [ ] \n", "[]"},
      {R"({"a":1,"b":[true,false,null],"c":{"d":"e"}})",
       R"({"a":1,"b":[true,false,null],"c":{"d":"e"}})"},
      {R"([0,-0,-1,9223372036854775807,-9223372036854775808])",
       "[0,0,-1,9223372036854775807,-9223372036854775808]"},
      {"[9223372036854775808, 18446744073709551616, -9223372036854775809]",
       "[9.2233720368547758e+18,1.8446744073709552e+19,"
       "-9.2233720368547758e+18]"},
      {"[1.5, 1.0, 1e3, 2.5E-2, 1e-400]",
       "[1.5,1.0,1000.0,0.025000000000000001,0.0]"},
      {R"(["","\n\t\"\\\/\b\f\r","\u00e9","\ud83d\ude00"])",
       "[\"\",\"\\u000a\\u0009\\\"\\\\/\\u0008\\u000c\\u000d\","
       "\"\xC3\xA9\",\"\xF0\x9F\x98\x80\"]"},
      {"[\"\xC3\xA9\"]", "[\"\xC3\xA9\"]"},
      {R"({"a\nb":1,"":2})", R"({"a\u000ab":1,"":2})"},
      // Both stay, so that they can be reported.
      {R"({"a":1,"b":2,"a":3})", R"({"a":1,"b":2,"a":3})"},
      {"\xEF\xBB\xBF{}", "{}"},
      // A document need not be an object.
      {"1", "1"},
      {"-1.5 ", "-1.5"},
      {"\"x\"", "\"x\""},
      {" true", "true"},
      {"null\n", "null"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Parsed(c.document), c.expected) << c.document;
  }
}

TEST(JsonRead, ErrorsSayWhereAndWhat) {
  const auto unexpected = [](int line, const std::string& what) {
    return absl::StrCat("line ", line, ": unexpected ", what,
                        "; a comma, colon, quote or value is missing before "
                        "it");
  };
  const auto number = [](const std::string& text) {
    return absl::StrCat("line 1: ", text,
                        " is not a JSON number or is too large");
  };
  const std::string empty = "line 1: the document is empty";
  const std::string control =
      "a string has a line end or other control character in it, or its "
      "closing quote is missing";
  const std::vector<Case> cases = {
      {"", empty},
      {" \n ", empty},
      {"\xEF\xBB\xBF", empty},
      {"{} {}", "line 1: text after the document"},
      {"{}\n\n}", "line 3: text after the document"},
      {"{}\n]", "line 2: text after the document"},
      {"1 2", "line 1: text after the document"},
      {"1,2", "line 1: text after the document"},
      {"1,", "line 1: text after the document"},
      {"1],[2", "line 1: text after the document"},
      {"],[", "line 1: text after the document"},
      {"{\n\"a\":1\n", "line 3: the document ends before it is complete"},
      {"[[1]", "line 1: the document ends before it is complete"},
      {"{\"a\":1,\n\"b\":2\n\"c\":3}", unexpected(3, "'\"'")},
      {"{\"a\"}", unexpected(1, "'}'")},
      {"{\"a\":1,}", unexpected(1, "'}'")},
      {"[1,\n]", unexpected(2, "']'")},
      {"[1}", unexpected(1, "'}'")},
      {"{'a':1}", unexpected(1, "'''")},
      {"# x\n{}", unexpected(1, "'#'")},
      {std::string("\n\0", 2), unexpected(2, "character")},
      {"[\n01]", "line 2: 01 is not a JSON number or is too large"},
      {"[-]", number("-")},
      {"[1.]", number("1.")},
      {"[1e999]", number("1e999")},
      {"[0x1F]", number("0x1F")},
      {"[nullx]", "line 1: nullx is not a JSON value"},
      {"[tru]", "line 1: tru is not a JSON value"},
      {"nul", "line 1: nul is not a JSON value"},
      {"[\n\"\\q\"]", "line 2: a string has a bad escape"},
      {"[\"\\ud800\"]", "line 1: a string has a bad escape"},
      {"{\n\n\"\\q\":1}", "line 3: a key has a bad escape"},
      {"[\n\"x]\n", "line 2: " + control},
      {"[\n\"x\\\\\", \"\\\"\ty\"]", "line 2: " + control},
      {"[\n\"x\",\"y", "line 2: a string has no closing quote"},
      {"[1,\n\"\xFF\"]", "line 2: invalid UTF-8"},
      {"[1,\n\"\xED\xA0\x80\"]", "line 2: invalid UTF-8"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Parsed(c.document), c.expected) << c.document;
  }
}

TEST(JsonRead, EveryKeyAndValueHasItsLine) {
  const absl::StatusOr<Value> root =
      ParseJson("\n{\"a\"\n:\n1,\r\n\"b\": [\n{\"c\\n\": \"x\"},\n2\n]\n}\n");
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(root->line, 2);
  ASSERT_EQ(root->members.size(), 2u);
  EXPECT_EQ(root->members[0].line, 2);
  EXPECT_EQ(root->members[0].value.line, 4);
  const Member& b = root->members[1];
  EXPECT_EQ(b.line, 5);
  EXPECT_EQ(b.value.line, 5);
  ASSERT_EQ(b.value.items.size(), 2u);
  EXPECT_EQ(b.value.items[0].line, 6);
  EXPECT_EQ(b.value.items[0].members.at(0).line, 6);
  EXPECT_EQ(b.value.items[1].line, 7);
}

TEST(JsonRead, NumbersKeepTheirText) {
  const absl::StatusOr<Value> root = ParseJson("[1.50 , -0\n,1E2]");
  ASSERT_TRUE(root.ok()) << root.status();
  ASSERT_EQ(root->items.size(), 3u);
  EXPECT_EQ(root->items[0].text, "1.50");
  EXPECT_EQ(root->items[1].text, "-0");
  EXPECT_EQ(root->items[2].text, "1E2");
}

// simdjson checks values only when they are read: a mistake anywhere, also
// deep in a part that a caller may not care for, must be found.
TEST(JsonRead, NoTruncatedDocumentIsAccepted) {
  const std::string document =
      R"({"a":[1,-2.5e3,{"b":null,"c":[true,false]}],"d":"x\u00e9","e":{}})";
  ASSERT_EQ(Parsed(document),
            "{\"a\":[1,-2500.0,{\"b\":null,\"c\":[true,false]}],"
            "\"d\":\"x\xC3\xA9\",\"e\":{}}");
  for (size_t size = 0; size < document.size(); ++size) {
    const std::string result = Parsed(document.substr(0, size));
    EXPECT_TRUE(absl::StartsWith(result, "line 1: ")) << result;
  }
}

std::string Repeat(const std::string& text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(JsonRead, NestingHasALimit) {
  const size_t max = kNestingMax;
  const auto lists = [](size_t n) { return Repeat("[", n) + Repeat("]", n); };
  const auto objects = [](size_t n) {
    return Repeat("{\"a\":\n", n - 1) + "{" + Repeat("}", n);
  };
  EXPECT_TRUE(ParseJson(lists(max)).ok());
  EXPECT_TRUE(ParseJson(objects(max)).ok());
  EXPECT_EQ(Parsed(lists(max + 1)), "line 1: nested deeper than 64 levels");
  EXPECT_EQ(Parsed(objects(max + 1)), "line 65: nested deeper than 64 levels");
  EXPECT_FALSE(ParseJson(Repeat("[", 1000000)).ok());
}

}  // namespace
}  // namespace dnsd
