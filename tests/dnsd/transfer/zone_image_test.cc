// Zones as messages: read back by ldns they have every record once between two
// SOAs, and the catalog's says what DNS answers, question by question.
#include "dnsd/transfer/zone_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/catalog_maker.h"
#include "tests/testing/rr_text.h"
#include "zones/catalog_zone.h"
#include "zones/responder.h"
#include "zones/view_builder.h"
#include "zones/zone_file.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using testing::LowerName;
using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using ::testing::Not;
using testing::Rr;
using testing::RrText;

constexpr size_t kNoLimit = SIZE_MAX;
const NodeKey kNode{"dc1", "n1"};

// All records of the messages, in their order.
std::vector<Rr> Records(const ZoneImage& image) {
  std::vector<Rr> records;
  size_t bytes = 0;
  for (size_t i = 0; i < image.messages.size(); ++i) {
    const std::string& message = image.messages[i];
    testing::Message read;
    EXPECT_EQ(testing::ParseMessage(WireBytes(message), &read), "");
    EXPECT_EQ(read.has_question, i == 0);
    EXPECT_TRUE(read.authority.empty() && read.additional.empty());
    records.insert(records.end(), read.answer.begin(), read.answer.end());
    bytes += message.size();
  }
  EXPECT_EQ(image.record_count, records.size());
  EXPECT_EQ(image.bytes, bytes);
  return records;
}

// The records between the SOAs, which must be equal.
std::vector<std::string> Texts(const ZoneImage& image) {
  const std::vector<Rr> records = Records(image);
  std::vector<std::string> texts;
  if (records.size() < 2) return texts;
  EXPECT_EQ(RrText(records.front()), RrText(records.back()));
  EXPECT_EQ(records.front().type, kTypeSoa);
  for (size_t i = 1; i + 1 < records.size(); ++i) {
    texts.push_back(RrText(records[i]));
    EXPECT_NE(records[i].type, kTypeSoa);
  }
  const std::set<std::string> unique(texts.begin(), texts.end());
  EXPECT_EQ(unique.size(), texts.size()) << "a record comes twice";
  return texts;
}

std::unique_ptr<const View> MakeView(const BatchMaker& batch,
                                     ZonePolicy policy = {}) {
  State state;
  (void)batch.ApplyTo(&state);
  policy.node_name = "n1";
  return BuildView(state, policy, {}, 7);
}

// Some of everything the catalog may have.
BatchMaker MakeCatalog() {
  Node n1 = MakeNode("n1", "10.0.0.1");
  n1.id = "0a1b2c3d-0000-0000-0000-000000000001";
  n1.meta = {{"zone", "a"}, {"rfc1035-owner", "me"}};
  ServiceInstance warning = MakeInstance("web3", "web", "10.1.0.3", 82, {"v2"});
  ServiceInstance virtual_ip = MakeInstance("mesh1", "mesh", "", 90);
  virtual_ip.tagged_addresses["consul-virtual"] = {"240.0.0.1", 90};
  return BatchMaker()
      .Put(n1)
      .Put(MakeNode("n2", "2001:db8::2"))
      .Put(MakeNode("n3.rack", "10.0.0.3"))
      .Put(MakeNode("named", "host.example.com"))
      .Put(MakeNode("far", "10.9.0.1", "dc2"))
      .Put(kNode, MakeInstance("web1", "web", "10.1.0.1", 80,
                               {"v1", "Primary", "a.b", "tcp"}))
      .Put(NodeKey{"dc1", "n2"}, MakeInstance("web2", "Web", "", 81, {"v2"}))
      .Put(kNode, warning)
      .Put(kNode, MakeCheck("c3", "web3", HealthStatus::kWarning))
      .Put(kNode, MakeInstance("sick", "web", "10.1.0.66", 83))
      .Put(kNode, MakeCheck("c4", "sick", HealthStatus::kCritical))
      .Put(kNode, MakeInstance("ext", "ext", "www.example.com", 443, {"x"}))
      .Put(kNode, virtual_ip)
      .Put(NodeKey{"dc2", "far"}, MakeInstance("web", "web", "10.9.0.2"));
}

