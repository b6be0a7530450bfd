#include "dnsd/cli/json_text.h"

#include "catalog/base/json_read.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

TEST(JsonText, IsAsGoWritesIt) {
  const struct {
    const char* given;
    const char* compact;
    const char* indented;
  } cases[] = {
      {"null", "null", "null"},
      {"[]", "[]", "[]"},
      {"{ }", "{}", "{}"},
      {R"([1, -2.50, true])", "[1,-2.50,true]",
       "[\n    1,\n    -2.50,\n    true\n]"},
      {R"({"a": {"b": ["<&>"]}, "c": false})",
       R"({"a":{"b":["\u003c\u0026\u003e"]},"c":false})",
       "{\n    \"a\": {\n        \"b\": [\n            "
       "\"\\u003c\\u0026\\u003e\"\n        ]\n    },\n    \"c\": false\n}"},
  };
  for (const auto& c : cases) {
    const auto value = ParseJson(c.given);
    ASSERT_TRUE(value.ok()) << value.status();
    EXPECT_EQ(JsonText(*value, JsonLayout::kCompact), c.compact);
    EXPECT_EQ(JsonText(*value, JsonLayout::kIndented), c.indented);
  }
}

TEST(FindMember, TakesTheLastOfSeveral) {
  const auto value = ParseJson(R"({"a":"1","a":"2"})");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(MemberText(*value, "a"), "2");
  EXPECT_EQ(MemberText(*value, "A"), "");
  EXPECT_EQ(FindMember(*value, "b"), nullptr);
}

}  // namespace
}  // namespace dnsd
