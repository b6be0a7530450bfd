#include "dnsd/http/url.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace dnsd {
namespace {

TEST(Url, DecodesEscapesAndRefusesBrokenOnes) {
  EXPECT_EQ(PercentDecode("a%2Fb%2fc%20d", false), "a/b/c d");
  EXPECT_EQ(PercentDecode("a+b", false), "a+b");
  EXPECT_EQ(PercentDecode("a+b%2B", true), "a b+");
  EXPECT_EQ(PercentDecode("%00", false), std::string(1, '\0'));
  for (const char* broken : {"%", "%4", "a%", "%zz", "%4g", "%%41"}) {
    EXPECT_EQ(PercentDecode(broken, false), std::nullopt) << broken;
  }
}

TEST(Url, EscapedBytesDecodeToThemselves) {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  const std::string escaped = EscapePath(all);
  EXPECT_EQ(escaped.find_first_of("\r\n ?#\"<>\\"), std::string::npos);
  EXPECT_EQ(PercentDecode(escaped, false), all);
}

TEST(Url, SplitsTargets) {
  const std::vector<std::pair<std::string, std::pair<std::string, std::string>>>
      cases = {
          {"/", {"/", ""}},
          {"/a%20b?c=%20", {"/a b", "c=%20"}},
          {"/a?b?c", {"/a", "b?c"}},
          {"*", {"*", ""}},
          {"http://h:80/x?y", {"/x", "y"}},
          {"http://h", {"/", ""}},
          {"http://h?q", {"/", "q"}},
      };
  for (const auto& [text, parts] : cases) {
    const auto target = ParseTarget(text);
    ASSERT_TRUE(target) << text;
    EXPECT_EQ(target->path, parts.first) << text;
    EXPECT_EQ(target->query, parts.second) << text;
  }
  for (const char* bad : {"", "x", "host:80", "/%", "http:///x", "http://"}) {
    EXPECT_FALSE(ParseTarget(bad)) << bad;
  }
}

TEST(Url, CleansPathsAsConsulDoes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "/"},          {"/", "/"},           {"//", "/"},
      {"/a//b", "/a/b"},  {"/a/./b/", "/a/b/"}, {"/a/../b", "/b"},
      {"/../../a", "/a"}, {"/a/b/..", "/a"},    {"/a/b/../", "/a/"},
      {"/..", "/"},       {"/a/...", "/a/..."},
  };
  for (const auto& [dirty, clean] : cases) {
    EXPECT_EQ(CleanPath(dirty), clean) << dirty;
    EXPECT_EQ(CleanPath(clean), clean) << clean;
  }
}

TEST(Url, FindsQueryValues) {
  EXPECT_EQ(QueryValue("a=1&b=2&b=3", "b"), "2");
  EXPECT_EQ(QueryValue("pretty&x", "pretty"), "");
  EXPECT_EQ(QueryValue("x%20y=a+b%26", "x y"), "a b&");
  EXPECT_EQ(QueryValue("a=%zz&a=ok", "a"), "ok");
  EXPECT_EQ(QueryValue("a=b=c", "a"), "b=c");
  EXPECT_EQ(QueryValue("", "a"), std::nullopt);
  EXPECT_EQ(QueryValue("ab=1", "a"), std::nullopt);
}

}  // namespace
}  // namespace dnsd