std::vector<std::string> CatalogTexts(const View& view) {
  const auto image = MakeCatalogImage(view, view.domains[0], kNoLimit);
  return image == nullptr ? std::vector<std::string>() : Texts(*image);
}

TEST(ZoneImageTest, AFileIsWhatItSays) {
  const auto zone = ParseZone("example.test.", "z", R"($TTL 300
@ SOA ns hostmaster 5 3600 600 86400 60
@ NS ns
ns A 192.0.2.1
a.b.c TXT "deep" "er"
*.w MX 10 mail.example.org.
sub NS ns.sub
ns.sub A 192.0.2.2
)");
  ASSERT_TRUE(zone.ok()) << zone.status();
  const auto image = MakeFileImage(**zone, kNoLimit);
  ASSERT_NE(image, nullptr);
  EXPECT_EQ(image->serial, 5u);
  EXPECT_THAT(Texts(*image),
              ::testing::UnorderedElementsAre(
                  "example.test. 300 IN NS ns.example.test.",
                  "ns.example.test. 300 IN A 192.0.2.1",
                  "a.b.c.example.test. 300 IN TXT \"deep\" \"er\"",
                  "*.w.example.test. 300 IN MX 10 mail.example.org.",
                  "sub.example.test. 300 IN NS ns.sub.example.test.",
                  "ns.sub.example.test. 300 IN A 192.0.2.2"));
}

