// What DNS answers show when ACLs are enabled: from tokens and rules to what
// Respond() says. tests/integration/acl_dns_diff_test.cc has random rules and
// the real Consul.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "dnsd/acl/acl.h"
#include "tests/testing/catalog_maker.h"
#include "tests/testing/rr_text.h"
#include "tests/zones/view_dump.h"
#include "zones/responder.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::BuildQuery;
using testing::Dump;
using testing::MakeInstance;
using testing::MakeNode;
using testing::MakePreparedQuery;
using testing::Message;
using testing::ParseMessage;
using testing::ViewLine;

constexpr char kSeesAll[] =
    "node_prefix \"\" { policy = \"read\" } "
    "service_prefix \"\" { policy = \"read\" } ";

std::string Deny(const std::string& what) {
  return absl::StrCat(what, " { policy = \"deny\" } ");
}

AclToken Token(const std::string& secret, const std::string& rules) {
  Problems problems;
  AclToken token{secret, secret, ParseAclRules(rules, {}, &problems)};
  EXPECT_TRUE(problems.ok()) << problems.errors()[0];
  return token;
}

// A catalog, and questions of who asks with the token "dns".
class ViewRights : public ::testing::Test {
 protected:
  ViewRights() {
    policy_.compat = Compat::kConsul;
    policy_.node_name = "n1";
    line_.builder().SetPolicy(policy_);
    Node n1 = MakeNode("n1", "10.0.0.1");
    n1.meta = {{"zone", "a"}};
    Node dotted = MakeNode("n2.rack", "10.0.0.2");
    dotted.id = "id-of-two";
    BatchMaker batch;
    batch.Put(n1).Put(dotted);
    batch.Put({"dc1", "n1"}, MakeInstance("w1", "web", "10.1.0.1", 81, {"a"}));
    batch.Put({"dc1", "n2.rack"},
              MakeInstance("w2", "web", "10.1.0.2", 82, {"a", "b"}));
    batch.Put({"dc1", "n1"}, MakeInstance("d1", "db", "10.1.0.1", 83));
    batch.Put({"dc1", "n1"}, MakeInstance("c", "consul", "", 8300));
    ServiceInstance proxy = MakeInstance("p", "web-proxy", "", 84);
    proxy.kind = ServiceKind::kConnectProxy;
    proxy.mesh.Edit().proxy_destination = "web";
    batch.Put({"dc1", "n1"}, proxy);
    batch.Put(MakePreparedQuery("1d", "q", "web"));
    Publish(batch.ApplyTo(&state_));
  }

  void Publish(const Dirty& dirty) { line_.Publish(state_, dirty); }

  // With ACLs, these rules for the token of DNS, and one more token, "more".
  void SetRules(const std::string& rules, const std::string& more = "") {
    AclOptions options;
    options.enabled = true;
    options.default_allow = false;
    options.tokens = {Token("dns", rules), Token("more", more)};
    options.dns_secret = "dns";
    line_.builder().SetRights(DnsRights(std::make_shared<const Acl>(options)));
    Publish({});
  }

  // What is found, as text: NXDOMAIN, NODATA, or the records of ANSWER.
  std::string Ask(const std::string& name, const std::string& type = "A") {
    const std::string packet =
        BuildQuery(name + ".", testing::TypeFromText(type), {});
    const Response response = Respond(WireBytes(packet), Transport::kTcp,
                                      line_.view(), &context_, out_.data());
    Message message;
    EXPECT_EQ(ParseMessage({out_.data(), response.size}, &message), "");
    if (message.rcode() != 0) return testing::RcodeText(message.rcode());
    if (message.answer.empty()) return "NODATA";
    std::string joined;
    for (const std::string& text : testing::SortedTexts(message.answer)) {
      // The data alone: behind name, TTL, class and type.
      size_t at = 0;
      for (int blanks = 0; blanks < 4; ++blanks) at = text.find(' ', at) + 1;
      absl::StrAppend(&joined, joined.empty() ? "" : " | ", text.substr(at));
    }
    return joined;
  }

  State state_;
  ZonePolicy policy_;
  ViewLine line_;
  RespondContext context_;
  std::vector<uint8_t> out_ = std::vector<uint8_t>(kResponseBytesMax);
};

