#include "catalog/prepared_query.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "catalog/query_template.h"
#include "tests/testing/catalog_maker.h"

namespace dnsd {
namespace {

using testing::MakePreparedQuery;
using testing::MakeQueryTemplate;
using Texts = std::vector<std::string>;

constexpr char kId[] = "AAAAAAAA-0000-4000-8000-000000000001";

// The service that the name leads to, "-" when to none.
std::string ServiceOf(const PreparedQuerySet& set, const std::string& name) {
  std::optional<PreparedQuery> query = set.Find(name);
  return query ? query->service : "-";
}

TEST(PreparedQuerySet, FindsByIdThenNameWithoutCase) {
  PreparedQuerySet set;
  EXPECT_TRUE(set.empty());
  EXPECT_TRUE(set.Upsert(MakePreparedQuery(kId, "Web-Q", "web")));
  EXPECT_TRUE(set.Upsert(MakePreparedQuery("2", "", "nameless")));
  EXPECT_EQ(ServiceOf(set, "web-q"), "web");
  EXPECT_EQ(ServiceOf(set, "WEB-Q"), "web");
  EXPECT_EQ(ServiceOf(set, kId), "web");
  EXPECT_EQ(ServiceOf(set, "aaaaaaaa-0000-4000-8000-000000000001"), "web");
  EXPECT_EQ(ServiceOf(set, "2"), "nameless");
  EXPECT_EQ(ServiceOf(set, "web"), "-");
  EXPECT_EQ(ServiceOf(set, ""), "-");
  EXPECT_EQ(set.size(), 2u);
}

TEST(PreparedQuerySet, SaysWhatAnUpsertChanges) {
  PreparedQuerySet set;
  EXPECT_TRUE(set.Upsert(MakePreparedQuery(kId, "a", "web")));
  EXPECT_FALSE(set.Upsert(MakePreparedQuery(kId, "a", "web")));
  EXPECT_TRUE(set.Upsert(MakePreparedQuery(kId, "b", "web")));
  EXPECT_EQ(ServiceOf(set, "a"), "-");
  EXPECT_EQ(ServiceOf(set, "b"), "web");
  EXPECT_FALSE(set.Remove("2"));
  EXPECT_TRUE(set.Remove("aaaaaaaa-0000-4000-8000-000000000001"));
  EXPECT_FALSE(set.Remove(kId));
  EXPECT_EQ(ServiceOf(set, "b"), "-");
  EXPECT_TRUE(set.empty());
}

TEST(PreparedQuerySet, OfTwoWithOneNameTheSmallerIdAnswers) {
  PreparedQuerySet set;
  set.Upsert(MakePreparedQuery("2", "q", "second"));
  set.Upsert(MakePreparedQuery("1", "Q", "first"));
  EXPECT_EQ(ServiceOf(set, "q"), "first");
  set.Remove("1");
  EXPECT_EQ(ServiceOf(set, "q"), "second");
}

TEST(PreparedQuerySet, VisitsInTheOrderOfIds) {
  PreparedQuerySet set;
  for (const char* id : {"c", "A", "b"})
    set.Upsert(MakePreparedQuery(id, "", id));
  Texts ids;
  set.ForEach([&](const PreparedQuery& query) { ids.push_back(query.id); });
  EXPECT_EQ(ids, (Texts{"A", "b", "c"}));
}

TEST(PreparedQuerySet, TheLongestPrefixAnswers) {
  PreparedQuerySet set;
  set.Upsert(MakeQueryTemplate("1", "", "any ${name.full}"));
  set.Upsert(MakeQueryTemplate("2", "Geo-", "geo ${name.suffix}"));
  set.Upsert(MakeQueryTemplate("3", "geo-db-", "db ${name.suffix}"));
  set.Upsert(MakePreparedQuery("4", "geo-db-x", "exact"));
  EXPECT_EQ(ServiceOf(set, "web"), "any web");
  EXPECT_EQ(ServiceOf(set, "geo"), "any geo");
  EXPECT_EQ(ServiceOf(set, "Geo-"), "geo ");
  EXPECT_EQ(ServiceOf(set, "Geo-d"), "geo d");
  EXPECT_EQ(ServiceOf(set, "geo-db-y"), "db y");
  EXPECT_EQ(ServiceOf(set, "GEO-DB-X"), "exact");
  EXPECT_EQ(set.TemplatePrefixes(), (Texts{"", "geo-", "geo-db-"}));
  set.Remove("3");
  // Consul finds the prefix without case but cuts off the very text only.
  EXPECT_EQ(ServiceOf(set, "geo-db-y"), "geo geo-db-y");
  EXPECT_EQ(ServiceOf(set, "Geo-db-y"), "geo db-y");
  EXPECT_EQ(set.TemplatePrefixes(), (Texts{"", "geo-"}));
}

TEST(PreparedQuerySet, ATemplateIsNotFoundByItsId) {
  PreparedQuerySet set;
  set.Upsert(MakeQueryTemplate(kId, "", "${name.full}"));
  EXPECT_EQ(ServiceOf(set, kId), "-");
  EXPECT_EQ(ServiceOf(set, "x"), "x");
}

TEST(PreparedQuerySet, RendersEveryTextOfTheService) {
  PreparedQuery query =
      MakeQueryTemplate(kId, "Geo-", "${name.suffix}", "(?i)^geo-(.)(.*)$");
  query.failover_nearest = 2;
  query.failover_datacenters = {"${match(1)}", "dc${match(2)}"};
  query.near = "${name.prefix}";
  query.tags = {"${match(9)}", "!${match(1)}", "x", ""};
  query.node_meta = {{"${k}", "${name.full}"}};
  query.service_meta = {{"m", "${match(2)}"}};
  query.ignore_check_ids = {"${match(1)}", "c"};
  query.ttl = "${name.full}";
  PreparedQuerySet set;
  set.Upsert(query);

  std::optional<PreparedQuery> found = set.Find("Geo-db");
  ASSERT_TRUE(found.has_value());
  PreparedQuery wanted = query;
  wanted.service = "db";
  wanted.failover_datacenters = {"d", "dcb"};
  wanted.near = "Geo-";
  wanted.tags = {"", "!d", "x", ""};
  wanted.node_meta = {{"${k}", "Geo-db"}};  // keys stay
  wanted.service_meta = {{"m", "b"}};
  wanted.ignore_check_ids = {"d", "c"};
  EXPECT_EQ(*found, wanted);  // and what is no part of the Service stays

  query.remove_empty_tags = true;
  set.Upsert(query);
  found = set.Find("Geo-db");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->tags, (Texts{"!d", "x"}));
}

TEST(PreparedQuerySet, AnOrdinaryQueryIsNotRendered) {
  PreparedQuery query = MakePreparedQuery(kId, "q", "${name.full}");
  query.tags = {""};
  query.remove_empty_tags = true;
  PreparedQuerySet set;
  set.Upsert(query);
  EXPECT_EQ(set.Find("q"), query);
}

TEST(PreparedQuerySet, RegularExpressionsAreGos) {
  struct Case {
    const char* regexp;
    const char* name;
    const char* wanted;
  };
  const Case kCases[] = {
      {"^geo-(.*?)-([^\\-]+)$", "geo-a-b-c", "geo-a-b-c|a-b|c"},
      {"^geo-(.*?)-([^\\-]+)$", "geo-db", "||"},              // no match: empty
      {"^geo-(a|ab)(c|bcd)?", "geo-abcd", "geo-abcd|a|bcd"},  // leftmost-first
      {"[[:alpha:]]+", "geo-12", "geo||"},
      {"(?P<n>g)", "geo", "g|g|"},
      {"\\d+", "geo-12", "12||"},
      {"(x)?geo", "geo", "geo||"},  // a group that takes no part
      {"(?i)GEO", "geo", "geo||"},
      {"\\Qgeo\\E", "geo", "geo||"},
      {"(?U)g.*", "geo", "g||"},
      {"(a", "geo", "-"},  // broken
      {"a{1001}", "geo", "-"},
      {"", "geo", "||"},
  };
  for (const Case& c : kCases) {
    PreparedQuerySet set;
    set.Upsert(MakeQueryTemplate(
        kId, "geo", "${match(0)}|${match(1)}|${match(2)}", c.regexp));
    EXPECT_EQ(ServiceOf(set, c.name), c.wanted) << c.regexp;
  }
}

TEST(RenderTemplateText, ReadsWhatConsulReads) {
  const TemplateScope scope{
      "geo-a-b-c", "geo-", "a-b-c", {"geo-a-b-c", "a-b", "c"}};
  struct Case {
    const char* text;
    const char* wanted;  // nullptr: nothing
  };
  const Case kCases[] = {
      {"", ""},
      {"plain } { text", "plain } { text"},
      {"${name.full}", "geo-a-b-c"},
      {"<${name.prefix}|${name.suffix}>", "<geo-|a-b-c>"},
      {"${  name.full\n}}", "geo-a-b-c}"},
      {"${agent.segment}|", "|"},
      {"$${name.full}", "${name.full}"},
      {"$$$${x}", "$${x}"},
      {"$$$${name.full}", "$${name.full}"},
      {"$$${name.full}", "$geo-a-b-c"},
      {"$x $ $$ a$", "$x $ $ a$"},
      {"${match(0)}", "geo-a-b-c"},
      {"${match(1)}${match(2)}", "a-bc"},
      {"${match(3)}", ""},
      {"${match(-1)}", ""},
      {"${match(1+1)}", "c"},
      {"${match(1.9)}", "a-b"},
      {"${match(\"2\")}", "c"},
      {"${1}", "1"},
      {"${1.50}", "1.5"},
      {"${010}", "8"},
      {"${1+2*3} ${(1+2)*3} ${7/2} ${7%4} ${-1} ${1-1}", "7 9 3 3 -1 0"},
      {"${1.0/2} ${1.2+1} ${2+1.7}", "0.5 2.2 3"},
      {"${\"lit\"}", "lit"},
      {"${\"a ${name.suffix} b\"}", "a a-b-c b"},
      {"${\"\\\"q\\\" \\\\ \\n\"}", "\"q\" \\ \n"},
      {"${\"$${x}\"}", "${x}"},
      {"${match(2) == \"c\" ? \"y\" : match(1)}", "y"},
      {"${match(2) != \"c\" ? \"y\" : match(1)}", "a-b"},
      {"${1 < 2 && !(2 <= 1) || false}", "true"},
      {"${1 == 1 ? 1 > 2 ? 3 : 4 : 5}", "4"},
      {"${name.full", nullptr},
      {"${}", nullptr},
      {"${ }", nullptr},
      {"${name.nope}", nullptr},
      {"${nope(1)}", nullptr},
      {"${match()}", nullptr},
      {"${match(\"x\")}", nullptr},
      {"${match(1}", nullptr},
      {"${name.full name.full}", nullptr},
      {"${1 2}", nullptr},
      {"${0x10}", nullptr},
      {"${1/0}", nullptr},
      {"${1%0}", nullptr},
      {"${1.0/0}", nullptr},
      {"${1.5%1}", nullptr},
      {"${name.suffix + 1}", nullptr},
      {"${-name.suffix}", nullptr},
      {"${99999999999999999999}", nullptr},
      {"${\"open}", nullptr},
      {"${1 ? 2 : 3}", nullptr},
      {"${true ? 2}", nullptr},
      {"${(1}", nullptr},
      {"${1 +}", nullptr},
  };
  for (const Case& c : kCases) {
    const std::optional<std::string> got = RenderTemplateText(c.text, scope);
    EXPECT_EQ(got.has_value(), c.wanted != nullptr) << c.text;
    if (got && c.wanted != nullptr) {
      EXPECT_EQ(*got, c.wanted) << c.text;
    }
  }
}

TEST(RenderTemplateText, WrapsAroundInsteadOfOverflowing) {
  const TemplateScope scope;
  EXPECT_EQ(RenderTemplateText("${9223372036854775807 + 1}", scope),
            "-9223372036854775808");
  EXPECT_EQ(RenderTemplateText("${(-9223372036854775807 - 1) / -1}", scope),
            "-9223372036854775808");
  EXPECT_EQ(RenderTemplateText("${(-9223372036854775807 - 1) % -1}", scope),
            "0");
  EXPECT_EQ(RenderTemplateText("${match(1.0*99999999999999999999.0)}", scope),
            std::nullopt);
}

TEST(RenderTemplateText, NestingHasALimit) {
  const TemplateScope scope{"x", "", "x", {}};
  for (const char* open : {"(", "-", "!", "match(", "\"${"}) {
    std::string text = "${";
    for (int i = 0; i < 100000; ++i) text += open;
    EXPECT_EQ(RenderTemplateText(text, scope), std::nullopt) << open;
  }
  EXPECT_EQ(RenderTemplateText("${((((((((name.full))))))))}", scope), "x");
}

}  // namespace
}  // namespace dnsd
