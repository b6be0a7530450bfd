#include "zones/name.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/seeds.h"
#include "zones/random.h"

namespace dnsd {
namespace {

using testing::Scaled;
using testing::TestSeed;

std::span<const uint8_t> Bytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string Wire(const std::string& text) {
  std::string wire;
  EXPECT_TRUE(NameToWire(text, &wire)) << text;
  return wire;
}

std::string Lower(const Name& name) {
  return {reinterpret_cast<const char*>(name.lower), name.size};
}

// A name of `count` labels of `size` bytes each, and the root.
std::string Labels(size_t count, size_t size) {
  std::string wire;
  for (size_t i = 0; i < count; ++i) {
    wire += static_cast<char>(size);
    wire += std::string(size, 'a');
  }
  return wire + '\0';
}

TEST(ParseName, LowersAndFindsLabels) {
  Name name;
  const std::string wire = Wire("WeB.service.Consul.");
  ASSERT_EQ(ParseName(Bytes(wire), &name), wire.size());
  EXPECT_EQ(name.size, wire.size());
  EXPECT_EQ(name.label_count, 3);
  EXPECT_EQ(Lower(name), Wire("web.service.consul."));
  EXPECT_TRUE(name.LabelIs(0, "web", 3));
  EXPECT_TRUE(name.LabelIs(2, "consul", 6));
  EXPECT_FALSE(name.LabelIs(2, "consu", 5));
  EXPECT_EQ(name.LabelSize(3), 0u) << "the root label";
  const auto middle = name.Labels(1, 2);
  EXPECT_EQ(std::string(middle.begin(), middle.end()), "\x07service");
  EXPECT_EQ(name.Labels(1, 1).size(), 0u);
}

TEST(ParseName, TakesTheRoot) {
  Name name;
  ASSERT_EQ(ParseName(Bytes(std::string(1, '\0')), &name), 1u);
  EXPECT_EQ(name.label_count, 0);
  EXPECT_EQ(name.size, 1);
}

TEST(ParseName, LeavesWhatFollowsAlone) {
  Name name;
  const std::string wire = Wire("a.b.");
  EXPECT_EQ(ParseName(Bytes(wire + "\x01\x02"), &name), wire.size());
}

TEST(ParseName, TakesAnyByteInALabel) {
  std::string wire("\x04.\0\\A\x02\xff\xc0", 8);
  wire += '\0';
  Name name;
  ASSERT_EQ(ParseName(Bytes(wire), &name), wire.size());
  EXPECT_EQ(name.label_count, 2);
  EXPECT_EQ(Lower(name), std::string("\x04.\0\\a\x02\xff\xc0\0", 9));
}

TEST(ParseName, RefusesEveryTruncation) {
  const std::string wire = Wire("web.service.consul.");
  for (size_t size = 0; size < wire.size(); ++size) {
    // A buffer of exactly that size, so that ASan sees a byte too far.
    const std::vector<uint8_t> cut(wire.begin(),
                                   wire.begin() + static_cast<long>(size));
    Name name;
    EXPECT_EQ(ParseName(cut, &name), 0u) << size;
  }
}

TEST(ParseName, RefusesPointersAndReservedLabelTypes) {
  for (int first : {0x40, 0x80, 0xc0, 0xff}) {
    std::string wire = "\x01";
    wire += 'a';
    wire += static_cast<char>(first);
    wire += std::string(300, '\x0c');
    Name name;
    EXPECT_EQ(ParseName(Bytes(wire), &name), 0u) << first;
  }
}

TEST(ParseName, KnowsTheLimits) {
  Name name;
  EXPECT_NE(ParseName(Bytes(Labels(1, 63)), &name), 0u);
  // 3 * 64 + 62 + 1 = 255 bytes; one more is too long.
  std::string longest = Labels(3, 63);
  longest.pop_back();
  const std::string fits = longest + Labels(1, 61);
  ASSERT_EQ(fits.size(), 255u);
  EXPECT_EQ(ParseName(Bytes(fits), &name), 255u);
  EXPECT_EQ(ParseName(Bytes(longest + Labels(1, 62)), &name), 0u);
  // The most labels: 127 of one byte.
  const std::string most = Labels(127, 1);
  ASSERT_EQ(most.size(), 255u);
  ASSERT_EQ(ParseName(Bytes(most), &name), 255u);
  EXPECT_EQ(name.label_count, 127);
  EXPECT_EQ(name.label[127], 254);
  EXPECT_EQ(ParseName(Bytes(Labels(128, 1)), &name), 0u);
}

TEST(ParseName, RandomBytesNeverReadBeyondTheEnd) {
  Random random(TestSeed());
  for (int i = 0; i < Scaled(200000); ++i) {
    std::vector<uint8_t> bytes(random.Below(300));
    for (uint8_t& byte : bytes) {
      // Mostly short labels, so that parsing gets far.
      byte = static_cast<uint8_t>(random.Below(random.Below(8) == 0 ? 256 : 8));
    }
    Name name;
    const size_t size = ParseName(bytes, &name);
    if (size == 0) continue;
    ASSERT_LE(size, bytes.size());
    ASSERT_LE(size, kNameBytesMax);
    ASSERT_EQ(bytes[size - 1], 0);
    size_t at = 0;
    for (size_t label = 0; label < name.label_count; ++label) {
      ASSERT_EQ(name.label[label], at);
      at += 1u + bytes[at];
    }
    ASSERT_EQ(at + 1, size);
  }
}

TEST(LowerByte, ChangesAsciiLettersOnly) {
  for (int byte = 0; byte < 256; ++byte) {
    const int lower = byte >= 'A' && byte <= 'Z' ? byte + 32 : byte;
    EXPECT_EQ(LowerByte(static_cast<uint8_t>(byte)), lower);
  }
}

TEST(NameToWire, TakesNamesWithAndWithoutTheFinalDot) {
  EXPECT_EQ(Wire("A.b"), std::string("\x01"
                                     "A\x01"
                                     "b\0",
                                     5));
  EXPECT_EQ(Wire("A.b."), Wire("A.b"));
  EXPECT_EQ(Wire("."), std::string(1, '\0'));
  EXPECT_EQ(Wire(""), std::string(1, '\0'));
}

TEST(NameToWire, RefusesWhatIsNoName) {
  std::string wire;
  for (const std::string& text :
       {std::string(".."), std::string(".a"), std::string("a..b"),
        std::string("a.."), std::string(64, 'a'),
        absl::StrCat(std::string(64, 'a'), ".b")}) {
    EXPECT_FALSE(NameToWire(text, &wire)) << text;
  }
  EXPECT_TRUE(NameToWire(std::string(63, 'a'), &wire));
}

TEST(NameToWire, KnowsTheLongestName) {
  std::string text;
  for (int i = 0; i < 3; ++i) absl::StrAppend(&text, std::string(63, 'a'), ".");
  std::string wire;
  EXPECT_TRUE(NameToWire(text + std::string(61, 'b'), &wire));
  EXPECT_EQ(wire.size(), 255u);
  EXPECT_FALSE(NameToWire(text + std::string(62, 'b'), &wire));
}

TEST(LabelsToWire, LeavesTheRootOut) {
  std::string wire;
  ASSERT_TRUE(LabelsToWire("v1.x", &wire));
  EXPECT_EQ(wire, "\x02v1\x01x");
  EXPECT_FALSE(LabelsToWire("", &wire));
  EXPECT_FALSE(LabelsToWire("a.", &wire));
}

TEST(NameToText, EscapesWhatMasterFilesEscape) {
  EXPECT_EQ(NameToText(Bytes(Wire("Web.Service.consul"))),
            "Web.Service.consul.");
  EXPECT_EQ(NameToText(Bytes(std::string(1, '\0'))), ".");
  const std::string odd(
      "\x07"
      "a.\\\"\0 \xff\0",
      9);
  EXPECT_EQ(NameToText(Bytes(odd)), "a\\.\\\\\\\"\\000\\032\\255.");
}

TEST(NameToText, GoesBackToTheSameWireForm) {
  for (const char* text : {"a.", "web.service.consul.", "_web._tcp.x-1.y."}) {
    EXPECT_EQ(NameToText(Bytes(Wire(text))), text);
  }
}

}  // namespace
}  // namespace dnsd
