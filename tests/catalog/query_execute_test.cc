#include "catalog/query_execute.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/testing/catalog_maker.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using Texts = std::vector<std::string>;

PreparedQuery QueryOf(const std::string& service) {
  PreparedQuery query;
  query.id = "1";
  query.service = service;
  return query;
}

// Three datacenters: "web" lives in dc1 on n1, n2 and n3, in dc2 and dc3 on
// one node each; "far" in dc2 and dc3.
class ExecuteQueryTest : public ::testing::Test {
 protected:
  ExecuteQueryTest() {
    BatchMaker batch;
    Node n1 = MakeNode("n1", "10.0.0.1");
    n1.meta = {{"zone", "a"}, {"rack", "1"}};
    Node n2 = MakeNode("N2", "10.0.0.2");
    n2.meta = {{"zone", "b"}};
    batch.Put(n1).Put(n2).Put(MakeNode("n3", "10.0.0.3"));
    batch.Put(MakeNode("m2", "10.2.0.1", "dc2"));
    batch.Put(MakeNode("m3", "10.3.0.1", "dc3"));
    ServiceInstance w1 = MakeInstance("w1", "web", "", 80, {"V1", "blue"});
    w1.meta = {{"v", "1"}};
    batch.Put({"dc1", "n1"}, w1);
    batch.Put({"dc1", "N2"}, MakeInstance("w2", "Web", "", 80, {"v1"}));
    batch.Put({"dc1", "n3"}, MakeInstance("w3", "web"));
    batch.Put({"dc1", "N2"}, MakeCheck("c2", "w2", HealthStatus::kWarning));
    batch.Put({"dc1", "n3"}, MakeCheck("c3", "w3", HealthStatus::kCritical));
    for (const char* place : {"2", "3"}) {
      NodeKey key{std::string("dc") + place, std::string("m") + place};
      batch.Put(key, MakeInstance("web", "web"));
      batch.Put(key, MakeInstance("far", "far"));
    }
    batch.ApplyTo(&state_);
  }

  Texts Run(const PreparedQuery& query, const std::string& datacenter = "dc1") {
    result_ = ExecuteQuery(state_, datacenter, query);
    Texts ids;
    for (const InstanceView& view : result_.instances) {
      ids.push_back(view.node->name + "/" + view.instance->id.str());
    }
    return ids;
  }

  State state_;
  QueryResult result_;
};

TEST_F(ExecuteQueryTest, LeavesCriticalInstancesOut) {
  EXPECT_EQ(Run(QueryOf("WEB")), (Texts{"n1/w1", "N2/w2"}));
  EXPECT_EQ(result_.datacenter, "dc1");
  EXPECT_EQ(result_.failover_count, 0);
  EXPECT_EQ(Run(QueryOf("none")), Texts());
  EXPECT_EQ(Run(QueryOf("")), Texts());
}

TEST_F(ExecuteQueryTest, OnlyPassingLeavesWarningsOut) {
  PreparedQuery query = QueryOf("web");
  query.only_passing = true;
  EXPECT_EQ(Run(query), (Texts{"n1/w1"}));
}

TEST_F(ExecuteQueryTest, IgnoredChecksAreNotJudged) {
  PreparedQuery query = QueryOf("web");
  query.ignore_check_ids = {"c3"};
  EXPECT_EQ(Run(query), (Texts{"n1/w1", "N2/w2", "n3/w3"}));
  EXPECT_EQ(result_.instances[2].health, HealthStatus::kCritical);
  query.ignore_check_ids = {"C3"};  // letter case counts
  EXPECT_EQ(Run(query), (Texts{"n1/w1", "N2/w2"}));
  query.ignore_check_ids = {"c2"};
  query.only_passing = true;
  EXPECT_EQ(Run(query), (Texts{"n1/w1", "N2/w2"}));
}

TEST_F(ExecuteQueryTest, ChecksOfTheNodeCountAndThoseOfOthersDoNot) {
  BatchMaker batch;
  batch.Put({"dc1", "n1"}, MakeInstance("other", "other"));
  batch.Put({"dc1", "n1"}, MakeCheck("o", "other", HealthStatus::kCritical));
  batch.Put({"dc1", "n1"}, MakeCheck("node", "", HealthStatus::kCritical));
  batch.ApplyTo(&state_);
  EXPECT_EQ(Run(QueryOf("web")), (Texts{"N2/w2"}));
  PreparedQuery query = QueryOf("web");
  query.ignore_check_ids = {"node"};
  EXPECT_EQ(Run(query), (Texts{"n1/w1", "N2/w2"}));
}

TEST_F(ExecuteQueryTest, AllTagsAreNeededAndNoneThatIsForbidden) {
  struct Case {
    Texts tags;
    Texts wanted;
  };
  const Case kCases[] = {
      {{"v1"}, {"n1/w1", "N2/w2"}},
      {{"V1", "BLUE"}, {"n1/w1"}},
      {{"!blue"}, {"N2/w2"}},
      {{"v1", "!Blue"}, {"N2/w2"}},
      {{"!v1"}, {}},
      {{"none"}, {}},
      {{""}, {}},                   // nobody has the empty tag
      {{"!"}, {"n1/w1", "N2/w2"}},  // so all lack it
      {{"!!v1"}, {"n1/w1", "N2/w2"}},
  };
  for (const Case& c : kCases) {
    PreparedQuery query = QueryOf("web");
    query.tags = c.tags;
    EXPECT_EQ(Run(query), c.wanted) << c.tags[0];
  }
}

