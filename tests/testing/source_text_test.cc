#include "tests/testing/source_text.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace dnsd::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(SourceText, SplitsCodeFromCommentsAndLiterals) {
  const SourceText source(
      "int a = 1'000;  // new things\n"
      "const char* b = \"new \\\" // thing\";  /* old\n"
      "things */ char c = '\"'; int d;\n");
  ASSERT_EQ(source.lines().size(), 3u);
  EXPECT_THAT(source.code()[0], HasSubstr("int a = 1'000;"));
  EXPECT_THAT(source.code()[0], Not(HasSubstr("new")));
  EXPECT_THAT(source.comments()[0], HasSubstr("// new things"));
  EXPECT_THAT(source.code()[1], Not(HasSubstr("thing")));
  EXPECT_THAT(source.comments()[1], Not(HasSubstr("thing")));
  EXPECT_THAT(source.comments()[1], HasSubstr("/* old"));
  EXPECT_THAT(source.comments()[2], HasSubstr("things */"));
  EXPECT_THAT(source.code()[2], HasSubstr("; int d;"));
}

TEST(SourceText, RawStringsEndAtTheirOwnDelimiter) {
  const SourceText source(
      "auto a = R\"re(new \" // )\" new)re\"; int after;\n"
      "int FOR\n");
  EXPECT_THAT(source.code()[0], Not(HasSubstr("new")));
  EXPECT_THAT(source.code()[0], HasSubstr("int after;"));
  EXPECT_EQ(source.comments()[0].find_first_not_of(' '), std::string::npos);
  EXPECT_EQ(source.code()[1], "int FOR");
}

TEST(SourceText, FindsIncludesButNotThoseInComments) {
  const SourceText source(
      "#include <vector>\n"
      "// #include \"a.h\"\n"
      "#include \"b/c.h\"\n");
  ASSERT_EQ(source.Includes().size(), 2u);
  EXPECT_EQ(source.Includes()[0].path, "vector");
  EXPECT_FALSE(source.Includes()[0].quoted);
  EXPECT_EQ(source.Includes()[1].path, "b/c.h");
  EXPECT_TRUE(source.Includes()[1].quoted);
}

TEST(SourceText, MeasuresFunctionsAndMethods) {
  const SourceText source(
      "namespace a {\n"
      "struct B {\n"
      "  int Short() { return 1; }\n"
      "  int values[2] = {1, 2};\n"
      "};\n"
      "int Long(int x) {\n"
      "  if (x) {\n"
      "    auto f = [] { return 2; };\n"
      "  }\n"
      "  return 3;\n"
      "}\n"
      "}\n");
  std::vector<size_t> first_lines;
  std::vector<size_t> line_counts;
  for (const FunctionSize& function : source.Functions()) {
    first_lines.push_back(function.first_line);
    line_counts.push_back(function.line_count);
  }
  EXPECT_THAT(first_lines, ElementsAre(3, 6));
  EXPECT_THAT(line_counts, ElementsAre(1, 6));
}

}  // namespace
}  // namespace dnsd::testing
