#include "catalog/base/short_text.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"

namespace dnsd {
namespace {

// Around the size that still fits in, and with every byte.
std::vector<std::string> Texts() {
  std::vector<std::string> texts;
  for (const size_t size : {0u, 1u, 14u, 15u, 16u, 17u, 255u, 70'000u}) {
    texts.emplace_back(size, 'a');
    for (size_t i = 0; i < size; ++i) texts.back()[i] = static_cast<char>(i);
    texts.emplace_back(size, '\xff');
    texts.emplace_back(size, '\0');
  }
  return texts;
}

TEST(ShortText, IsTheText) {
  for (const std::string& text : Texts()) {
    const ShortText same = text;
    EXPECT_EQ(same.str(), text);
    EXPECT_EQ(same.view(), absl::string_view(text));
    EXPECT_EQ(same.size(), text.size());
    EXPECT_EQ(same.empty(), text.empty());
    EXPECT_EQ(same, text);
    EXPECT_EQ(text, same);
    EXPECT_EQ(std::string(same), text);
  }
  EXPECT_EQ(ShortText(), "");
  EXPECT_EQ(ShortText("web-1"), "web-1");
  EXPECT_NE(ShortText("web-1"), absl::string_view("web-2"));
}

TEST(ShortText, ComparesAsStringsDo) {
  for (const std::string& a : Texts()) {
    for (const std::string& b : Texts()) {
      EXPECT_EQ(ShortText(a) == ShortText(b), a == b);
      EXPECT_EQ(ShortText(a) < ShortText(b), a < b);
      EXPECT_EQ(ShortText(a) > ShortText(b), a > b);
    }
  }
}

TEST(ShortText, CopiesAndMovesBetweenSizes) {
  for (const std::string& a : Texts()) {
    for (const std::string& b : Texts()) {
      ShortText to = a;
      const ShortText from = b;
      to = from;
      EXPECT_EQ(to, b);
      EXPECT_EQ(from, b);
      ShortText moved = a;
      to = std::move(moved);
      EXPECT_EQ(to, a);
      ShortText& itself = to;
      to = itself;
      EXPECT_EQ(to, a);
      to = b;
      EXPECT_EQ(to, b);
    }
  }
}

TEST(ShortText, IsFoundByItsHash) {
  absl::flat_hash_set<ShortText> set;
  for (const std::string& text : Texts()) set.insert(text);
  for (const std::string& text : Texts()) {
    EXPECT_TRUE(set.contains(ShortText(text)));
    EXPECT_FALSE(set.contains(ShortText(text + "x")));
  }
}

}  // namespace
}  // namespace dnsd
