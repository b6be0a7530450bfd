#include "dnsd/http/bexpr_parse.h"

#include <string>

#include "absl/strings/match.h"
#include "catalog/base/limits.h"
#include "gtest/gtest.h"

namespace dnsd {
namespace {

std::string ErrorOf(const std::string& text) {
  const auto tree = ParseBexpr(text);
  return tree.ok() ? "" : std::string(tree.status().message());
}

TEST(BexprParse, AndBindsStrongerThanOr) {
  const auto tree = ParseBexpr("a == 1 or b != 2 and not c in d");
  ASSERT_TRUE(tree.ok()) << tree.status();
  ASSERT_EQ(tree->kind, BexprNode::Kind::kOr);
  ASSERT_EQ(tree->children.size(), 2u);
  const BexprNode& both = tree->children[1];
  ASSERT_EQ(both.kind, BexprNode::Kind::kAnd);
  EXPECT_EQ(both.children[0].match.op, BexprOperator::kNotEqual);
  ASSERT_EQ(both.children[1].kind, BexprNode::Kind::kNot);
  EXPECT_EQ(both.children[1].children[0].match.value, "c");
}

// Recorded from Consul 1.8.7.
TEST(BexprParse, SyntaxErrorsAreConsuls) {
  const struct {
    const char* text;
    const char* error;
  } kCases[] = {
      {"Service =",
       "1:9 (8): no match found, expected: \"!=\", \"==\", \"contains\", "
       "\"in\", \"is\", \"matches\", \"not\" or [ \\t\\r\\n]"},
      {"Service == web)",
       "1:15 (14): no match found, expected: \".\", \"[\", [ \\t\\r\\n], "
       "[a-zA-Z0-9_] or EOF"},
      {"(Service == web",
       "1:16 (15): rule \"grouping\": Unmatched parentheses"},
      {"Port == 0120", "1:10 (9): rule \"number\": Invalid number literal"},
      {"Service == \"web",
       "1:16 (15): rule \"string\": Unterminated string literal"},
      {"Service == \"\\w\"", "1:12 (11): rule \"string\": invalid syntax"},
  };
  for (const auto& c : kCases) EXPECT_EQ(ErrorOf(c.text), c.error) << c.text;
}

TEST(BexprParse, DepthAndLengthAreBounded) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '(') + "a == 1" + std::string(depth, ')');
  };
  EXPECT_EQ(ErrorOf(nested(kNestingMax)), "");
  EXPECT_TRUE(absl::StrContains(ErrorOf(nested(kNestingMax + 2)),
                                "nested deeper than 64"));
  std::string nots;
  for (size_t i = 0; i <= kNestingMax; ++i) nots += "not ";
  EXPECT_TRUE(absl::StrContains(ErrorOf(nots + "a == 1"), "nested deeper"));
  std::string chain = "a == 1";
  while (chain.size() + 11 < kFilterBytesMax) chain += " and a == 1";
  EXPECT_EQ(ErrorOf(chain), "");
  chain.resize(kFilterBytesMax + 1, ' ');
  EXPECT_TRUE(absl::StrContains(ErrorOf(chain), "is longer than 8192"));
}

}  // namespace
}  // namespace dnsd
