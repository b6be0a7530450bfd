// Prepared queries from the State to answers: entries, what makes them dirty,
// and what Respond() says. Templates above all: responder_diff_test asks for
// ordinary queries.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/catalog_maker.h"
#include "tests/testing/rr_text.h"
#include "tests/zones/view_dump.h"
#include "zones/responder.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::BuildQuery;
using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using testing::MakePreparedQuery;
using testing::MakeQueryTemplate;
using testing::Message;
using testing::ParseMessage;
using testing::ViewLine;

std::string Joined(const std::vector<std::string>& texts) {
  std::string joined;
  for (const std::string& text : texts) {
    joined += (joined.empty() ? "" : " | ") + text;
  }
  return joined;
}

// A state, a line of views over it, and questions to the newest one.
class Catalog {
 public:
  explicit Catalog(const ZonePolicy& policy = {}) {
    line_.builder().SetPolicy(policy);
    Apply(BatchMaker().Put(MakeNode("n1", "10.0.0.1")));
  }

  void Apply(const BatchMaker& batch) {
    line_.Publish(state_, batch.ApplyTo(&state_));
  }

  // "NXDOMAIN", "pending geo-db of dc1", or the records of ANSWER.
  std::string Ask(const std::string& name, const std::string& type = "A") {
    const std::string packet =
        BuildQuery(name, testing::TypeFromText(type), {});
    const Response response = Respond(WireBytes(packet), Transport::kTcp,
                                      line_.view(), &context_, out_.data());
    const AskedKey& asked = context_.asked;
    if (response.outcome == Outcome::kPending) {
      EXPECT_EQ(response.size, 0u);
      EXPECT_EQ(asked.kind, AskedKey::kQuery);
      std::string text = NameToText(Labels());
      text.pop_back();
      return absl::StrCat("pending ", text, " of ",
                          line_.view().datacenters[asked.datacenter]);
    }
    EXPECT_EQ(asked.kind, AskedKey::kNothing);
    EXPECT_EQ(ParseMessage({out_.data(), response.size}, &message_), "");
    if (message_.rcode() != 0) return testing::RcodeText(message_.rcode());
    if (message_.answer.empty()) return "NODATA";
    return Joined(testing::SortedTexts(message_.answer));
  }
  std::string Additional() const {
    return Joined(testing::SortedTexts(message_.additional));
  }

  // Asks; when that has to wait, does what the server does, and asks again.
  std::string AskTwice(const std::string& name, const std::string& type = "A") {
    const std::string first = Ask(name, type);
    if (first.rfind("pending", 0) != 0) return first;
    EXPECT_TRUE(line_.builder().AskQuery(context_.asked.datacenter, Labels()));
    line_.Publish(state_, {});
    return Ask(name, type);
  }

  [[nodiscard]] State& state() { return state_; }
  [[nodiscard]] ViewLine& line() { return line_; }

 private:
  std::span<const uint8_t> Labels() const {
    return {context_.asked.name, context_.asked.name_size};
  }

  State state_;
  ViewLine line_;
  RespondContext context_;
  Message message_;
  std::vector<uint8_t> out_ = std::vector<uint8_t>(kResponseBytesMax);
};

const NodeKey kN1 = {"dc1", "n1"};

BatchMaker WebAndQuery() {
  BatchMaker batch;
  batch.Put(kN1, MakeInstance("w", "web", "10.1.0.1", 8080));
  batch.Put(MakePreparedQuery("1d", "My-Query", "web"));
  return batch;
}