TEST(ZoneImageTest, ALargeZoneIsManyMessages) {
  std::string text = "$TTL 1\n@ SOA ns hostmaster 5 1 1 1 1\n@ NS ns\n";
  for (int i = 0; i < 5'000; ++i) {
    absl::StrAppend(&text, "h", i, ".sub", i % 10, " A 192.0.2.1\n");
  }
  // Near the most that one record may have.
  absl::StrAppend(&text, "large TXT");
  for (int i = 0; i < 240; ++i) {
    absl::StrAppend(&text, " \"", std::string(255, 'x'), "\"");
  }
  text += "\n";
  const auto zone = ParseZone("example.test.", "z", text);
  ASSERT_TRUE(zone.ok()) << zone.status();
  const auto image = MakeFileImage(**zone, kNoLimit);
  ASSERT_NE(image, nullptr);
  EXPECT_GT(image->messages.size(), 6u);
  EXPECT_EQ(Texts(*image).size(), 5'002u);
  // Owners are compressed: a record has some 20 bytes more than its address.
  EXPECT_LT(image->bytes, 5'000u * 26 + 65'000);
  EXPECT_EQ(MakeFileImage(**zone, image->bytes - 1), nullptr);
  EXPECT_NE(MakeFileImage(**zone, image->bytes), nullptr);
}

class CatalogImageTest : public ::testing::TestWithParam<Compat> {
 protected:
  static ZonePolicy Policy() {
    ZonePolicy policy;
    policy.compat = GetParam();
    policy.alt_domain = "alt.test.";
    policy.service_ttl["*"] = 30;
    policy.node_ttl = 20;
    policy.has_secondaries = true;
    return policy;
  }
};

// Every RRset of the zone is what DNS answers for its name and type.
TEST_P(CatalogImageTest, SaysWhatDnsAnswers) {
  const auto view = MakeView(MakeCatalog(), Policy());
  for (const Domain& domain : view->domains) {
    const auto image = MakeCatalogImage(*view, domain, kNoLimit);
    ASSERT_NE(image, nullptr);
    std::map<std::pair<std::string, uint16_t>, std::set<std::string>> sets;
    for (const Rr& rr : Records(*image)) {
      sets[{rr.owner, rr.type}].insert(RrText(rr));
    }
    EXPECT_GT(sets.size(), 50u);
    RespondContext context;
    std::vector<uint8_t> out(kResponseBytesMax);
    for (const auto& [key, records] : sets) {
      const auto& [owner, type] = key;
      // Names of Consul's whose answers are its own (zones/README.md).
      if (GetParam() == Compat::kConsul &&
          (type == kTypeNs || (type == kTypeSoa && domain.label_count > 1))) {
        continue;
      }
      // Consul knows no CNAME of a node but in its addresses.
      const uint16_t asked = type == kTypeCname ? uint16_t{kTypeA} : type;
      const std::string query = testing::BuildQuery(
          testing::NameText(owner), asked, testing::QueryOptions());
      const Response response = Respond(WireBytes(query), Transport::kTcp,
                                        *view, &context, out.data());
      testing::Message reply;
      ASSERT_EQ(testing::ParseMessage({out.data(), response.size}, &reply), "");
      std::set<std::string> answer;
      for (const Rr& rr : reply.answer) {
        Rr lower = rr;
        lower.owner = LowerName(rr.owner);
        if (lower.owner == owner) answer.insert(RrText(lower));
      }
      EXPECT_EQ(answer, records)
          << testing::NameText(owner) << " " << testing::TypeText(type);
    }
  }
}

TEST_P(CatalogImageTest, HasTheNamesPeopleAskFor) {
  const auto view = MakeView(MakeCatalog(), Policy());
  const std::vector<std::string> texts = CatalogTexts(*view);
  // A domain of two labels comes first.
  EXPECT_EQ(view->domains[0].label_count, 2u);
  EXPECT_THAT(
      texts,
      IsSupersetOf(
          {"web.service.alt.test. 30 IN A 10.1.0.1",
           "web.service.alt.test. 30 IN AAAA 2001:db8::2",
           "web.service.dc1.alt.test. 30 IN A 10.1.0.3",
           "v1.web.service.alt.test. 30 IN A 10.1.0.1",
           "a.b.web.service.alt.test. 30 IN A 10.1.0.1",
           "primary.web.service.alt.test. 30 IN A 10.1.0.1",
           "_web._tcp.service.alt.test. 30 IN SRV 1 1 80 "
           "0a010001.addr.dc1.alt.test.",
           "_web._v2.service.alt.test. 30 IN SRV 1 1 81 "
           "n2.node.dc1.alt.test.",
           "_web._tcp.alt.test. 30 IN SRV 1 1 81 n2.node.dc1.alt.test.",
           "0a010001.addr.dc1.alt.test. 20 IN A 10.1.0.1",
           "n2.node.dc1.alt.test. 20 IN AAAA 2001:db8::2",
           "n1.node.alt.test. 20 IN TXT \"zone=a\"",
           "n3.rack.node.alt.test. 20 IN A 10.0.0.3",
           "mesh.virtual.alt.test. 20 IN A 240.0.0.1",
           "ext.service.alt.test. 30 IN CNAME www.example.com.",
           "_ext._tcp.service.alt.test. 30 IN SRV 1 1 443 www.example.com.",
           "named.node.alt.test. 20 IN CNAME host.example.com.",
           "alt.test. 20 IN NS n1.node.dc1.alt.test."}));
  EXPECT_THAT(texts, Not(Contains(HasSubstr("10.1.0.66"))));  // critical
  EXPECT_THAT(texts, Not(Contains(HasSubstr("dc2"))));
  EXPECT_THAT(texts, Not(Contains(HasSubstr("10.9."))));
}

// What breaks secondaries: other data beside a CNAME, two CNAMEs, a target
// in the zone that is none of its names.
TEST_P(CatalogImageTest, IsAZone) {
  const auto view = MakeView(
      MakeCatalog().Put(kNode, MakeInstance("ext2", "ext", "b.example.com", 1)),
      Policy());
  const Domain& domain = view->domains[0];
  const auto image = MakeCatalogImage(*view, domain, kNoLimit);
  ASSERT_NE(image, nullptr);
  std::map<std::string, std::multiset<uint16_t>> types;
  std::vector<Rr> records = Records(*image);
  records.pop_back();
  for (const Rr& rr : records) types[rr.owner].insert(rr.type);
  for (const auto& [owner, all] : types) {
    if (all.contains(kTypeCname)) {
      EXPECT_EQ(all.size(), 1u) << testing::NameText(owner);
    }
  }
  for (const Rr& rr : records) {
    if (rr.type != kTypeSrv && rr.type != kTypeNs) continue;
    const std::string target =
        LowerName(rr.rdata.substr(rr.type == kTypeSrv ? 6 : 0));
    if (!target.ends_with(domain.wire)) continue;
    EXPECT_TRUE(types.contains(target)) << RrText(rr);
  }
  EXPECT_EQ(types[domain.wire].count(kTypeSoa), 1u);
  EXPECT_EQ(types[domain.wire].count(kTypeNs), 1u);
}

INSTANTIATE_TEST_SUITE_P(Modes, CatalogImageTest,
                         ::testing::Values(Compat::kRfc, Compat::kConsul),
                         [](const auto& mode) {
                           return mode.param == Compat::kRfc ? "rfc" : "consul";
                         });

// View::content moves with the zone, and with nothing else.
TEST(ZoneContentTest, MovesWithTheZoneOnly) {
  Qsbr qsbr;
  State state;
  ViewBuilder builder(1, &qsbr);
  ZonePolicy policy;
  policy.node_name = "n1";
  builder.SetPolicy(policy);
  std::unique_ptr<View> view =
      builder.Build(state, MakeCatalog().ApplyTo(&state), 1);
  std::vector<std::string> zone = CatalogTexts(*view);
  std::sort(zone.begin(), zone.end());

  Node renamed = MakeNode("n2", "2001:db8::9");
  const std::pair<const char*, BatchMaker> changes[] = {
      {"nothing", BatchMaker()},
      {"the same again", MakeCatalog()},
      {"a new instance",
       BatchMaker().Put(kNode, MakeInstance("w9", "web", "10.1.0.9"))},
      {"it is critical",
       BatchMaker().Put(kNode, MakeCheck("c9", "w9", HealthStatus::kCritical))},
      {"another critical one",
       BatchMaker()
           .Put(kNode, MakeInstance("w10", "web"))
           .Put(kNode, MakeCheck("c10", "w10", HealthStatus::kCritical))},
      {"an address", BatchMaker().Put(renamed)},
      {"elsewhere", BatchMaker().Put(NodeKey{"dc2", "far"},
                                     MakeInstance("x", "x", "10.9.0.7"))},
      {"gone", BatchMaker().DropInstance(kNode, "web1")},
  };
  uint32_t serial = 1;
  for (const auto& [what, batch] : changes) {
    const uint64_t content = view->content;
    // The view before must live until the next is made.
    std::unique_ptr<View> next =
        builder.Build(state, batch.ApplyTo(&state), ++serial);
    std::vector<std::string> after = CatalogTexts(*next);
    std::sort(after.begin(), after.end());
    EXPECT_EQ(content == next->content, zone == after) << what;
    zone = std::move(after);
    view = std::move(next);
    qsbr.Reclaim();
  }
  // A new policy compiles everything anew, and may change nothing.
  const uint64_t content = view->content;
  builder.SetPolicy(policy);
  std::unique_ptr<View> same = builder.Build(state, {}, ++serial);
  EXPECT_EQ(same->content, content);
  policy.soa.refresh = 1;
  builder.SetPolicy(policy);
  std::unique_ptr<View> other = builder.Build(state, {}, ++serial);
  EXPECT_NE(other->content, content);
  builder.FinishLine();
}

}  // namespace
}  // namespace dnsd