TEST_F(ViewRights, AnInstanceNeedsItsServiceAndItsNode) {
  SetRules(kSeesAll);
  EXPECT_EQ(Ask("web.service.consul"), "10.1.0.1 | 10.1.0.2");
  SetRules(kSeesAll + Deny("node \"n1\""));
  EXPECT_EQ(Ask("web.service.consul"), "10.1.0.2");
  EXPECT_EQ(Ask("a.web.service.consul"), "10.1.0.2");
  EXPECT_EQ(Ask("db.service.consul"), "NXDOMAIN");
  EXPECT_EQ(Ask("_web._a.service.consul", "SRV"),
            "1 1 82 0a010002.addr.dc1.consul.");
  SetRules(kSeesAll + Deny("node \"n2.rack\""));
  EXPECT_EQ(Ask("b.web.service.consul"), "NXDOMAIN");
  SetRules(kSeesAll + Deny("service \"web\""));
  EXPECT_EQ(Ask("web.service.consul"), "NXDOMAIN");
  EXPECT_EQ(Ask("db.service.consul"), "10.1.0.1");
  SetRules("node_prefix \"\" { policy = \"read\" }");
  EXPECT_EQ(Ask("db.service.consul"), "NXDOMAIN");
}

TEST_F(ViewRights, RulesAreForNamesAsTheyWereRegistered) {
  BatchMaker batch;
  batch.Put({"dc1", "n1"}, MakeInstance("m", "MiXed", "10.1.0.9"));
  Publish(batch.ApplyTo(&state_));
  SetRules(kSeesAll + Deny("service \"mixed\""));
  EXPECT_EQ(Ask("mixed.service.consul"), "10.1.0.9");
  SetRules(kSeesAll + Deny("service \"MiXed\""));
  EXPECT_EQ(Ask("mixed.service.consul"), "NXDOMAIN");
}

TEST_F(ViewRights, ANodeIsNotThereByNameIdTextAndWhatStandsAboveIt) {
  SetRules(kSeesAll);
  EXPECT_EQ(Ask("n1.node.consul", "TXT"), "\"zone=a\"");
  EXPECT_EQ(Ask("id-of-two.node.consul"), "10.0.0.2");
  SetRules(kSeesAll + Deny("node_prefix \"n\""));
  EXPECT_EQ(Ask("n1.node.consul"), "NXDOMAIN");
  EXPECT_EQ(Ask("n1.node.consul", "TXT"), "NXDOMAIN");
  EXPECT_EQ(Ask("n2.rack.node.consul"), "NXDOMAIN");
  EXPECT_EQ(Ask("id-of-two.node.consul"), "NXDOMAIN");
  policy_.compat = Compat::kRfc;  // which says NODATA above names
  line_.builder().SetPolicy(policy_);
  Publish({});
  EXPECT_EQ(Ask("rack.node.consul"), "NXDOMAIN");
  SetRules(kSeesAll);
  EXPECT_EQ(Ask("rack.node.consul"), "NODATA");
}

// Consul finds the node by its name, and refuses it: it looks no further.
TEST_F(ViewRights, AHiddenNodesNameIsNotTheIdOfAnother) {
  Node other = MakeNode("other", "10.0.0.3");
  other.id = "n1";
  Publish(BatchMaker().Put(other).ApplyTo(&state_));
  SetRules(kSeesAll + Deny("node \"n1\""));
  EXPECT_EQ(Ask("n1.node.consul"), "NXDOMAIN");
}

TEST_F(ViewRights, AnAddressLeadsToTheFirstThatMayBeSeen) {
  const std::string one = "1.0.1.10.in-addr.arpa";
  SetRules(kSeesAll);
  EXPECT_EQ(Ask(one, "PTR"), "db.service.dc1.consul.");
  EXPECT_EQ(Ask("1.0.0.10.in-addr.arpa", "PTR"), "n1.node.dc1.consul.");
  SetRules(kSeesAll + Deny("service \"db\""));
  EXPECT_EQ(Ask(one, "PTR"), "web.service.dc1.consul.");
  SetRules(kSeesAll + Deny("node \"n1\""));
  EXPECT_EQ(Ask(one, "PTR"), "NXDOMAIN");
  EXPECT_EQ(Ask("1.0.0.10.in-addr.arpa", "PTR"), "NXDOMAIN");
  EXPECT_EQ(Ask("2.0.1.10.in-addr.arpa", "PTR"), "web.service.dc1.consul.");
}