TEST(QueryEntries, ANameAnIdAndRfc2782AnswerAsTheService) {
  Catalog catalog;
  catalog.Apply(WebAndQuery());
  EXPECT_EQ(catalog.Ask("My-QUERY.query.consul."),
            "My-QUERY.query.consul. 0 IN A 10.1.0.1");
  EXPECT_EQ(catalog.Ask("1D.query.dc1.consul."),
            "1D.query.dc1.consul. 0 IN A 10.1.0.1");
  EXPECT_EQ(catalog.Ask("_my-query._tcp.query.consul.", "SRV"),
            "_my-query._tcp.query.consul. 0 IN SRV 1 1 8080 "
            "0a010001.addr.dc1.consul.");
  EXPECT_EQ(catalog.Additional(), "0a010001.addr.dc1.consul. 0 IN A 10.1.0.1");
  EXPECT_EQ(catalog.Ask("my-query.query.consul.", "AAAA"), "NODATA");
  EXPECT_EQ(catalog.Ask("none.query.consul."), "NXDOMAIN");
  EXPECT_EQ(catalog.Ask("my-query.query.dc9.consul."), "NXDOMAIN");
  EXPECT_EQ(catalog.Ask("my-query.query.dc1.dc.consul."), "NXDOMAIN");
  EXPECT_EQ(catalog.Ask("query.consul."), "NODATA");
}

TEST(QueryEntries, FollowDefinitionAndService) {
  Catalog catalog;
  catalog.Apply(WebAndQuery());
  const std::string answer = "my-query.query.consul. 0 IN A 10.1.0.1";
  EXPECT_EQ(catalog.Ask("my-query.query.consul."), answer);
  catalog.Apply(
      BatchMaker().Put(kN1, MakeCheck("c", "w", HealthStatus::kCritical)));
  EXPECT_EQ(catalog.Ask("my-query.query.consul."), "NXDOMAIN");
  PreparedQuery query = MakePreparedQuery("1d", "My-Query", "Web");
  query.ignore_check_ids = {"c"};
  catalog.Apply(BatchMaker().Put(query));
  EXPECT_EQ(catalog.Ask("my-query.query.consul."), answer);
  // What ignores the check still gets its status: it is the SRV's weight.
  EXPECT_EQ(catalog.Ask("my-query.query.consul.", "SRV"),
            "my-query.query.consul. 0 IN SRV 1 0 8080 "
            "0a010001.addr.dc1.consul.");
  query.name = "other";
  catalog.Apply(BatchMaker().Put(query));
  EXPECT_EQ(catalog.Ask("my-query.query.consul."), "NXDOMAIN");
  EXPECT_EQ(catalog.Ask("other.query.consul."),
            "other.query.consul. 0 IN A 10.1.0.1");
  catalog.Apply(BatchMaker().DropInstance(kN1, "w"));
  EXPECT_EQ(catalog.Ask("other.query.consul."), "NXDOMAIN");
  catalog.Apply(BatchMaker().Put(kN1, MakeInstance("w", "WEB", "10.1.0.2")));
  EXPECT_EQ(catalog.Ask("1d.query.consul."),
            "1d.query.consul. 0 IN A 10.1.0.2");
  catalog.Apply(BatchMaker().DropQuery("1D"));
  EXPECT_EQ(catalog.Ask("other.query.consul."), "NXDOMAIN");
  EXPECT_EQ(catalog.Ask("1d.query.consul."), "NXDOMAIN");
}

TEST(QueryEntries, TtlIsTheQuerysOrTheServices) {
  ZonePolicy policy;
  policy.service_ttl = {{"web", 9}, {"w*", 3}};
  policy.only_passing = true;  // which is not for queries
  Catalog catalog(policy);
  catalog.Apply(WebAndQuery());
  catalog.Apply(
      BatchMaker().Put(kN1, MakeCheck("c", "w", HealthStatus::kWarning)));
  struct Case {
    const char* ttl;
    const char* service;
    const char* wanted;
  };
  const Case kCases[] = {{"", "web", "9"},
                         {"", "Web", "0"},  // as spelt in the query
                         {"10s", "web", "10"},
                         {"1m30s", "web", "90"},
                         {"1.9s", "web", "1"},
                         {"500ms", "web", "0"},
                         {"0", "web", "0"},
                         {"-5s", "web", "0"},
                         {"nonsense", "web", "0"},
                         {"999999h", "web", "2147483647"},
                         {"inf", "web", "2147483647"}};
  for (const Case& c : kCases) {
    PreparedQuery query = MakePreparedQuery("1d", "q", c.service);
    query.ttl = c.ttl;
    catalog.Apply(BatchMaker().Put(query));
    EXPECT_EQ(catalog.Ask("q.query.consul."),
              absl::StrCat("q.query.consul. ", c.wanted, " IN A 10.1.0.1"))
        << c.ttl;
  }
}

