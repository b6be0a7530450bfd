// ReadZoneFile on what it refuses: broken texts with their complete messages,
// what a zone lacks, and files that cannot be read.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "tests/testing/temp_dir.h"
#include "zones/zone_file.h"

namespace dnsd {
namespace {

using testing::TempDir;

// What a text needs before it is a zone.
constexpr char kHead[] =
    "$TTL 60\n@ SOA ns h 7 2 3 4 5\n@ NS ns.example.net.\n";
constexpr int kHeadLines = 3;

absl::StatusOr<std::shared_ptr<const ZoneData>> Parse(const std::string& text) {
  return ParseZone("example.org.", "z", text);
}

// Each text follows kHead. `expected` has the line within the text, after
// which the message is complete; several are separated by '|'.
struct Broken {
  std::string text;
  const char* expected;
};

const Broken kBroken[] = {
    // Cutting into tokens.
    {"a TXT \"b\n", "1: a quote is not closed on its line: \"a TXT \\\"b\""},
    {"a TXT b\"c\n", "1: a quote is not closed on its line: \"a TXT b\\\"c\""},
    {"\n\na A ( 1.2.3.4\n\n", "3: '(' is never closed: \"a A ( 1.2.3.4\""},
    {"a A 1.2.3.4 )\n", "1: ')' without '(': \"a A 1.2.3.4 )\""},
    {"a TXT ( b\n c\\25x )\n",
     "2: an escape is '\\' and three digits up to 255: \"c\\\\25x )\""},
    {"a TXT \\256\n",
     "1: an escape is '\\' and three digits up to 255: \"a TXT \\\\256\""},
    {"a TXT b\\\n", "1: '\\' at the end of a line: \"a TXT b\\\\\""},
    {std::string("a TXT b\0c\n", 10),
     "1: byte 0x00 is no text; write it as \\000: \"a TXT b\\x00\\x63\""},
    // Directives.
    {"$INCLUDE other.zone\n",
     "1: $INCLUDE is not supported: write the records into this file: "
     "\"$INCLUDE other.zone\""},
    {"$GENERATE 1-9 a$ A 192.0.2.$\n",
     "1: $GENERATE is not supported: write the records into this file: "
     "\"$GENERATE 1-9 a$ A 192.0.2.$\""},
    {"$BOGUS\n", "1: unknown directive $BOGUS: \"$BOGUS\""},
    {"$ORIGIN\n", "1: $ORIGIN needs one name: \"$ORIGIN\""},
    {"$ORIGIN a..b\n", "1: $ORIGIN needs one name: \"$ORIGIN a..b\""},
    {"$TTL 1x\n",
     "1: $TTL needs one time from 0 to 2147483647 seconds: \"$TTL 1x\""},
    // Owner, TTL, class, type.
    {"a..b A 1.2.3.4\n TXT x\n", "1: not a name: a..b: \"a..b A 1.2.3.4\""},
    {"a.example.com. A 1.2.3.4\n",
     "1: a.example.com.: is outside the zone example.org.: "
     "\"a.example.com. A 1.2.3.4\""},
    {"notexample.org. A 1.2.3.4\n",
     "1: notexample.org.: is outside the zone example.org.: "
     "\"notexample.org. A 1.2.3.4\""},
    {"a 2147483648 A 1.2.3.4\n",
     "1: a.example.org.: \"2147483648\" is not a TTL from 0 to 2147483647: "
     "\"a 2147483648 A 1.2.3.4\""},
    {"a CH TXT x\n", "1: a.example.org.: class CH is not IN: \"a CH TXT x\""},
    {"a CLASS3 TXT x\n",
     "1: a.example.org.: class CLASS3 is not IN: \"a CLASS3 TXT x\""},
    {"a 5 IN\n", "1: a.example.org.: a record without a type: \"a 5 IN\""},
    {"a BOGUS x\n",
     "1: a.example.org.: BOGUS is not a type of record: \"a BOGUS x\""},
    {"a TYPE65537 \\# 0\n",
     "1: a.example.org.: TYPE65537 is not a type of record: "
     "\"a TYPE65537 \\\\# 0\""},
    {"a ANY x\n",
     "1: a.example.org.: ANY is not a type of record: \"a ANY x\""},
    {"a OPT \\# 0\n",
     "1: a.example.org.: OPT is not a type of record: \"a OPT \\\\# 0\""},
    // Data.
    {"a A 1.2.3\n",
     "1: a.example.org.: Syntax error, could not parse the RR's rdata: "
     "\"a A 1.2.3\""},
    {"a A\n", "1: a.example.org.: Syntax error, value expected: \"a A\""},
    {"a A 1.2.3.4 5\n",
     "1: a.example.org.: Syntax error, superfluous text present: "
     "\"a A 1.2.3.4 5\""},
    {"a MX 65536 b\n",
     "1: a.example.org.: \"65536\" is not a number from 0 to 65535: "
     "\"a MX 65536 b\""},
    {"a SRV 0 0 -1 b\n",
     "1: a.example.org.: \"-1\" is not a number from 0 to 65535: "
     "\"a SRV 0 0 -1 b\""},
    {"a CNAME \"b\"\n",
     "1: a.example.org.: quotes where none belong: b: \"a CNAME \\\"b\\\"\""},
    {"a TXT b\"c\"\n",
     "1: a.example.org.: quotes where none belong: b\"c\": "
     "\"a TXT b\\\"c\\\"\""},
    {"a MX 10 \\@.b\n",
     "1: a.example.org.: a name in record data cannot begin with the label "
     "\"@\": \"a MX 10 \\\\@.b\""},
    {"a TYPE12345 x\n",
     "1: a.example.org.: data of an unknown type is written \\# SIZE HEX (RFC "
     "3597): \"a TYPE12345 x\""},
    {"a TYPE12345 \\# 70000 00\n",
     "1: a.example.org.: \"\\#\" needs a size from 0 to 65535: "
     "\"a TYPE12345 \\\\# 70000 00\""},
    {"a TYPE12345 \\# 2 00\n",
     "1: a.example.org.: \"\\#\" says 2 bytes, but 2 hexadecimal digits "
     "follow: \"a TYPE12345 \\\\# 2 00\""},
    {"a TYPE12345 \\# 1 0g\n",
     "1: a.example.org.: \"\\#\" needs hexadecimal digits: "
     "\"a TYPE12345 \\\\# 1 0g\""},
    {"a A \\# 3 010203\n",
     "1: a.example.org.: these bytes are no record of this type: "
     "\"a A \\\\# 3 010203\""},
    // A compression pointer to the owner.
    {"a MX \\# 4 000ac000\n",
     "1: a.example.org.: these bytes are no record of this type: "
     "\"a MX \\\\# 4 000ac000\""},
    // The zone as a whole.
    {"a A 1.2.3.4\n\na CNAME b\n",
     "3: a.example.org.: a CNAME and other data at one name (the other is on "
     "line 4; RFC 2181 10.1)"},
    {"a CNAME b\na CNAME c\n",
     "2: a.example.org.: a second CNAME that differs"},
    {"@ SOA ns h 8 2 3 4 5\n", "1: example.org.: a second SOA that differs"},
    {"a SOA ns h 7 2 3 4 5\n",
     "1: a.example.org.: a SOA that is not at the apex"},
    {"*.a NS b\n",
     "1: *.a.example.org.: NS at a wildcard has no meaning (RFC 4592 4.2)"},
    // All at once, in the order of the lines.
    {"a A 1\nb A 1.2.3.4\nc A 3\n",
     "1: a.example.org.: Syntax error, could not parse the RR's rdata: "
     "\"a A 1\"|3: c.example.org.: Syntax error, could not parse the RR's "
     "rdata: \"c A 3\""},
};

TEST(ZoneFileErrors, SaysWhatIsWrongOnWhichLine) {
  for (const Broken& c : kBroken) {
    auto zone = Parse(kHead + c.text);
    ASSERT_FALSE(zone.ok()) << c.text;
    std::string expected;
    for (absl::string_view part :
         absl::StrSplit(c.expected, '|', absl::SkipEmpty())) {
      size_t colon = part.find(':');
      int line = 0;
      ASSERT_TRUE(absl::SimpleAtoi(part.substr(0, colon), &line));
      absl::StrAppend(&expected, expected.empty() ? "" : "\n",
                      "z:", line + kHeadLines, part.substr(colon));
    }
    EXPECT_EQ(zone.status().message(), expected) << c.text;
    EXPECT_EQ(zone.status().code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(ZoneFileErrors, SaysWhatTheZoneLacks) {
  struct {
    const char* text;
    const char* expected;
  } cases[] = {
      {"", "z: example.org.: has no SOA\nz: example.org.: has no NS"},
      {"; only a comment",
       "z: example.org.: has no SOA\n"
       "z: example.org.: has no NS"},
      {"@ SOA n h 1 2 3 4 5\n", "z: example.org.: has no NS"},
      {"@ 5 NS n\n", "z: example.org.: has no SOA"},
      {"@ NS n\n",
       "z:1: example.org.: no TTL, and no $TTL before it: "
       "\"@ NS n\""},
      {" NS n\n", "z:1: a record without an owner: \"NS n\""},
  };
  for (const auto& c : cases) {
    auto zone = Parse(c.text);
    ASSERT_FALSE(zone.ok()) << c.text;
    EXPECT_EQ(zone.status().message(), c.expected) << c.text;
  }
}

TEST(ZoneFileErrors, StopsAtTooManyErrors) {
  std::string text = kHead;
  for (int i = 0; i < 1000; ++i) text += "no zone at all\n";
  auto zone = Parse(text);
  ASSERT_FALSE(zone.ok());
  std::vector<std::string> lines =
      absl::StrSplit(std::string(zone.status().message()), '\n');
  ASSERT_EQ(lines.size(), kZoneProblemsMax + 1);
  EXPECT_EQ(lines.back(), "z: more errors follow");
}

TEST(ZoneFileErrors, SaysWhyAFileCannotBeRead) {
  TempDir dir;
  std::string missing = dir.Path("missing.zone");
  auto zone = ReadZoneFile("example.org.", missing);
  EXPECT_EQ(zone.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(zone.status().message(), missing + ": No such file or directory");

  zone = ReadZoneFile("example.org.", dir.path());
  EXPECT_EQ(zone.status().message(), dir.path() + ": Is a directory");

  std::string fifo = dir.Path("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  zone = ReadZoneFile("example.org.", fifo);
  EXPECT_EQ(zone.status().message(), fifo + ": is not a regular file");

  std::string large = dir.Write("large.zone", "");
  ASSERT_EQ(truncate(large.c_str(), kZoneFileBytesMax + 1), 0);
  zone = ReadZoneFile("example.org.", large);
  EXPECT_EQ(zone.status().message(), large + ": is larger than 256 MiB");

  zone = ReadZoneFile("example..org.", large);
  EXPECT_FALSE(zone.ok());
}

TEST(ZoneFileErrors, SaysThatAFileIsForbidden) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read everything";
  TempDir dir;
  std::string file = dir.Write("secret.zone", kHead);
  ASSERT_EQ(chmod(file.c_str(), 0), 0);
  auto zone = ReadZoneFile("example.org.", file);
  EXPECT_EQ(zone.status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(zone.status().message(), file + ": Permission denied");
}

TEST(ZoneFileErrors, RefusesABadApex) {
  EXPECT_EQ(ParseZone("a..b.", "z", kHead).status().message(),
            "\"a..b.\" is not a zone's name");
}

}  // namespace
}  // namespace dnsd
