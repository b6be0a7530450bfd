// The grammar of consul.md 1.1 and 1.2, name by name, in both modes.
#include "zones/service_names.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/testing/catalog_maker.h"
#include "zones/view_builder.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::MakeNode;

const char* KindText(NameKind kind) {
  switch (kind) {
    case NameKind::kUnknown:
      return "unknown";
    case NameKind::kNoSuchDatacenter:
      return "no-dc";
    case NameKind::kApex:
      return "apex";
    case NameKind::kEmptyNonTerminal:
      return "empty";
    case NameKind::kService:
      return "service";
    case NameKind::kUnnamedService:
      return "unnamed";
    case NameKind::kConnect:
      return "connect";
    case NameKind::kIngress:
      return "ingress";
    case NameKind::kVirtual:
      return "virtual";
    case NameKind::kNode:
      return "node";
    case NameKind::kQuery:
      return "query";
    case NameKind::kAddr:
      return "addr";
    case NameKind::kNameserver:
      return "ns";
  }
  return "?";
}

std::string LabelsText(std::span<const uint8_t> labels) {
  std::string text;
  for (size_t at = 0; at < labels.size(); at += 1u + labels[at]) {
    if (at > 0) text += '.';
    text.append(reinterpret_cast<const char*>(&labels[at]) + 1, labels[at]);
  }
  return text;
}

class Grammar {
 public:
  explicit Grammar(Compat compat) {
    State state;
    BatchMaker()
        .Put(MakeNode("n1", "10.0.0.1", "dc1"))
        .Put(MakeNode("n2", "10.0.0.2", "dc2"))
        .ApplyTo(&state);
    ZonePolicy policy;
    policy.compat = compat;
    policy.alt_domain = "alt.example.";
    view_ = BuildView(state, policy, {}, 1);
  }

  // "service web tag=v1 dc=1 short": what is not there is left out.
  std::string Parse(const std::string& text, uint16_t qtype) const {
    std::string wire;
    EXPECT_TRUE(NameToWire(text, &wire)) << text;
    Name name;
    EXPECT_NE(
        ParseName({reinterpret_cast<const uint8_t*>(wire.data()), wire.size()},
                  &name),
        0u);
    const Domain* domain = view_->FindDomain(name);
    if (domain == nullptr) return "not ours";
    CatalogName out;
    ParseCatalogName(name, *domain, *view_, qtype, &out);
    std::string result = KindText(out.kind);
    if (out.sought == NameKind::kNode) result += " node";
    if (out.sought == NameKind::kVirtual) result += " virtual";
    const bool names_something =
        out.kind >= NameKind::kService && out.kind <= NameKind::kAddr;
    if (!names_something) return result;
    result += " " + LabelsText(out.key);
    if (out.has_tag) result += " tag=" + LabelsText(out.tag);
    if (out.datacenter != 0) result += " dc=" + std::to_string(out.datacenter);
    if (out.is_short_srv) result += " short";
    if (out.is_underscored) result += " underscored";
    return result;
  }

 private:
  std::unique_ptr<const View> view_;
};

struct Case {
  const char* name;
  uint16_t qtype;
  const char* wanted;
};

void Check(const Grammar& grammar, const Case& c) {
  EXPECT_EQ(grammar.Parse(c.name, c.qtype), c.wanted)
      << c.name << " type " << c.qtype;
}

constexpr uint16_t kA = kTypeA;
constexpr uint16_t kSrv = kTypeSrv;