TEST(QueryEntries, FailoverAnswersWithTheOtherDatacentersNames) {
  ZonePolicy policy;
  policy.disable_compression = true;  // which borrows names from each other
  Catalog catalog(policy);
  BatchMaker batch = WebAndQuery();
  Node far = MakeNode("far", "10.9.0.1", "dc9");
  far.meta = {{"k", "v"}};
  batch.Put(far);
  batch.Put({"dc9", "far"}, MakeInstance("db", "db", "", 5432));
  PreparedQuery query = MakePreparedQuery("2d", "db", "db");
  query.failover_datacenters = {"dc7", "dc9"};
  batch.Put(query);
  catalog.Apply(batch);
  EXPECT_EQ(catalog.Ask("db.query.consul.", "SRV"),
            "db.query.consul. 0 IN SRV 1 1 5432 far.node.dc9.consul.");
  EXPECT_EQ(catalog.Additional(),
            "far.node.dc9.consul. 0 IN A 10.9.0.1 | "
            "far.node.dc9.consul. 0 IN TXT \"k=v\"");
  // The texts' owner is written out where the target is another name.
  catalog.Apply(BatchMaker().Put({"dc9", "far"},
                                 MakeInstance("db", "db", "10.9.9.9", 5432)));
  EXPECT_EQ(catalog.Ask("db.query.consul.", "SRV"),
            "db.query.consul. 0 IN SRV 1 1 5432 0a090909.addr.dc9.consul.");
  EXPECT_EQ(catalog.Additional(),
            "0a090909.addr.dc9.consul. 0 IN A 10.9.9.9 | "
            "far.node.dc9.consul. 0 IN TXT \"k=v\"");
  catalog.Apply(BatchMaker().Put({"dc9", "far"}, MakeInstance("db", "db")));
  // A new datacenter that stands before it.
  catalog.Apply(BatchMaker()
                    .Put(MakeNode("mid", "10.7.0.1", "dc7"))
                    .Put({"dc7", "mid"}, MakeInstance("db", "db")));
  EXPECT_EQ(catalog.Ask("db.query.consul."),
            "db.query.consul. 0 IN A 10.7.0.1");
  catalog.Apply(BatchMaker().DropNode({"dc7", "mid"}));
  EXPECT_EQ(catalog.Ask("db.query.consul."),
            "db.query.consul. 0 IN A 10.9.0.1");
  // And the own datacenter before all.
  catalog.Apply(BatchMaker().Put(kN1, MakeInstance("db", "DB")));
  EXPECT_EQ(catalog.Ask("db.query.consul."),
            "db.query.consul. 0 IN A 10.0.0.1");
  catalog.Apply(BatchMaker().DropInstance(kN1, "db").DropNode({"dc9", "far"}));
  EXPECT_EQ(catalog.Ask("db.query.consul."), "NXDOMAIN");
}

TEST(QueryEntries, QueriesOfADatacenterComeAndGoWithIt) {
  Catalog catalog;
  BatchMaker batch;
  batch.Put(MakePreparedQuery("2d", "web", "web"), "dc9");
  batch.Put(MakeQueryTemplate("3d", "t-", "web"), "dc9");
  catalog.Apply(batch);  // the queries before a node
  EXPECT_EQ(catalog.Ask("web.query.dc9.consul."), "NXDOMAIN");
  for (int round = 0; round < 2; ++round) {
    catalog.Apply(BatchMaker()
                      .Put(MakeNode("far", "10.9.0.1", "dc9"))
                      .Put({"dc9", "far"}, MakeInstance("web", "web")));
    EXPECT_EQ(catalog.Ask("web.query.dc9.consul."),
              "web.query.dc9.consul. 0 IN A 10.9.0.1");
    EXPECT_EQ(catalog.AskTwice("t-x.query.dc9.consul."),
              "t-x.query.dc9.consul. 0 IN A 10.9.0.1");
    EXPECT_EQ(catalog.Ask("web.query.consul."), "NXDOMAIN");
    catalog.Apply(BatchMaker().DropNode({"dc9", "far"}));
    EXPECT_EQ(catalog.Ask("web.query.dc9.consul."), "NXDOMAIN");
    // Its place may be another's now.
    catalog.Apply(BatchMaker().Put(MakeNode("o", "10.8.0.1", "dc8")));
    EXPECT_EQ(catalog.Ask("web.query.dc8.consul."), "NXDOMAIN");
    EXPECT_EQ(catalog.Ask("t-x.query.dc8.consul."), "NXDOMAIN");
    catalog.Apply(BatchMaker().DropNode({"dc8", "o"}));
  }
}

