// Prepared queries against the real Consul 1.8.7: what /v1/query/X/explain
// makes of templates, what /v1/query/X/execute finds, and what DNS answers.
//
// Skipped without a Consul binary: DNSD_CONSUL names one, and otherwise it is
// build/consul/usr/bin/consul.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/integration/prepared_query_pair.h"
#include "tests/testing/catalog_maker.h"
#include "tests/testing/seeds.h"
#include "zones/random.h"

namespace dnsd::testing {
namespace {

using Texts = std::vector<std::string>;

constexpr int kFailuresMax = 8;  // enough to see a pattern

class PreparedQueryDiffTest : public ::testing::Test {
 protected:
  void SetUp() override {
    binary_ = ConsulBinary();
    if (!binary_) GTEST_SKIP() << "no Consul binary: set DNSD_CONSUL";
  }

  std::unique_ptr<PreparedQueryPair> Start(
      const ConsulProcessOptions& options) {
    auto pair = std::make_unique<PreparedQueryPair>(*binary_, options, &state_);
    EXPECT_TRUE(pair->consul().WaitForLeader())
        << pair->consul().process().output();
    return pair;
  }

  void Expect(const std::string& difference) {
    if (difference.empty()) return;
    ADD_FAILURE() << difference;
    ++failures_;
  }

  // Some nodes with "web", "db" and what stands for them.
  void Fill(PreparedQueryPair* pair, const std::string& datacenter,
            int node_count, Random* random) {
    const Texts tags = {"Blue", "green", "V1", ""};
    for (int i = 0; i < node_count; ++i) {
      Node node = MakeNode(
          absl::StrCat(datacenter, "-n", i),
          absl::StrCat("10.0.", datacenter.substr(2), ".", i + 1), datacenter);
      node.meta = {{"zone", random->Below(2) == 0 ? "a" : "B"}};
      ASSERT_TRUE(pair->Put(node));
      if (random->Below(3) == 0) {
        ASSERT_TRUE(pair->Put(node, MakeCheck("node", "", Status(random))));
      }
      for (const char* name : {"web", "Db"}) {
        ServiceInstance instance =
            MakeInstance(absl::StrCat(name, i), name,
                         random->Below(2) == 0 ? "" : "10.9.9.9",
                         static_cast<uint16_t>(8000 + i));
        for (const std::string& tag : tags) {
          if (random->Below(2) == 0) instance.tags.push_back(tag);
        }
        instance.meta = {{"v", random->Below(2) == 0 ? "1" : "2"}};
        instance.weights = {7, 3};
        instance.connect_native = random->Below(3) == 0;
        ASSERT_TRUE(pair->Put(node, instance));
        for (const char* check : {"alpha", "beta"}) {
          if (random->Below(3) == 0) continue;
          ASSERT_TRUE(pair->Put(node, MakeCheck(absl::StrCat(check, name),
                                                instance.id, Status(random))));
        }
      }
      ServiceInstance proxy = MakeInstance("proxy", "web-sidecar", "", 21000);
      proxy.kind = ServiceKind::kConnectProxy;
      proxy.mesh.Edit().proxy_destination = "web";
      proxy.weights = {2, 2};
      ASSERT_TRUE(pair->Put(node, proxy));
    }
  }

  PreparedQuery RandomQuery(Random* random) {
    PreparedQuery query;
    query.name = "q";
    const Texts services = {"web", "WEB", "db", "none", "web-sidecar"};
    query.service = services[random->Below(5)];
    query.only_passing = random->Below(3) == 0;
    query.connect = random->Below(4) == 0;
    const Texts tags = {"blue", "!BLUE", "Green", "!green",
                        "v1",   "!v1",   "",      "!"};
    for (uint32_t i = random->Below(3); i > 0; --i) {
      query.tags.push_back(tags[random->Below(8)]);
    }
    const Texts checks = {"node",    "alphaweb", "betaweb",
                          "alphaDb", "betaDb",   "ALPHAWEB"};
    for (uint32_t i = random->Below(4); i > 0; --i) {
      query.ignore_check_ids.push_back(checks[random->Below(6)]);
    }
    if (random->Below(4) == 0) {
      query.node_meta = {{"zone", random->Below(2) == 0 ? "a" : "b"}};
    }
    if (random->Below(4) == 0) query.service_meta = {{"v", "1"}};
    const Texts ttls = {"", "7s", "1m30s", "1.9s", "500ms"};
    query.ttl = ttls[random->Below(5)];
    return query;
  }

