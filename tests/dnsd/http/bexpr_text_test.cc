#include "dnsd/http/bexpr_text.h"

#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace dnsd {
namespace {

TEST(BexprText, QuotesAsGoDoes) {
  EXPECT_EQ(GoQuote("a\"\\\n\x01\x7f"), "\"a\\\"\\\\\\n\\x01\\x7f\"");
  EXPECT_EQ(GoQuote("\xff\xc3\xa9"), "\"\\xff\xc3\xa9\"");
  EXPECT_EQ(GoQuote("\xc2\xa0"), "\"\\u00a0\"");
}

TEST(BexprText, UnquotesAsGoDoes) {
  EXPECT_EQ(GoUnquote(R"("a\t\x41\101\u00e9")"), "a\tAA\xc3\xa9");
  EXPECT_EQ(GoUnquote("`a\\t\r\n`"), "a\\t\n");
  for (const char* bad : {"\"", "\"\\w\"", "\"a\nb\"", "\"\\x4\"", "\"\\400\"",
                          "\"\\U00110000\"", "\"a`", "\"a\"b\"", "\"\\\""}) {
    EXPECT_EQ(GoUnquote(bad), std::nullopt) << bad;
  }
}

TEST(BexprText, ReadsIntegersOfEveryBase) {
  const struct {
    const char* text;
    int64_t number;
  } kCases[] = {{"0", 0},        {"80", 80},
                {"-0x1F", -31},  {"0120", 80},
                {"0o17", 15},    {"0b11", 3},
                {"1_000", 1000}, {"0x_1f", 31},
                {"+7", 7},       {"-9223372036854775808", INT64_MIN}};
  for (const auto& c : kCases) {
    const auto number = GoParseInt(c.text);
    ASSERT_TRUE(number.ok()) << c.text;
    EXPECT_EQ(*number, c.number) << c.text;
  }
  for (const char* bad : {"", "-", "x", "0x", "08", "1__0", "_1", "1_", "1.5",
                          "9223372036854775808"}) {
    EXPECT_FALSE(GoParseInt(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace dnsd