TEST(QueryEntries, DatacentersWithoutNodesHaveQueriesWhenTheyAreKnown) {
  Catalog catalog;
  BatchMaker batch = WebAndQuery();
  PreparedQuery query = MakePreparedQuery("2d", "web", "web");
  query.failover_datacenters = {"dc1"};
  batch.Put(query, "dc9");
  catalog.Apply(batch);
  EXPECT_EQ(catalog.Ask("web.query.dc9.consul."), "NXDOMAIN");
  catalog.line().builder().SetDatacenters({{"dc9"}});
  catalog.Apply(BatchMaker());
  EXPECT_EQ(catalog.Ask("web.query.dc9.consul."),
            "web.query.dc9.consul. 0 IN A 10.1.0.1");
  catalog.line().builder().SetDatacenters({});
  catalog.Apply(BatchMaker());
  EXPECT_EQ(catalog.Ask("web.query.dc9.consul."), "NXDOMAIN");
}

TEST(QueryEntries, NamesThatDnsCannotSpellAreLeftOut) {
  Catalog catalog;
  catalog.Apply(WebAndQuery());
  const size_t before = catalog.line().view().table.size();
  BatchMaker batch;
  int id = 0;
  for (const std::string& name :
       {std::string("a..b"), std::string("a."), std::string("a b"),
        std::string("a\\b"), std::string("\xc3\xa9"), std::string("a@b"),
        std::string(64, 'x')}) {
    batch.Put(MakePreparedQuery(absl::StrCat("id-", id++), name, "web"));
  }
  catalog.Apply(batch);
  EXPECT_EQ(catalog.line().view().table.size(),
            before + static_cast<size_t>(id));  // their ids
  EXPECT_EQ(catalog.Ask("id-6.query.consul."),
            "id-6.query.consul. 0 IN A 10.1.0.1");
  EXPECT_EQ(catalog.Ask("a\\032b.query.consul."), "NXDOMAIN");
}

TEST(QueryEntries, EmptyNonTerminalsStandAboveDottedNames) {
  Catalog rfc;
  ZonePolicy policy;
  policy.compat = Compat::kConsul;
  Catalog consul(policy);
  for (Catalog* catalog : {&rfc, &consul}) {
    const std::string none = catalog == &rfc ? "NODATA" : "NXDOMAIN";
    catalog->Apply(WebAndQuery()
                       .Put(MakePreparedQuery("2d", "with.two.Dots", "web"))
                       .Put(MakePreparedQuery("3d", "x.dots", "none")));
    EXPECT_EQ(catalog->Ask("with.two.dots.query.consul."),
              "with.two.dots.query.consul. 0 IN A 10.1.0.1");
    EXPECT_EQ(catalog->Ask("two.dots.query.consul."), none);
    EXPECT_EQ(catalog->Ask("Dots.query.dc1.consul."), none);
    EXPECT_EQ(catalog->Ask("x.dots.query.consul."), "NXDOMAIN");
    EXPECT_EQ(catalog->Ask("wo.dots.query.consul."), "NXDOMAIN");
    EXPECT_EQ(catalog->Ask("_tcp.query.consul."), none);
    catalog->Apply(BatchMaker().DropQuery("2d"));
    EXPECT_EQ(catalog->Ask("two.dots.query.consul."), "NXDOMAIN");
    EXPECT_EQ(catalog->Ask("dots.query.consul."), none);
    catalog->Apply(BatchMaker().DropQuery("3d"));
    EXPECT_EQ(catalog->Ask("dots.query.consul."), "NXDOMAIN");
  }
}

