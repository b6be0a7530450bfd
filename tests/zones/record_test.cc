#include "zones/record.h"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

namespace dnsd {
namespace {

using Kind = ParsedAddress::Kind;
using Texts = std::vector<std::string>;

std::string Text(const std::string& key, const std::string& value) {
  const Texts texts = MetaTexts({{key, value}});
  return texts.size() == 1 ? texts[0] : "not one text";
}

TEST(ParseAddress, ReadsIpAddresses) {
  EXPECT_EQ(ParseAddress("10.0.0.1").kind, Kind::kV4);
  EXPECT_EQ(ParseAddress("10.0.0.1").bytes, std::string("\x0a\0\0\x01", 4));
  EXPECT_EQ(ParseAddress("::1").kind, Kind::kV6);
  EXPECT_EQ(ParseAddress("::1").bytes, std::string(15, '\0') + '\x01');
  EXPECT_TRUE(ParseAddress("2001:DB8::1").is_ip());
}

TEST(ParseAddress, AMappedAddressIsIpv4AsInGo) {
  const ParsedAddress address = ParseAddress("::ffff:10.0.0.1");
  EXPECT_EQ(address.kind, Kind::kV4);
  EXPECT_EQ(address.bytes, ParseAddress("10.0.0.1").bytes);
}

TEST(ParseAddress, WhatIsNoAddressIsAName) {
  const ParsedAddress name = ParseAddress("www.Example.com");
  EXPECT_EQ(name.kind, Kind::kName);
  EXPECT_EQ(name.bytes, std::string("\x03www\x07"
                                    "Example\x03"
                                    "com\0",
                                    17));
  EXPECT_EQ(ParseAddress("www.Example.com.").bytes, name.bytes);
  EXPECT_FALSE(name.is_ip());
  // Too few parts for an address; a name all the same.
  EXPECT_EQ(ParseAddress("10.0.1").kind, Kind::kName);
}

TEST(ParseAddress, NothingAndNonsenseAreNone) {
  for (const std::string& text :
       {std::string(), std::string("."), std::string("a..b"),
        std::string(64, 'a'), std::string(300, 'a')}) {
    EXPECT_EQ(ParseAddress(text).kind, Kind::kNone) << text;
  }
}

TEST(MakeRecord, PutsTheFieldsInWireOrder) {
  EXPECT_EQ(MakeRecord(16, 0x01020304, "ab"),
            std::string("\xc0\x0c\0\x10\0\x01\x01\x02\x03\x04\0\x02"
                        "ab",
                        14));
}

TEST(MakeAddressRecord, ChoosesTheType) {
  EXPECT_EQ(
      MakeAddressRecord(ParseAddress("10.0.0.1"), 5),
      std::string("\xc0\x0c\0\x01\0\x01\0\0\0\x05\0\x04\x0a\0\0\x01", 16));
  const std::string v6 = MakeAddressRecord(ParseAddress("::1"), 0);
  EXPECT_EQ(v6.size(), 28u);
  EXPECT_EQ(v6[3], 28);
  EXPECT_EQ(v6[11], 16);
}

TEST(HexLabel, IsLowerCaseAndOfTheFamilysLength) {
  EXPECT_EQ(HexLabel(ParseAddress("127.0.0.1")),
            "\x08"
            "7f000001");
  EXPECT_EQ(HexLabel(ParseAddress("2001:DB8::AB")),
            " 20010db80000000000000000000000ab");
}

TEST(TextRdata, SplitsAt255Bytes) {
  EXPECT_EQ(TextRdata(""), std::string(1, '\0'));
  EXPECT_EQ(TextRdata("ab"),
            "\x02"
            "ab");
  EXPECT_EQ(TextRdata(std::string(255, 'x')).size(), 256u);
  const std::string two = TextRdata(std::string(256, 'x'));
  EXPECT_EQ(two.size(), 258u);
  EXPECT_EQ(two[256], 1);
  EXPECT_EQ(TextRdata(std::string(512, 'x')).size(), 515u);
}

// The vectors of Consul's own test of RFC 1464 (consul.md 8.4).
TEST(MetaTexts, EncodesRfc1464) {
  const struct {
    const char* key;
    const char* value;
    const char* text;
  } kCases[] = {
      {"color", "blue", "color=blue"},
      {"equation", "a=4", "equation=a=4"},
      {"a=a", "true", "a`=a=true"},
      {"a\\=a", "false", "a\\`=a=false"},
      {"=", "\\=", "`==\\="},
      {"string", "\"Cat\"", "string=\"Cat\""},
      {"string2", "`abc`", "string2=``abc``"},
      {"novalue", "", "novalue="},
      {"a b", "c d", "a b=c d"},
      {"abc ", "123 ", "abc` =123 "},
      {" abc", " 321", "` abc= 321"},
      {"`a", "b", "``a=b"},
      {"  a  ", "b", "` ` a` ` =b"},
  };
  for (const auto& c : kCases) EXPECT_EQ(Text(c.key, c.value), c.text);
}

TEST(MetaTexts, ARawKeyGivesItsValueAlone) {
  EXPECT_EQ(Text("rfc1035-00", "raw=value`"), "raw=value`");
  EXPECT_EQ(Text("RFC1035-x", "v"), "v") << "whatever the case";
  EXPECT_EQ(Text("rfc1035", "v"), "rfc1035=v") << "without the dash";
}

TEST(MetaTexts, HasOneTextPerPair) {
  EXPECT_EQ(MetaTexts({}), Texts());
  EXPECT_EQ(MetaTexts({{"a", "1"}, {"b", "2"}}), Texts({"a=1", "b=2"}));
}

}  // namespace
}  // namespace dnsd
