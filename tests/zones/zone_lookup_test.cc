// LookupZone and FindGlue against a zone that has every situation: a table of
// questions with what RFC 1034 4.3.2, 4592 and 8020 say about each.
#include "zones/zone_lookup.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/testing/rr_text.h"
#include "zones/zone_file.h"

namespace dnsd {
namespace {

using testing::TypeFromText;
using testing::TypeText;
using testing::WireName;

constexpr char kZoneFile[] = "tests/testdata/zones/answers.zone";

std::shared_ptr<const ZoneData> Load(const std::string& apex,
                                     const std::string& file) {
  auto zone = ReadZoneFile(apex, file);
  EXPECT_TRUE(zone.ok()) << zone.status().message();
  return zone.ok() ? *zone : nullptr;
}

ZoneResult Lookup(const ZoneData& zone, const std::string& qname,
                  const std::string& qtype) {
  std::string wire = WireName(qname);
  return LookupZone(zone, reinterpret_cast<const uint8_t*>(wire.data()),
                    wire.size(), TypeFromText(qtype));
}

// "answer MX wildcard", "nodata", "delegation NS at 5": all of a result.
std::string Text(const ZoneResult& result) {
  static constexpr const char* kKinds[] = {"answer", "cname", "nodata",
                                           "nxdomain", "delegation"};
  std::string text = kKinds[static_cast<size_t>(result.kind)];
  if (result.rrset != nullptr) {
    absl::StrAppend(&text, " ", TypeText(result.rrset->type));
    EXPECT_EQ(result.node->Find(result.rrset->type), result.rrset);
  }
  if (result.wildcard) text += " wildcard";
  if (result.cut_offset != 0) {
    absl::StrAppend(&text, " at ", result.cut_offset);
  }
  EXPECT_EQ(result.node == nullptr, result.kind == ZoneAnswer::kNxdomain);
  return text;
}

struct Case {
  const char* qname;
  const char* qtype;
  const char* expected;
};

constexpr Case kCases[] = {
    // The apex.
    {"example.", "SOA", "answer SOA"},
    {"example.", "NS", "answer NS"},
    {"example.", "A", "nodata"},
    {"example.", "ANY", "answer"},
    {"example.", "DS", "nodata"},
    // Exact names.
    {"host1.example.", "A", "answer A"},
    {"host1.example.", "AAAA", "nodata"},
    {"host1.example.", "ANY", "answer"},
    // RFC 4592 2.2.1: synthesised from "*".
    {"host3.example.", "MX", "answer MX wildcard"},
    {"host3.example.", "A", "nodata wildcard"},
    {"host3.example.", "ANY", "answer wildcard"},
    {"foo.bar.example.", "TXT", "answer TXT wildcard"},
    // RFC 4592 2.2.1: not synthesised.
    {"host1.example.", "MX", "nodata"},
    {"sub.*.example.", "MX", "nodata"},
    {"_telnet._tcp.host1.example.", "SRV", "nxdomain"},
    {"host.subdel.example.", "A", "delegation NS at 5"},
    {"ghost.*.example.", "MX", "nxdomain"},
    // The wildcard asked for by its own name is an ordinary name.
    {"*.example.", "MX", "answer MX"},
    {"sub.*.example.", "TXT", "answer TXT"},
    // An intermediate name exists: its "*" would count, and there is none.
    {"x.host1.example.", "MX", "nxdomain"},
    {"a.b.c.host1.example.", "TXT", "nxdomain"},
    // Empty non-terminals exist (RFC 8020).
    {"_tcp.host1.example.", "SRV", "nodata"},
    {"host2.example.", "MX", "nodata"},
    {"host2.example.", "ANY", "nodata"},
    {"ent.example.", "A", "nodata"},
    {"x._tcp.host2.example.", "A", "nxdomain"},
    // A "*" that is itself an empty non-terminal covers, with nothing.
    {"*.ent.example.", "A", "nodata"},
    {"x.ent.example.", "A", "nodata wildcard"},
    {"x.y.ent.example.", "ANY", "nodata wildcard"},
    {"leaf.x.ent.example.", "A", "nodata wildcard"},
    {"leaf.*.ent.example.", "A", "answer A"},
    // Delegations; DS is the parent's.
    {"cut.example.", "A", "delegation NS"},
    {"cut.example.", "NS", "delegation NS"},
    {"cut.example.", "ANY", "delegation NS"},
    {"cut.example.", "DS", "answer DS"},
    {"subdel.example.", "DS", "nodata"},
    {"x.cut.example.", "DS", "delegation NS at 2"},
    {"ns1.cut.example.", "A", "delegation NS at 4"},
    {"ns1.cut.example.", "TXT", "delegation NS at 4"},
    // The highest cut wins over one below it.
    {"a.deeper.cut.example.", "A", "delegation NS at 9"},
    {"deeper.cut.example.", "DS", "delegation NS at 7"},
    // CNAME.
    {"alias.example.", "A", "cname CNAME"},
    {"alias.example.", "CNAME", "answer CNAME"},
    {"alias.example.", "ANY", "answer"},
    {"x.alias.example.", "A", "nxdomain"},
    {"x.alias2.example.", "A", "cname CNAME wildcard"},
    {"x.y.alias2.example.", "CNAME", "answer CNAME wildcard"},
};

TEST(ZoneLookup, AnswersEverySituation) {
  auto zone = Load("example.", kZoneFile);
  ASSERT_NE(zone, nullptr);
  for (const Case& c : kCases) {
    EXPECT_EQ(Text(Lookup(*zone, c.qname, c.qtype)), c.expected)
        << c.qname << " " << c.qtype;
  }
}

TEST(ZoneLookup, CutOffsetPointsAtTheDelegationsOwner) {
  auto zone = Load("example.", kZoneFile);
  ASSERT_NE(zone, nullptr);
  std::string qname = WireName("a.deeper.cut.example.");
  ZoneResult result = Lookup(*zone, "a.deeper.cut.example.", "A");
  EXPECT_EQ(qname.substr(result.cut_offset), WireName("cut.example."));
  EXPECT_EQ(result.rrset->rdata.size(), 2u);
}

TEST(ZoneLookup, FindsGlueAtAndBelowCuts) {
  auto zone = Load("example.", kZoneFile);
  ASSERT_NE(zone, nullptr);
  struct {
    const char* name;
    const char* type;
    size_t count;
  } cases[] = {
      {"ns1.cut.example.", "A", 1}, {"ns1.cut.example.", "AAAA", 1},
      {"cut.example.", "A", 1},     {"cut.example.", "AAAA", 0},
      {"host1.example.", "A", 1},   {"host2.example.", "A", 0},
      {"nobody.example.", "A", 0},  {"ns.example.com.", "A", 0},
      {"x.ent.example.", "A", 0},
  };
  for (const auto& c : cases) {
    const ZoneRrset* glue =
        FindGlue(*zone, WireName(c.name), TypeFromText(c.type));
    EXPECT_EQ(glue == nullptr ? 0 : glue->rdata.size(), c.count)
        << c.name << " " << c.type;
  }
}

TEST(ZoneLookup, KeepsOnlyAddressesBelowACut) {
  auto zone = Load("example.", kZoneFile);
  ASSERT_NE(zone, nullptr);
  EXPECT_EQ(FindGlue(*zone, WireName("ns1.cut.example."), 16), nullptr);
  const ZoneNode& deeper = zone->nodes.at(WireName("deeper.cut.example."));
  EXPECT_TRUE(deeper.rrsets.empty());
  EXPECT_FALSE(deeper.is_cut);
}

TEST(ZoneLookup, TheRootIsAZoneToo) {
  auto zone = ParseZone(".", "root",
                        "$TTL 60\n@ SOA a. b. 1 2 3 4 5\n@ NS a.\n"
                        "a A 192.0.2.1\ntld NS a.\n* TXT x\n");
  ASSERT_TRUE(zone.ok()) << zone.status().message();
  EXPECT_EQ(Text(Lookup(**zone, ".", "NS")), "answer NS");
  EXPECT_EQ(Text(Lookup(**zone, "a.", "A")), "answer A");
  EXPECT_EQ(Text(Lookup(**zone, "www.tld.", "A")), "delegation NS at 4");
  EXPECT_EQ(Text(Lookup(**zone, "x.y.", "TXT")), "answer TXT wildcard");
}

// The longest names: 127 labels, all of them there, and a wildcard whose
// encloser leaves room for exactly one label of one byte.
TEST(ZoneLookup, TakesNamesOfFullLength) {
  std::string longest;
  for (int i = 0; i < 127; ++i) longest += "a.";
  std::string above = longest.substr(2);
  auto zone = ParseZone(
      ".", "root",
      absl::StrCat("$TTL 60\n@ SOA a. b. 1 2 3 4 5\n@ NS a.\n", longest,
                   " TXT x\n*.", above, " A ", "192.0.2.1\n"));
  ASSERT_TRUE(zone.ok()) << zone.status().message();
  EXPECT_EQ(WireName(longest).size(), 255u);
  EXPECT_EQ(Text(Lookup(**zone, longest, "TXT")), "answer TXT");
  EXPECT_EQ(Text(Lookup(**zone, "b." + above, "A")), "answer A wildcard");
  EXPECT_EQ(Text(Lookup(**zone, "b.b." + above.substr(2), "A")), "nxdomain");
  EXPECT_EQ(Text(Lookup(**zone, above, "A")), "nodata");
}

}  // namespace
}  // namespace dnsd