TEST(QueryEntries, TheIdOfATemplateCannotBeAsked) {
  Catalog rfc;
  ZonePolicy policy;
  policy.compat = Compat::kConsul;
  Catalog consul(policy);
  for (Catalog* catalog : {&rfc, &consul}) {
    catalog->Apply(WebAndQuery().Put(MakeQueryTemplate("7d", "", "web")));
    const std::string failed = catalog == &rfc ? "NXDOMAIN" : "SERVFAIL";
    EXPECT_EQ(catalog->Ask("7d.query.consul."), failed);
    EXPECT_EQ(catalog->Ask("_7d._tcp.query.consul.", "SRV"), failed);
    EXPECT_EQ(catalog->Ask("_._tcp.query.consul."), failed);
    catalog->Apply(BatchMaker().Put(MakePreparedQuery("7d", "", "web")));
    EXPECT_EQ(catalog->Ask("7d.query.consul."),
              "7d.query.consul. 0 IN A 10.1.0.1");
  }
}

TEST(QueryEntries, ATemplatesNameWaitsUntilSomebodyHasAsked) {
  Catalog catalog;
  catalog.Apply(WebAndQuery()
                    .Put(MakeQueryTemplate("2d", "Geo-", "${name.suffix}"))
                    .Put(MakeQueryTemplate("3d", "geo-a.", "${name.suffix}")));
  EXPECT_EQ(catalog.Ask("ge.query.consul."), "NXDOMAIN");
  EXPECT_EQ(catalog.Ask("GEO-Web.query.consul."), "pending geo-web of dc1");
  EXPECT_EQ(catalog.Ask("_geo-web._tcp.query.dc1.consul.", "SRV"),
            "pending geo-web of dc1");
  EXPECT_EQ(catalog.Ask("geo-a.web.query.consul."), "pending geo-a.web of dc1");
  // The name is in lower case by then, so the prefix is not cut off.
  EXPECT_EQ(catalog.AskTwice("GEO-Web.query.consul."), "NXDOMAIN");
  EXPECT_EQ(catalog.AskTwice("geo-a.web.query.consul."),
            "geo-a.web.query.consul. 0 IN A 10.1.0.1");
  EXPECT_EQ(catalog.Ask("_GEO-a.web._x.query.consul.", "TXT"), "NODATA");
  catalog.Apply(
      BatchMaker().Put(MakeQueryTemplate("2d", "geo-", "${name.suffix}")));
  EXPECT_EQ(catalog.Ask("GEO-Web.query.consul."),
            "GEO-Web.query.consul. 0 IN A 10.1.0.1");
  // A stronger definition, and back.
  catalog.Apply(BatchMaker().Put(MakePreparedQuery("4d", "geo-web", "none")));
  EXPECT_EQ(catalog.Ask("geo-web.query.consul."), "NXDOMAIN");
  catalog.Apply(BatchMaker().DropQuery("4d"));
  EXPECT_EQ(catalog.Ask("geo-web.query.consul."),
            "geo-web.query.consul. 0 IN A 10.1.0.1");
  // The services it came to lean on.
  catalog.Apply(BatchMaker().Put(kN1, MakeInstance("w", "web", "10.1.0.7")));
  EXPECT_EQ(catalog.Ask("geo-web.query.consul."),
            "geo-web.query.consul. 0 IN A 10.1.0.7");
  EXPECT_EQ(catalog.AskTwice("geo-db.query.consul."), "NXDOMAIN");
  catalog.Apply(BatchMaker().Put(kN1, MakeInstance("d", "db")));
  EXPECT_EQ(catalog.Ask("geo-db.query.consul."),
            "geo-db.query.consul. 0 IN A 10.0.0.1");
  catalog.Apply(BatchMaker().DropQuery("2d").DropQuery("3d"));
  EXPECT_EQ(catalog.Ask("geo-web.query.consul."), "NXDOMAIN");
  EXPECT_EQ(catalog.Ask("geo-other.query.consul."), "NXDOMAIN");
}