// The same in both modes.
const Case kBoth[] = {
    // Services and tags; everything left of the service is one tag.
    {"web.service.consul.", kA, "service web"},
    {"WEB.Service.CONSUL.", kA, "service web"},
    {"primary.db.service.consul.", kA, "service db tag=primary"},
    {"v1.X.web.service.consul.", kA, "service web tag=v1.x"},
    {"web.service.alt.example.", kA, "service web"},
    // RFC 2782.
    {"_web._tcp.service.consul.", kSrv, "service web"},
    {"_web._tcp.service.consul.", kA, "service web"},
    {"_web._TCP.service.consul.", kSrv, "service web"},
    {"_web._udp.service.consul.", kSrv, "service web tag=udp"},
    {"_db._Primary.service.consul.", kSrv, "service db tag=primary"},
    {"_web._tcp.service.dc2.consul.", kSrv, "service web dc=1"},
    {"_web._tcp.consul.", kSrv, "service web short"},
    {"_web._v1.dc2.consul.", kSrv, "service web tag=v1 dc=1 short"},
    {"banana._db._primary.service.consul.", kSrv,
     "service _primary tag=banana._db"},
    {"_tcp.service.consul.", kA, "service _tcp underscored"},
    {"_web.tcp.service.consul.", kA, "service tcp tag=_web"},
    // A service without a name, which Consul refuses to look for.
    {"_._tcp.service.consul.", kA, "unnamed "},
    // Datacenters.
    {"web.service.dc1.consul.", kA, "service web"},
    {"web.service.DC2.consul.", kA, "service web dc=1"},
    {"web.service.dc2.dc.consul.", kA, "service web dc=1"},
    {"web.service.dc3.consul.", kA, "no-dc"},
    {"web.service.dc3.dc.consul.", kA, "no-dc"},
    {"web.service.dc1.peer.consul.", kA, "no-dc"},
    {"web.service.default.ns.dc1.dc.consul.", kA, "unknown"},
    {"web.service.dc1.extra.more.consul.", kA, "unknown"},
    {"web.service.dc1.dc.dc2.dc.consul.", kA, "service web dc=1"},
    {"web.service.p.peer.dc1.dc.consul.", kA, "unknown"},
    {"web.service.a.b.c.d.e.consul.", kA, "unknown"},
    {"n1.node.dc9.consul.", kA, "no-dc node"},
    {"node.dc9.consul.", kA, "no-dc"},
    // The keyword is the first from the right.
    {"foo.node.service.consul.", kA, "service node tag=foo"},
    {"a.service.node.consul.", kA, "node a.service"},
    {"service.service.consul.", kA, "service service"},
    {"web.service.service.consul.", kA, "service service tag=web"},
    // Nodes, dots and all.
    {"n1.node.consul.", kA, "node n1"},
    {"N1.rack2.Node.dc2.consul.", kA, "node n1.rack2 dc=1"},
    // Mesh names take the last label and have no tags.
    {"web.connect.consul.", kA, "connect web"},
    {"x.web.connect.dc2.consul.", kA, "connect web dc=1"},
    {"web.ingress.consul.", kA, "ingress web"},
    {"_tcp.connect.consul.", kA, "connect _tcp"},
    {"web.virtual.consul.", kA, "virtual web"},
    {"x.web.virtual.consul.", kA, "virtual web"},
    {"web.virtual.dc1.consul.", kA, "no-dc virtual"},
    // Addresses; their suffix is not looked at.
    {"7F000001.addr.consul.", kA, "addr 7f000001"},
    {"7f000001.addr.dc9.whatever.consul.", kA, "addr 7f000001"},
    {"x.7f000001.addr.consul.", kA, "unknown"},
    // Prepared queries.
    {"geo.query.consul.", kA, "query geo"},
    {"_geo._tcp.query.consul.", kA, "query geo"},
    {"_geo.x.Y._any.query.dc1.consul.", kA, "query geo.x.y"},
    {"a.b.query.consul.", kA, "query a.b"},
    {"_a.b.query.consul.", kA, "query _a.b"},
    {"a._b.query.consul.", kA, "query a._b"},
    {"_._tcp.query.consul.", kA, "unnamed "},
    {"_.a._tcp.query.consul.", kA, "unknown"},
    {"geo.query.dc1.dc.consul.", kA, "unknown"},
    {"geo.query.x.peer.consul.", kA, "unknown"},
    {"geo.query.dc1.dc.x.peer.consul.", kA, "unknown"},
    {"geo.query.dc7.consul.", kA, "no-dc"},
    {"_tcp.query.consul.", kA, "query _tcp underscored"},
    // No keyword at all.
    {"foo.consul.", kA, "unknown"},
    {"foo.bar.consul.", kSrv, "unknown"},
    {"foo.dc1.consul.", kA, "unknown"},
    {"consul.", kA, "apex"},
    {"CONSUL.", kA, "apex"},
    {"alt.example.", kA, "apex"},
    // Not under any domain of ours.
    {"example.", kA, "not ours"},
    {"web.service.notconsul.", kA, "not ours"},
};