TEST_F(ViewRights, AProxyNeedsTheServiceBehindItToo) {
  SetRules(kSeesAll);
  EXPECT_EQ(Ask("web.connect.consul", "SRV"), "1 1 84 n1.node.dc1.consul.");
  SetRules(kSeesAll + Deny("service \"web\""));
  EXPECT_EQ(Ask("web.connect.consul", "SRV"), "NXDOMAIN");
  EXPECT_EQ(Ask("web-proxy.service.consul"), "10.0.0.1");
  SetRules(kSeesAll + Deny("service \"web-proxy\""));
  EXPECT_EQ(Ask("web.connect.consul", "SRV"), "NXDOMAIN");
}

TEST_F(ViewRights, NameServersAreThoseThatMayBeSeen) {
  SetRules(kSeesAll);
  EXPECT_EQ(Ask("consul", "NS"), "n1.node.dc1.consul.");
  SetRules(kSeesAll + Deny("service \"consul\""));
  EXPECT_EQ(Ask("consul", "NS"), "NODATA");
  Publish(BatchMaker().DropInstance({"dc1", "n1"}, "c").ApplyTo(&state_));
  EXPECT_EQ(Ask("consul", "NS"), "n1.node.dc1.consul.");  // the local node
  SetRules(kSeesAll + Deny("node \"n1\""));
  EXPECT_EQ(Ask("consul", "NS"), "NODATA");
}

TEST_F(ViewRights, AQueryShowsWhatItsOwnTokenMaySee) {
  SetRules("", kSeesAll);
  EXPECT_EQ(Ask("q.query.consul"), "NXDOMAIN");
  PreparedQuery query = MakePreparedQuery("1d", "q", "web");
  query.token = "more";
  Publish(BatchMaker().Put(query).ApplyTo(&state_));
  EXPECT_EQ(Ask("q.query.consul"), "10.1.0.1 | 10.1.0.2");
  EXPECT_EQ(Ask("1d.query.consul"), "10.1.0.1 | 10.1.0.2");
  EXPECT_EQ(Ask("web.service.consul"), "NXDOMAIN");
  SetRules(kSeesAll, kSeesAll + Deny("node \"n1\""));
  EXPECT_EQ(Ask("q.query.consul"), "10.1.0.2");
  query.token = "nobody's";
  Publish(BatchMaker().Put(query).ApplyTo(&state_));
  EXPECT_EQ(Ask("q.query.consul"), "NXDOMAIN");
}

// What is hidden is as good as not there, so that another datacenter is tried.
TEST_F(ViewRights, AQueryFailsOverFromWhatIsHidden) {
  BatchMaker batch;
  batch.Put(MakeNode("far", "10.2.0.1", "dc2"));
  batch.Put({"dc2", "far"}, MakeInstance("w", "web", "10.2.0.1"));
  PreparedQuery query = MakePreparedQuery("1d", "q", "web");
  query.failover_datacenters = {"dc2"};
  Publish(batch.Put(query).ApplyTo(&state_));
  SetRules(kSeesAll);
  EXPECT_EQ(Ask("q.query.consul"), "10.1.0.1 | 10.1.0.2");
  SetRules(kSeesAll + Deny("node_prefix \"n\""));
  EXPECT_EQ(Ask("q.query.consul"), "10.2.0.1");
}

// As many names and the same bytes as a view of a catalog that has only what
// may be seen, whatever was published before.
TEST_F(ViewRights, WhatIsHiddenLeavesNoTrace) {
  SetRules(kSeesAll + Deny("node \"n2.rack\"") + Deny("service \"db\""));
  State seen;
  Node n1 = MakeNode("n1", "10.0.0.1");
  n1.meta = {{"zone", "a"}};
  BatchMaker batch;
  batch.Put(n1);
  state_.ForEachInstanceOnNode({"dc1", "n1"}, [&](const InstanceView& view) {
    if (view.instance->name != "db") batch.Put({"dc1", "n1"}, *view.instance);
  });
  batch.Put(MakePreparedQuery("1d", "q", "web"));
  batch.ApplyTo(&seen);
  EXPECT_EQ(Dump(line_.view()), Dump(*BuildView(seen, policy_, {}, 1)));
  // And without ACLs all of it is there.
  line_.builder().SetRights(DnsRights(std::make_shared<const Acl>()));
  Publish({});
  EXPECT_EQ(Dump(line_.view()), Dump(*BuildView(state_, policy_, {}, 1)));
}

}  // namespace
}  // namespace dnsd