TEST(QueryEntries, OnlyNamesThatBeginLikeATemplateWait) {
  Catalog catalog;
  catalog.Apply(WebAndQuery().Put(MakeQueryTemplate("2d", "x.yy.z", "web")));
  for (const char* name : {"x.yy.z", "x.yy.zz", "x.yy.z.a", "X.YY.Z-"}) {
    EXPECT_EQ(catalog.Ask(absl::StrCat(name, ".query.consul.")),
              absl::StrCat("pending ", AsciiLower(name), " of dc1"));
  }
  for (const char* name : {"x", "x.yy", "x.yy.y", "x-yy-z", "x-yy.z", "x.yyz",
                           "xx.yy.z", "x.yy\\.z", "a.x.yy.z"}) {
    EXPECT_EQ(catalog.Ask(absl::StrCat(name, ".query.consul.")),
              std::string(name) == "x.yy\\.z" ? "pending x.yy\\.z of dc1"
                                              : "NXDOMAIN")
        << name;
  }
  // A dot inside a label looks like one between two until it is compiled.
  EXPECT_EQ(catalog.AskTwice("x.yy\\.z.query.consul."), "NXDOMAIN");
}

TEST(QueryEntries, ACatchAllSeesNamesAsConsulSpellsThem) {
  Catalog catalog;
  PreparedQuery query = MakeQueryTemplate("2d", "", "${match(1)}");
  query.regexp = "^(.*)\\\\032$";  // a name that ends in an escaped blank
  catalog.Apply(WebAndQuery().Put(query));
  EXPECT_EQ(catalog.AskTwice("web.query.consul."), "NXDOMAIN");
  EXPECT_EQ(catalog.AskTwice("web\\007.query.consul."), "NXDOMAIN");
  query.regexp = "^(.*)\\\\007$";
  catalog.Apply(BatchMaker().Put(query));
  EXPECT_EQ(catalog.Ask("web\\007.query.consul."),
            "web\\007.query.consul. 0 IN A 10.1.0.1");
  query.regexp = "^(.*)\\\\\\.$";  // "web\."
  catalog.Apply(BatchMaker().Put(query));
  EXPECT_EQ(catalog.AskTwice("web\\..query.consul."),
            "web\\..query.consul. 0 IN A 10.1.0.1");
}

TEST(QueryEntries, ChainsOfCnamesFollowQueries) {
  Catalog catalog;
  catalog.Apply(
      WebAndQuery()
          .Put(MakeQueryTemplate("2d", "t-", "web"))
          .Put(kN1, MakeInstance("a", "alias", "my-query.query.consul"))
          .Put(kN1, MakeInstance("b", "late", "t-web.query.consul")));
  EXPECT_EQ(catalog.Ask("alias.service.consul."),
            "alias.service.consul. 0 IN CNAME my-query.query.consul. | "
            "my-query.query.consul. 0 IN A 10.1.0.1");
  EXPECT_EQ(catalog.Ask("late.service.consul."), "pending t-web of dc1");
  EXPECT_EQ(catalog.AskTwice("late.service.consul."),
            "late.service.consul. 0 IN CNAME t-web.query.consul. | "
            "t-web.query.consul. 0 IN A 10.1.0.1");
}

TEST(QueryEntries, AnInstanceThatIsCalledAsTheQuestionShowsItsNode) {
  Catalog catalog;
  catalog.Apply(WebAndQuery()
                    .Put(kN1, MakeInstance("s", "self", "self.query.consul"))
                    .Put(MakePreparedQuery("2d", "self", "self")));
  EXPECT_EQ(catalog.Ask("self.query.consul."),
            "self.query.consul. 0 IN A 10.0.0.1");
}

}  // namespace
}  // namespace dnsd