TEST(ParseCatalogName, FollowsConsulsGrammarInBothModes) {
  const Grammar rfc(Compat::kRfc);
  const Grammar consul(Compat::kConsul);
  for (const Case& c : kBoth) {
    Check(rfc, c);
    Check(consul, c);
  }
}

// Names that exist in kRfc only: apex-near names and empty non-terminals.
struct Pair {
  const char* name;
  uint16_t qtype;
  const char* rfc;
  const char* consul;
};

const Pair kDifferent[] = {
    {"service.consul.", kA, "empty", "unknown"},
    {"SERVICE.alt.example.", kA, "empty", "unknown"},
    {"service.dc2.consul.", kA, "empty", "unknown"},
    {"service.dc2.dc.consul.", kA, "empty", "unknown"},
    {"node.consul.", kA, "empty", "unknown"},
    {"connect.consul.", kA, "empty", "unknown"},
    {"ingress.consul.", kA, "empty", "unknown"},
    {"virtual.consul.", kA, "empty", "unknown"},
    {"query.consul.", kA, "empty", "unknown"},
    {"addr.consul.", kA, "empty", "unknown"},
    {"addr.dc9.consul.", kA, "empty", "unknown"},
    {"dc1.consul.", kA, "empty", "unknown"},
    {"dc2.dc.consul.", kA, "empty", "unknown"},
    {"dc.consul.", kA, "empty", "unknown"},
    {"dc3.consul.", kA, "unknown", "unknown"},
    {"dc3.dc.consul.", kA, "unknown", "unknown"},
    {"service.dc3.consul.", kA, "no-dc", "no-dc"},
    {"ns.consul.", kA, "ns", "unknown"},
    {"NS.consul.", kTypeAaaa, "ns", "unknown"},
    {"x.ns.consul.", kA, "unknown", "unknown"},
    // Consul knows the short form for SRV only; in kRfc a name that has SRV
    // exists for every type.
    {"_web._tcp.consul.", kA, "service web short", "unknown"},
    {"_web._tcp.dc2.consul.", kTypeAny, "service web dc=1 short", "unknown"},
    {"_tcp.consul.", kA, "service _tcp short underscored", "unknown"},
};

TEST(ParseCatalogName, KnowsWhatExistsInRfcModeOnly) {
  const Grammar rfc(Compat::kRfc);
  const Grammar consul(Compat::kConsul);
  for (const Pair& c : kDifferent) {
    Check(rfc, {c.name, c.qtype, c.rfc});
    Check(consul, {c.name, c.qtype, c.consul});
  }
}

TEST(ParseCatalogName, ADomainWithinTheOtherTakesTheLonger) {
  State state;
  BatchMaker().Put(MakeNode("n1", "10.0.0.1")).ApplyTo(&state);
  ZonePolicy policy;
  policy.alt_domain = "test.consul.";
  const std::unique_ptr<const View> view = BuildView(state, policy, {}, 1);
  std::string wire;
  ASSERT_TRUE(NameToWire("web.service.test.consul.", &wire));
  Name name;
  ASSERT_NE(
      ParseName({reinterpret_cast<const uint8_t*>(wire.data()), wire.size()},
                &name),
      0u);
  const Domain* domain = view->FindDomain(name);
  ASSERT_NE(domain, nullptr);
  EXPECT_EQ(domain->label_count, 2u);
  CatalogName out;
  ParseCatalogName(name, *domain, *view, kA, &out);
  EXPECT_EQ(out.kind, NameKind::kService);
  EXPECT_EQ(LabelsText(out.key), "web");
}

}  // namespace
}  // namespace dnsd
