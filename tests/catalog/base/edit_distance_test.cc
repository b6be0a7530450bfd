#include "catalog/base/edit_distance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

TEST(EditDistance, CountsLettersAndSwaps) {
  EXPECT_EQ(EditDistance("web", "web", 2), 0u);
  EXPECT_EQ(EditDistance("web", "wbe", 2), 1u);
  EXPECT_EQ(EditDistance("web", "we", 2), 1u);
  EXPECT_EQ(EditDistance("web", "webs", 2), 1u);
  EXPECT_EQ(EditDistance("web", "wob", 2), 1u);
  EXPECT_EQ(EditDistance("", "ab", 2), 2u);
  EXPECT_EQ(EditDistance("", "", 0), 0u);
}

TEST(EditDistance, SaysNoMoreThanThatThereAreMore) {
  EXPECT_EQ(EditDistance("web", "api", 2), 3u);
  EXPECT_EQ(EditDistance("web", "web-frontend", 2), 3u);
  EXPECT_EQ(EditDistance("ab", "ba", 0), 1u);
}

// The whole matrix, by the definition.
size_t AllEdits(const std::string& a, const std::string& b) {
  std::vector<std::vector<size_t>> edits(a.size() + 1,
                                         std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      size_t best = i == 0 || j == 0 ? i + j : SIZE_MAX;
      if (i > 0 && j > 0) {
        best = std::min({edits[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1),
                         edits[i - 1][j] + 1, edits[i][j - 1] + 1});
      }
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        best = std::min(best, edits[i - 2][j - 2] + 1);
      }
      edits[i][j] = best;
    }
  }
  return edits[a.size()][b.size()];
}

TEST(EditDistance, IsThatOfTheWholeMatrix) {
  std::mt19937_64 random(testing::TestSeed());
  const auto word = [&] {
    std::string text;
    for (size_t i = random() % 8; i > 0; --i) {
      text.push_back(static_cast<char>('a' + random() % 3));
    }
    return text;
  };
  for (int i = 0; i < testing::Scaled(100'000); ++i) {
    const std::string a = word();
    const std::string b = word();
    for (const size_t limit : {0, 1, 2, 3, 8}) {
      ASSERT_EQ(EditDistance(a, b, limit), std::min(AllEdits(a, b), limit + 1))
          << a << " " << b << " " << limit;
    }
  }
}

}  // namespace
}  // namespace dnsd
