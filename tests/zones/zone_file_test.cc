// ReadZoneFile: a file with every type compared with what ldns reads from it
// and with bytes written by hand; a table of notations; every truncation of a
// small zone. What is refused is in zone_file_errors_test.cc.
#include "zones/zone_file.h"

#include <gtest/gtest.h>
#include <ldns/ldns.h>

#include <algorithm>
#include <memory>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/testing/rr_text.h"
#include "tests/testing/temp_dir.h"

namespace dnsd {
namespace {

using testing::LowerName;
using testing::Rr;
using testing::RrText;
using testing::TypeFromText;
using testing::WireName;

// What a text needs before it is a zone: two lines, and a default TTL.
constexpr char kHead[] =
    "$TTL 60\n@ SOA ns h 7 2 3 4 5\n@ NS ns.example.net.\n";

absl::StatusOr<std::shared_ptr<const ZoneData>> Parse(const std::string& text) {
  return ParseZone("example.org.", "z", text);
}

// Every record of a zone as "OWNER TTL IN TYPE RDATA", sorted.
std::multiset<std::string> Texts(const ZoneData& zone) {
  std::multiset<std::string> texts;
  for (const auto& [owner, node] : zone.nodes) {
    for (const ZoneRrset& rrset : node.rrsets) {
      for (const std::string& rdata : rrset.rdata) {
        texts.insert(RrText(Rr{owner, rrset.type, 1, rrset.ttl, rdata}));
      }
    }
  }
  return texts;
}

// What ldns itself reads from a file, in the same form.
std::multiset<std::string> LdnsTexts(const std::string& file) {
  std::multiset<std::string> texts;
  std::unique_ptr<FILE, int (*)(FILE*)> in(fopen(file.c_str(), "r"), fclose);
  std::unique_ptr<ldns_rdf, void (*)(ldns_rdf*)> origin(
      ldns_dname_new_frm_str("example.org."), ldns_rdf_deep_free);
  ldns_zone* zone = nullptr;
  int line = 0;
  ldns_status status = ldns_zone_new_frm_fp_l(&zone, in.get(), origin.get(), 0,
                                              LDNS_RR_CLASS_IN, &line);
  EXPECT_EQ(status, LDNS_STATUS_OK)
      << line << ": " << ldns_get_errorstr_by_id(status);
  if (status != LDNS_STATUS_OK) return texts;
  ldns_zone_push_rr(zone, ldns_rr_clone(ldns_zone_soa(zone)));
  for (size_t i = 0; i < ldns_zone_rr_count(zone); ++i) {
    ldns_rr* rr = ldns_rr_list_rr(ldns_zone_rrs(zone), i);
    std::unique_ptr<ldns_buffer, void (*)(ldns_buffer*)> wire(
        ldns_buffer_new(512), ldns_buffer_free);
    EXPECT_EQ(ldns_rr_rdata2buffer_wire(wire.get(), rr), LDNS_STATUS_OK);
    const ldns_rdf* name = ldns_rr_owner(rr);
    texts.insert(RrText(
        Rr{LowerName(std::string(reinterpret_cast<char*>(ldns_rdf_data(name)),
                                 ldns_rdf_size(name))),
           static_cast<uint16_t>(ldns_rr_get_type(rr)), 1, ldns_rr_ttl(rr),
           std::string(reinterpret_cast<char*>(ldns_buffer_begin(wire.get())),
                       ldns_buffer_position(wire.get()))}));
  }
  ldns_zone_deep_free(zone);
  return texts;
}

const ZoneRrset* Find(const ZoneData& zone, const std::string& owner,
                      const std::string& type) {
  auto found = zone.nodes.find(WireName(owner));
  return found == zone.nodes.end() ? nullptr
                                   : found->second.Find(TypeFromText(type));
}

std::string Bytes(std::initializer_list<int> bytes) {
  std::string text;
  for (int byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

TEST(ZoneFile, ReadsEveryTypeAsLdnsDoes) {
  const std::string file = "tests/testdata/zones/types.zone";
  auto zone = ReadZoneFile("example.org.", file);
  ASSERT_TRUE(zone.ok()) << zone.status().message();
  std::multiset<std::string> ours = Texts(**zone);
  std::multiset<std::string> theirs = LdnsTexts(file);
  EXPECT_EQ(ours.size(), 37u);
  EXPECT_EQ(ours, theirs);
  EXPECT_EQ((*zone)->serial, 2024010203u);
  EXPECT_EQ((*zone)->apex, WireName("example.org."));
}

// Every record goes onto the wire and back through ldns unchanged.
TEST(ZoneFile, RdataIsWhatLdnsReadsBack) {
  auto zone = ReadZoneFile("example.org.", "tests/testdata/zones/types.zone");
  ASSERT_TRUE(zone.ok()) << zone.status().message();
  size_t count = 0;
  for (const std::string& text : Texts(**zone)) {
    Rr rr;
    // RrText() reads the wire; ParseRr() writes it again from the text.
    EXPECT_EQ(testing::ParseRr(text, &rr), "") << text;
    EXPECT_EQ(RrText(rr), text);
    ++count;
  }
  EXPECT_EQ(count, 37u);
}

TEST(ZoneFile, RdataIsTheBytesOfTheRfcs) {
  auto zone = ReadZoneFile("example.org.", "tests/testdata/zones/types.zone");
  ASSERT_TRUE(zone.ok()) << zone.status().message();
  struct {
    const char* owner;
    const char* type;
    std::string rdata;
  } cases[] = {
      {"ns1.example.org.", "A", Bytes({192, 0, 2, 1})},
      {"ns1.example.org.", "AAAA",
       Bytes({0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1})},
      // Letter case in rdata is kept.
      {"example.org.", "MX", Bytes({0, 10}) + "\4Mail\7Example\3ORG" + '\0'},
      {"txt.example.org.", "TXT", "\012semi;colon\015paren ( and )\005plain"},
      {"empty.example.org.", "TXT", Bytes({0})},
      {"_sip._tcp.example.org.", "SRV",
       Bytes({0, 1, 0, 2, 0x13, 0xc4}) + "\4mail\7example\3org" + '\0'},
      {"caa.example.org.", "CAA", Bytes({0, 5}) + "issueca.example.net"},
      {"unknown.example.org.", "TYPE12345", Bytes({1, 2, 3, 0xff})},
      {"nothing.example.org.", "TYPE300", ""},
      {"generic.example.org.", "MX", Bytes({0, 10, 2, 'a', 'b', 0})},
      {"svcb.example.org.", "TYPE64",
       Bytes({0, 1}) + "\4mail\7example\3org" + '\0' +
           Bytes(
               {0, 1, 0, 6, 2, 'h', '2', 2, 'h', '3', 0, 3, 0, 2, 0x20, 0xfb})},
  };
  for (const auto& c : cases) {
    const ZoneRrset* rrset = Find(**zone, c.owner, c.type);
    ASSERT_NE(rrset, nullptr) << c.owner;
    EXPECT_EQ(rrset->rdata[0], c.rdata) << c.owner;
  }
  EXPECT_NE(Find(**zone, "a\\.dot.example.org.", "A"), nullptr);
  EXPECT_NE(Find(**zone, "*escaped.example.org.", "A"), nullptr);
  EXPECT_NE(Find(**zone, "x.sub.example.org.", "A"), nullptr);
  EXPECT_NE(Find(**zone, "x.deep.example.org.", "A"), nullptr);
}

TEST(ZoneFile, UnderstandsTheNotationsOfRfc1035) {
  struct {
    const char* text;
    const char* owner;
    const char* expected;  // "TYPE RDATA" and TTL of the one record
  } cases[] = {
      {"a 5 IN A 192.0.2.1", "a", "5 IN A 192.0.2.1"},
      {"a IN 5 A 192.0.2.1", "a", "5 IN A 192.0.2.1"},
      {"a in a 192.0.2.1", "a", "60 IN A 192.0.2.1"},
      {"a CLASS1 TYPE1 192.0.2.1", "a", "60 IN A 192.0.2.1"},
      {"a 1h30m A 192.0.2.1", "a", "5400 IN A 192.0.2.1"},
      {"a 2147483647 A 192.0.2.1", "a", "2147483647 IN A 192.0.2.1"},
      {"a.example.org. A 192.0.2.1\r", "a", "60 IN A 192.0.2.1"},
      {"A.Example.ORG. A 192.0.2.1", "a", "60 IN A 192.0.2.1"},
      {"a A 192.0.2.1 ; comment", "a", "60 IN A 192.0.2.1"},
      {"a A 192.0.2.1;comment (", "a", "60 IN A 192.0.2.1"},
      {"a ( A\n\n ; c\n192.0.2.1 )", "a", "60 IN A 192.0.2.1"},
      {"( a\nA 192.0.2.1 )", "a", "60 IN A 192.0.2.1"},
      {"a A(192.0.2.1)", "a", "60 IN A 192.0.2.1"},
      {"$ttl 9\na A 192.0.2.1", "a", "9 IN A 192.0.2.1"},
      {"$ORIGIN b\na A 192.0.2.1", "a.b", "60 IN A 192.0.2.1"},
      {"$ORIGIN b\n$ORIGIN c\na A 192.0.2.1", "a.c.b", "60 IN A 192.0.2.1"},
      {"$ORIGIN net.\na.example.org. CNAME b", "a", "60 IN CNAME b.net."},
      {"a PTR @", "a", "60 IN PTR example.org."},
      {"a PTR .", "a", "60 IN PTR ."},
      {"a TXT \"b\"\"c\"", "a", "60 IN TXT \"b\" \"c\""},
      {"a TXT \"b\\\"c\\\\\" d", "a", "60 IN TXT \"b\\\"c\\\\\" \"d\""},
      {"a TXT b\\ c \\059", "a", "60 IN TXT \"b c\" \";\""},
      {"a TXT \"\t\"", "a", "60 IN TXT \"\\009\""},
      {"a CAA 0 issue ca.example", "a", "60 IN CAA 0 issue \"ca.example\""},
  };
  for (const auto& c : cases) {
    auto zone = Parse(absl::StrCat(kHead, c.text, "\n"));
    ASSERT_TRUE(zone.ok()) << c.text << ": " << zone.status().message();
    std::multiset<std::string> texts = Texts(**zone);
    std::string owner = absl::StrCat(c.owner, ".example.org.");
    std::vector<std::string> found;
    for (const std::string& text : texts) {
      if (absl::StartsWith(text, owner)) found.push_back(text);
    }
    ASSERT_EQ(found.size(), 1u) << c.text;
    Rr expected;
    ASSERT_EQ(testing::ParseRr(absl::StrCat(owner, " ", c.expected), &expected),
              "");
    EXPECT_EQ(found[0], RrText(expected)) << c.text;
  }
}

TEST(ZoneFile, ChoosesTheTtl) {
  struct {
    const char* text;
    uint32_t soa;
    uint32_t ns;
    uint32_t a;
  } cases[] = {
      {"$TTL 9\n@ SOA n h 1 2 3 4 5\n@ 7 NS n.\na A 1.2.3.4\n", 9, 7, 9},
      // Without $TTL: the record before, and an SOA its minimum.
      {"@ SOA n h 1 2 3 4 5\n@ 7 NS n.\na A 1.2.3.4\n", 5, 7, 7},
      {"@ 8 SOA n h 1 2 3 4 5\n@ NS n.\na A 1.2.3.4\n", 8, 8, 8},
      // The smallest of an RRset counts, and a repeated record is one.
      {"@ 8 SOA n h 1 2 3 4 5\n@ 6 NS n.\n@ 4 NS N.\na 3 A 1.2.3.4\n"
       "a 2 A 1.2.3.4\n",
       8, 4, 2},
  };
  for (const auto& c : cases) {
    auto zone = Parse(c.text);
    ASSERT_TRUE(zone.ok()) << zone.status().message();
    EXPECT_EQ(Find(**zone, "example.org.", "SOA")->ttl, c.soa) << c.text;
    EXPECT_EQ(Find(**zone, "example.org.", "NS")->ttl, c.ns) << c.text;
    EXPECT_EQ(Find(**zone, "a.example.org.", "A")->ttl, c.a) << c.text;
    EXPECT_EQ(Find(**zone, "example.org.", "NS")->rdata.size(), 1u);
    EXPECT_EQ(Find(**zone, "a.example.org.", "A")->rdata.size(), 1u);
  }
}

TEST(ZoneFile, KeepsTheOrderOfAnRrsetAndSortsTheTypes) {
  auto zone = Parse(absl::StrCat(kHead,
                                 "a TXT z\na A 192.0.2.9\na TXT b\n"
                                 "a A 192.0.2.1\na A 192.0.2.9\na TXT y\n"));
  ASSERT_TRUE(zone.ok()) << zone.status().message();
  const ZoneNode& node = (*zone)->nodes.at(WireName("a.example.org."));
  ASSERT_EQ(node.rrsets.size(), 2u);
  EXPECT_EQ(
      node.rrsets[0].rdata,
      (std::vector<std::string>{Bytes({192, 0, 2, 9}), Bytes({192, 0, 2, 1})}));
  EXPECT_EQ(node.rrsets[1].rdata,
            (std::vector<std::string>{"\1z", "\1b", "\1y"}));
}

TEST(ZoneFile, BlankOwnersTakeTheOneBeforeAcrossDirectives) {
  auto zone = Parse(absl::StrCat(kHead, "a A 192.0.2.1\n$ORIGIN net.\n",
                                 "\n ; nothing\n\tTXT x\n"));
  ASSERT_TRUE(zone.ok()) << zone.status().message();
  EXPECT_NE(Find(**zone, "a.example.org.", "TXT"), nullptr);
}

TEST(ZoneFile, AddsEmptyNonTerminals) {
  auto zone = Parse(absl::StrCat(kHead, "a.b.c A 192.0.2.1\n"));
  ASSERT_TRUE(zone.ok()) << zone.status().message();
  EXPECT_EQ((*zone)->nodes.size(), 4u);
  EXPECT_TRUE((*zone)->nodes.at(WireName("b.c.example.org.")).rrsets.empty());
  EXPECT_TRUE((*zone)->nodes.at(WireName("c.example.org.")).rrsets.empty());
}

TEST(ZoneFile, BoundsNamesAndData) {
  std::string label(63, 'a');
  std::string fits = absl::StrCat(label, ".", label, ".", label, ".",
                                  std::string(49, 'b'));  // + example.org.
  EXPECT_TRUE(Parse(absl::StrCat(kHead, fits, " A 1.2.3.4\n")).ok());
  EXPECT_FALSE(Parse(absl::StrCat(kHead, fits, "b A 1.2.3.4\n")).ok());
  EXPECT_FALSE(Parse(absl::StrCat(kHead, label, "a A 1.2.3.4\n")).ok());
  EXPECT_TRUE(Parse(absl::StrCat(kHead, "a CNAME ", fits, "\n")).ok());
  EXPECT_FALSE(Parse(absl::StrCat(kHead, "a CNAME ", fits, "b\n")).ok());
  std::string string(255, 't');
  EXPECT_TRUE(Parse(absl::StrCat(kHead, "a TXT ", string, "\n")).ok());
  EXPECT_FALSE(Parse(absl::StrCat(kHead, "a TXT ", string, "t\n")).ok());
  // 65,535 bytes in the generic form, and text that ldns would cut off.
  std::string hex(size_t{2} * 65535, '0');
  EXPECT_TRUE(
      Parse(absl::StrCat(kHead, "a TYPE999 \\# 65535 ", hex, "\n")).ok());
  std::string many = kHead;
  many += "a TXT";
  for (int i = 0; i < 300; ++i) absl::StrAppend(&many, " ", string);
  auto zone = Parse(many + "\n");
  ASSERT_FALSE(zone.ok());
  EXPECT_TRUE(
      absl::StrContains(zone.status().message(), "the record is too long"))
      << zone.status().message();
}

TEST(ZoneFile, NsecDataMayStandBesideACname) {
  EXPECT_TRUE(
      Parse(absl::StrCat(kHead, "a CNAME b\na NSEC c CNAME NSEC\n")).ok());
}

// Whatever a cut leaves either loads or is a message about this file.
TEST(ZoneFile, EveryTruncationLoadsOrSaysWhy) {
  std::string text = testing::ReadFile("tests/testdata/zones/minimal.zone");
  ASSERT_FALSE(text.empty());
  size_t loaded = 0;
  for (size_t size = 0; size <= text.size(); ++size) {
    // A buffer of its own, for a sanitizer to see a read beyond it.
    std::vector<char> cut(text.begin(),
                          text.begin() + static_cast<ptrdiff_t>(size));
    auto zone = ParseZone("example.org.", "z",
                          absl::string_view(cut.data(), cut.size()));
    if (zone.ok()) {
      EXPECT_NE(Find(**zone, "example.org.", "SOA"), nullptr);
      ++loaded;
    } else {
      EXPECT_TRUE(absl::StartsWith(zone.status().message(), "z:"))
          << size << ": " << zone.status().message();
    }
  }
  EXPECT_GT(loaded, 0u);
  EXPECT_LT(loaded, text.size());
}

TEST(ZoneFile, TakesNoNoticeOfAByteOrderMark) {
  EXPECT_TRUE(Parse(absl::StrCat("\xef\xbb\xbf", kHead)).ok());
}

}  // namespace
}  // namespace dnsd