TEST_F(ExecuteQueryTest, MetaIsComparedExactly) {
  PreparedQuery query = QueryOf("web");
  query.node_meta = {{"zone", "a"}};
  EXPECT_EQ(Run(query), (Texts{"n1/w1"}));
  query.node_meta = {{"zone", "a"}, {"rack", "2"}};
  EXPECT_EQ(Run(query), Texts());
  query.node_meta = {{"zone", "A"}};
  EXPECT_EQ(Run(query), Texts());
  query.node_meta = {{"none", ""}};
  EXPECT_EQ(Run(query), Texts());
  query.node_meta.clear();
  query.service_meta = {{"v", "1"}};
  EXPECT_EQ(Run(query), (Texts{"n1/w1"}));
  query.service_meta = {{"v", "2"}};
  EXPECT_EQ(Run(query), Texts());
}

TEST_F(ExecuteQueryTest, ConnectTakesWhatStandsForTheService) {
  BatchMaker batch;
  ServiceInstance proxy = MakeInstance("p", "web-proxy");
  proxy.kind = ServiceKind::kConnectProxy;
  proxy.mesh.Edit().proxy_destination = "web";
  ServiceInstance native = MakeInstance("native", "web");
  native.connect_native = true;
  ServiceInstance gateway = MakeInstance("gw", "gw");
  gateway.kind = ServiceKind::kIngressGateway;
  gateway.mesh.Edit().gateway_services = {"web"};
  for (const auto& instance : {proxy, native, gateway}) {
    batch.Put({"dc1", "n1"}, instance);
  }
  batch.ApplyTo(&state_);
  PreparedQuery query = QueryOf("web");
  query.connect = true;
  EXPECT_EQ(Run(query), (Texts{"n1/native", "n1/p"}));
}

TEST_F(ExecuteQueryTest, NothingFoundFailsOverInOrder) {
  PreparedQuery query = QueryOf("far");
  EXPECT_EQ(Run(query), Texts());
  EXPECT_EQ(result_.datacenter, "dc1");
  EXPECT_EQ(result_.failover_count, 0);

  query.failover_datacenters = {"nowhere", "dc1", "dc3", "dc2"};
  EXPECT_EQ(QueryDatacenters(state_, "dc1", query),
            (Texts{"dc1", "dc3", "dc2"}));
  EXPECT_EQ(Run(query), (Texts{"m3/far"}));
  EXPECT_EQ(result_.datacenter, "dc3");
  EXPECT_EQ(result_.failover_count, 1);

  query.failover_nearest = 1;
  EXPECT_EQ(QueryDatacenters(state_, "dc1", query),
            (Texts{"dc1", "dc2", "dc3"}));
  EXPECT_EQ(Run(query), (Texts{"m2/far"}));
  query.failover_nearest = 9;
  EXPECT_EQ(QueryDatacenters(state_, "dc1", query),
            (Texts{"dc1", "dc2", "dc3"}));
  query.failover_nearest = -1;
  EXPECT_EQ(QueryDatacenters(state_, "dc1", query),
            (Texts{"dc1", "dc3", "dc2"}));
}

TEST_F(ExecuteQueryTest, FailoverFiltersAsWell) {
  PreparedQuery query = QueryOf("far");
  query.failover_nearest = 2;
  query.only_passing = true;
  BatchMaker()
      .Put({"dc2", "m2"}, MakeCheck("c", "far", HealthStatus::kWarning))
      .ApplyTo(&state_);
  EXPECT_EQ(Run(query), (Texts{"m3/far"}));
  EXPECT_EQ(result_.failover_count, 2);
  query.tags = {"none"};
  EXPECT_EQ(Run(query), Texts());
  EXPECT_EQ(result_.datacenter, "dc3");  // the last one tried
}

TEST_F(ExecuteQueryTest, AQueryBelongsToItsDatacenter) {
  EXPECT_EQ(Run(QueryOf("web"), "dc2"), (Texts{"m2/web"}));
  PreparedQuery query = QueryOf("none");
  query.failover_nearest = 1;
  EXPECT_EQ(QueryDatacenters(state_, "dc3", query), (Texts{"dc3", "dc1"}));
}

TEST(StateQueries, TheSmallerSourceIsBelieved) {
  State state;
  PreparedQuery mirrored = QueryOf("mirrored");
  mirrored.name = "q";
  PreparedQuery own = QueryOf("own");
  own.name = "q";
  EXPECT_EQ(BatchMaker(2).Put(mirrored).ApplyTo(&state).queries,
            (std::set<NameKey>{{"dc1", "1"}}));
  EXPECT_EQ(state.FindQuery("dc1", "Q")->service, "mirrored");
  EXPECT_EQ(BatchMaker(1).Put(own).ApplyTo(&state).queries.size(), 1u);
  EXPECT_EQ(state.FindQuery("dc1", "q")->service, "own");
  // What is not believed dirties nothing.
  mirrored.ttl = "5s";
  EXPECT_TRUE(BatchMaker(2).Put(mirrored).ApplyTo(&state).empty());
  EXPECT_EQ(BatchMaker(1).DropQuery("1").ApplyTo(&state).queries.size(), 1u);
  EXPECT_EQ(state.FindQuery("dc1", "q")->ttl, "5s");
  // A complete batch withdraws; the same again changes nothing.
  EXPECT_TRUE(BatchMaker(2).Complete().Put(mirrored).ApplyTo(&state).empty());
  EXPECT_TRUE(BatchMaker(1).Complete().ApplyTo(&state).empty());
  EXPECT_EQ(state.FindQuery("dc2", "q"), std::nullopt);
  EXPECT_FALSE(BatchMaker(2).Complete().ApplyTo(&state).empty());
  EXPECT_EQ(state.FindQuery("dc1", "q"), std::nullopt);
  EXPECT_TRUE(state.Everything().empty());
}

}  // namespace
}  // namespace dnsd
