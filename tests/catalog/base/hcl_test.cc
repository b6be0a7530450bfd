#include "catalog/base/hcl.h"

#include <gtest/gtest.h>

#include <string>

#include "catalog/base/limits.h"
#include "tests/catalog/base/hcl_cases.h"
#include "tests/testing/value_text.h"

namespace dnsd {
namespace {

using testing::HclBadCases;
using testing::HclCase;
using testing::HclGoodCases;
using testing::ValueText;

// The text of the value, or the message of the error.
std::string Parsed(const std::string& document) {
  const absl::StatusOr<Value> value = ParseHcl(document);
  if (value.ok()) return ValueText(*value);
  EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(value.status().message());
}

TEST(Hcl, DecodesAsHashicorpsLibraryDoes) {
  for (const HclCase& c : HclGoodCases()) {
    EXPECT_EQ(Parsed(c.document), c.expected) << c.document;
  }
}

TEST(Hcl, ErrorsSayWhereAndWhat) {
  for (const HclCase& c : HclBadCases()) {
    EXPECT_EQ(Parsed(c.document), c.expected) << c.document;
  }
}

TEST(Hcl, RefusesWhatTheLibraryForgetsToCheck) {
  // hashicorp/hcl drops the unfinished item of each without a word.
  EXPECT_EQ(Parsed("a = 1\nb ="),
            "line 2, column 4: expected a value, found the end of the file");
  EXPECT_EQ(Parsed("a { b = } }"),
            "line 1, column 9: expected a value, found '}'");
}

TEST(Hcl, KeepsRepeatedScalarsInOrder) {
  EXPECT_EQ(Parsed("a = 1\nb = 2\na = \"x\""), R"({"a":1,"b":2,"a":"x"})");
}

TEST(Hcl, SkipsByteOrderMark) {
  EXPECT_EQ(Parsed("\xEF\xBB\xBF"
                   "a = 1"),
            R"({"a":1})");
}

TEST(Hcl, EveryKeyAndValueHasItsLine) {
  const absl::StatusOr<Value> root = ParseHcl(
      "# first\r\na =\n  <<EOF\nx\nEOF\nservice\n\"web\" {\n  tags = [\n"
      "\"t\"]\n}\nservice \"db\" {}\n");
  ASSERT_TRUE(root.ok()) << root.status();
  ASSERT_EQ(root->members.size(), 2u);
  EXPECT_EQ(root->line, 1);
  EXPECT_EQ(root->members[0].line, 2);
  EXPECT_EQ(root->members[0].value.line, 3);
  EXPECT_EQ(root->members[1].line, 6);

  const Value& services = root->members[1].value;
  EXPECT_EQ(services.line, 7);
  ASSERT_EQ(services.items.size(), 2u);
  EXPECT_EQ(services.items[1].line, 11);
  const Member& web = services.items[0].members.at(0);
  EXPECT_EQ(web.line, 7);
  const Member& tags = web.value.items.at(0).members.at(0);
  EXPECT_EQ(tags.line, 8);
  EXPECT_EQ(tags.value.line, 8);
  EXPECT_EQ(tags.value.items.at(0).line, 9);
}

TEST(Hcl, NumbersKeepTheirText) {
  const absl::StatusOr<Value> root = ParseHcl("a = 0x1F b = 1.50");
  ASSERT_TRUE(root.ok()) << root.status();
  EXPECT_EQ(root->members.at(0).value.text, "0x1F");
  EXPECT_EQ(root->members.at(1).value.text, "1.50");
}

std::string Repeat(const std::string& text, size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Hcl, NestingHasALimit) {
  const size_t max = kNestingMax;
  const auto blocks = [](size_t n) { return Repeat("a{", n) + Repeat("}", n); };
  const auto lists = [](size_t n) {
    return "a=" + Repeat("[", n) + Repeat("]", n);
  };
  const auto labels = [](size_t n) { return Repeat("a ", n) + "{}"; };
  EXPECT_TRUE(ParseHcl(blocks(max)).ok());
  EXPECT_TRUE(ParseHcl(lists(max)).ok());
  EXPECT_TRUE(ParseHcl(labels(max)).ok());
  EXPECT_EQ(Parsed(blocks(max + 1)),
            "line 1, column 129: nested deeper than 64 levels");
  EXPECT_EQ(Parsed(lists(max + 1)),
            "line 1, column 67: nested deeper than 64 levels");
  EXPECT_EQ(Parsed(labels(max + 1)),
            "line 1, column 1: nested deeper than 64 levels");
  EXPECT_FALSE(ParseHcl(Repeat("a{", 1000000)).ok());
  EXPECT_FALSE(ParseHcl("a=" + Repeat("[", 1000000)).ok());
}

}  // namespace
}  // namespace dnsd