  // Puts, runs and deletes random queries on `pair`.
  template <typename Change>
  void RunRandomQueries(PreparedQueryPair* pair, int count, Random* random,
                        Change change) {
    for (int i = 0; i < count && failures_ < kFailuresMax; ++i) {
      PreparedQuery query = RandomQuery(random);
      change(&query);
      const std::string id = pair->PutQuery(query);
      ASSERT_NE(id, "");
      ASSERT_TRUE(pair->ReadQueries());
      Expect(pair->CompareExecute("q"));
      Expect(pair->CompareDns("Q"));
      Expect(pair->CompareDns(id));
      pair->DeleteQueries();
    }
  }

  static HealthStatus Status(Random* random) {
    const uint32_t draw = random->Below(4);
    return draw == 0   ? HealthStatus::kCritical
           : draw == 1 ? HealthStatus::kWarning
                       : HealthStatus::kPassing;
  }

  std::optional<std::string> binary_;
  State state_;
  int failures_ = 0;
};

TEST_F(PreparedQueryDiffTest, TemplatesAreRenderedAlike) {
  auto pair = Start({});
  const Texts regexps = {"",
                         "^geo-(.*?)-([^\\-]+)$",
                         "(?i)^GEO-(.)(.*)$",
                         "^geo-(a|ab)(c|bcd)?",
                         "(?P<first>[[:alpha:]]+)-(\\d*)",
                         "(x)?geo",
                         "(?U)(.+)-",
                         "\\pL+$",
                         "(a",
                         "a{1001}",
                         "[[:nope:]]"};
  // 1.8.7 has no precedence of operators, and no comparisons.
  const Texts texts = {"${name.full}",
                       "<${name.prefix}|${name.suffix}|${agent.segment}>",
                       "${match(0)}|${match(1)}|${match(2)}|${match(3)}",
                       "${match(-1)}${match(1+1)}${match(1.9)}",
                       "$${x} $$$${x} $$${name.full} $x $ $$ a$",
                       "}${  name.suffix\n}}{",
                       "${\"a ${name.full} \\\"b\\\" $${x} \\n\"}",
                       "${1+(2*3)} ${(1+2)*3} ${7/2} ${7%4} ${-1} ${1.0/2}",
                       "${1.50} ${010} ${2 + 1.7} ${1.2 + 1}",
                       "\xc3\xa9${name.suffix}",
                       "${name.nope}",
                       "${nope(1)}",
                       "${match()}",
                       "${name.full",
                       "${}",
                       "${name.suffix + 1}",
                       "${0x10}"};
  const Texts prefixes = {"geo-", "Geo-", "", "geo-a.b-", "x"};
  const Texts names = {"geo-a-b-c", "geo-db",    "Geo-DB-12", "GEO-",  "geo",
                       "geo-abcd",  "geo-a.b-c", "x",         "other", "a b/c"};
  int accepted = 0;
  int rejected = 0;
  for (const std::string& prefix : prefixes) {
    for (const std::string& regexp : regexps) {
      for (size_t i = 0; i < texts.size() && failures_ < kFailuresMax; ++i) {
        PreparedQuery query = MakeQueryTemplate("", prefix, texts[i], regexp);
        // The other fields get other texts, as far as they are sound.
        const std::string& other = texts[i * 7 % 10];
        query.failover_datacenters = {other, "dc2"};
        query.failover_nearest = 1;
        query.near = other;
        query.tags = {other, "${match(9)}", "!${name.suffix}", ""};
        query.node_meta = {{"k", other}};
        query.service_meta = {{"k", "${match(1)}"}};
        query.ignore_check_ids = {other};
        query.remove_empty_tags = i % 2 == 0;
        query.ttl = "10s";
        const std::string id = pair->PutQuery(query);
        if (id.empty()) {
          // What Consul refuses resolves to nothing here.
          ++rejected;
          query.id = "id";
          PreparedQuerySet set;
          set.Upsert(query);
          EXPECT_FALSE(set.Find(prefix + "1").has_value() &&
                       set.Find(prefix + "-").has_value())
              << texts[i] << " by " << regexp;
          continue;
        }
        ++accepted;
        ASSERT_TRUE(pair->ReadQueries());
        for (const std::string& name : names) {
          Expect(pair->CompareExplain(name));
        }
        Expect(pair->CompareExplain(id));
        pair->DeleteQueries();
      }
    }
  }
  EXPECT_GT(accepted, 300);
  EXPECT_GT(rejected, 100);
  EXPECT_GT(pair->found_count(), 1000);
}

TEST_F(PreparedQueryDiffTest, TheSameTemplateIsFound) {
  auto pair = Start({});
  for (const PreparedQuery& query :
       {MakeQueryTemplate("", "", "any ${name.suffix}"),
        MakeQueryTemplate("", "Geo-", "geo ${name.suffix}"),
        MakeQueryTemplate("", "geo-db-", "db ${name.suffix}"),
        MakeQueryTemplate("", "geo-db-x.", "dotted ${name.suffix}"),
        MakePreparedQuery("", "geo-db-x", "exact"),
        MakePreparedQuery("", "GEO-UP", "up")}) {
    ASSERT_NE(pair->PutQuery(query), "") << query.name;
  }
  ASSERT_TRUE(pair->ReadQueries());
  for (const char* name : {"x", "geo", "geo-", "Geo-d", "geo-d", "geo-db-",
                           "geo-db-y", "GEO-DB-Y", "geo-db-x", "GEO-DB-X",
                           "geo-db-x.", "geo-db-x.y", "geo-up", "geo-up.x"}) {
    Expect(pair->CompareExplain(name));
  }
  EXPECT_EQ(pair->found_count(), 14);
}

TEST_F(PreparedQueryDiffTest, FiltersFindTheSameInstances) {
  Random random(TestSeed());
  auto pair = Start({});
  Fill(pair.get(), "dc1", 12, &random);
  if (HasFatalFailure()) return;
  RunRandomQueries(pair.get(), Scaled(300), &random, [](PreparedQuery*) {});
  EXPECT_GT(pair->found_count(), Scaled(100));
}

TEST_F(PreparedQueryDiffTest, FailoverGoesToTheSameDatacenter) {
  Random random(TestSeed());
  ConsulProcessOptions options;
  options.wan = true;
  auto near = Start(options);
  Fill(near.get(), "dc1", 1, &random);
  if (HasFatalFailure()) return;
  options.join_wan = {
      absl::StrCat("127.0.0.1:", near->consul().ports().serf_wan)};
  std::vector<std::unique_ptr<PreparedQueryPair>> far;
  for (const char* datacenter : {"dc2", "dc3"}) {
    options.datacenter = datacenter;
    far.push_back(Start(options));
    Fill(far.back().get(), datacenter, 5, &random);
    if (HasFatalFailure()) return;
    ASSERT_TRUE(WaitUntil([&] {
      return near->consul().api().Count(
                 absl::StrCat("/v1/catalog/service/web?dc=", datacenter)) == 5u;
    })) << near->consul().process().output();
    RunRandomQueries(
        near.get(), Scaled(150), &random, [&](PreparedQuery* query) {
          const Texts places = {"dc1", "dc2", "dc3", "dc9", "dc8"};
          for (uint32_t i = random.Below(4); i > 0; --i) {
            query->failover_datacenters.push_back(places[random.Below(5)]);
          }
          // So that there is something to find, though seldom near.
          query->tags.resize(std::min(query->tags.size(), size_t{1}));
          // Of two others, which is nearer is for Consul to measure.
          if (far.size() == 1) {
            query->failover_nearest = static_cast<int>(random.Below(3));
          }
        });
  }
  EXPECT_GT(near->found_count(), Scaled(20));
  EXPECT_GT(near->found_elsewhere_count(), Scaled(10));
}

}  // namespace
}  // namespace dnsd::testing
