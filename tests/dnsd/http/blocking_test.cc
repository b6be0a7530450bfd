// Blocking queries without sockets: the loop is turned by the test.
#include "dnsd/http/blocking.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/dnsd/http/api_fixture.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

constexpr HealthStatus kPassing = HealthStatus::kPassing;
constexpr HealthStatus kWarning = HealthStatus::kWarning;
constexpr HealthStatus kCritical = HealthStatus::kCritical;

// Everything that waits, each with what it is about.
const std::vector<std::string>& Targets() {
  static const std::vector<std::string> targets = {
      "/v1/catalog/nodes",
      "/v1/catalog/services",
      "/v1/catalog/service/web",
      "/v1/catalog/connect/web",
      "/v1/catalog/node/a",
      "/v1/catalog/node-services/a",
      "/v1/catalog/gateway-services/gw",
      "/v1/health/service/web",
      "/v1/health/connect/web",
      "/v1/health/ingress/web",
      "/v1/health/checks/web",
      "/v1/health/node/a",
      "/v1/health/state/any",
      "/v1/health/state/critical",
      "/v1/health/services",
      "/v1/internal/ui/nodes",
      "/v1/internal/ui/node/a",
  };
  return targets;
}

void FillBase(ApiFixture* api) {
  UpsertInstance gateway = InstanceIs("b", "gw", "gw");
  gateway.instance.kind = ServiceKind::kIngressGateway;
  gateway.instance.mesh.Edit().gateway_services = {"db"};
  api->Apply({NodeIs("a"), NodeIs("b"), InstanceIs("a", "web", "web", 80),
              InstanceIs("a", "db", "db", 81), ProxyIs("b", "p", "web"),
              gateway, CheckIs("a", "c-web", "web", kPassing),
              CheckIs("a", "c-db", "db", kPassing),
              CheckIs("b", "c-p", "p", kPassing),
              CheckIs("a", "c-node", "", kPassing)});
}

struct WakeCase {
  const char* what;
  std::vector<Change> changes;
  std::vector<std::string> woken;  // what follows "/v1/"
};

std::vector<WakeCase> WakeCases() {
  const std::string all = "health/services";
  const std::string ui = "internal/ui/nodes";
  const std::string ui_a = "internal/ui/node/a";
  const std::string any = "health/state/any";
  UpsertInstance gateway = InstanceIs("b", "gw", "gw");
  gateway.instance.kind = ServiceKind::kIngressGateway;
  gateway.instance.mesh.Edit().gateway_services = {"db", "web"};
  return {
      {"nothing new", {NodeIs("a"), InstanceIs("a", "web", "web", 80)}, {}},
      {"a node without services", {NodeIs("c")}, {"catalog/nodes", ui}},
      {"address of a node",
       {NodeIs("a", "10.0.0.2")},
       {"catalog/nodes", "catalog/service/web", "catalog/node/a",
        "catalog/node-services/a", "health/service/web", all, ui, ui_a}},
      {"port of an instance",
       {InstanceIs("a", "web", "web", 8080)},
       {"catalog/service/web", "catalog/node/a", "catalog/node-services/a",
        "health/service/web", all, ui, ui_a}},
      {"port of another service",
       {InstanceIs("a", "db", "db", 82)},
       {"catalog/node/a", "catalog/node-services/a", all, ui, ui_a}},
      {"tags of an instance, which its checks show",
       {InstanceIs("a", "web", "web", 80, {"t"})},
       {"catalog/services", "catalog/service/web", "catalog/node/a",
        "catalog/node-services/a", "health/service/web", "health/checks/web",
        "health/node/a", any, all, ui, ui_a}},
      {"a proxy",
       {ProxyIs("b", "p", "web", 90)},
       {"catalog/connect/web", "health/connect/web", "health/ingress/web", all,
        ui}},
      {"services of a gateway",
       {gateway},
       {"catalog/gateway-services/gw", "catalog/connect/web",
        "health/connect/web", "health/ingress/web", all, ui}},
      {"output of a check",
       {CheckIs("a", "c-web", "web", kPassing, "slow")},
       {"health/service/web", "health/checks/web", "health/node/a", any, all,
        ui, ui_a}},
      {"status of a check",
       {CheckIs("a", "c-web", "web", kCritical)},
       {"health/service/web", "health/checks/web", "health/node/a", any,
        "health/state/critical", all, ui, ui_a}},
      {"a check of the node",
       {CheckIs("a", "c-node", "", kWarning)},
       {"health/service/web", "health/node/a", any, all, ui, ui_a}},
      {"a check of another service",
       {CheckIs("a", "c-db", "db", kWarning)},
       {"health/node/a", any, all, ui, ui_a}},
      {"a check of the proxy",
       {CheckIs("b", "c-p", "p", kWarning)},
       {"health/connect/web", "health/ingress/web", any, all, ui}},
      {"the last instance goes",
       {RemoveInstance{{"dc1", "a"}, "web"}},
       {"catalog/services", "catalog/service/web", "catalog/node/a",
        "catalog/node-services/a", "health/service/web", "health/checks/web",
        "health/node/a", any, all, ui, ui_a}},
      {"a service more",
       {InstanceIs("b", "new", "new")},
       {"catalog/services", all, ui}},
      {"an instance more of a service",
       {InstanceIs("b", "db2", "db")},
       {all, ui}},
  };
}

TEST(Blocking, AChangeWakesWhatShowsItAndNothingElse) {
  for (const WakeCase& test : WakeCases()) {
    SCOPED_TRACE(test.what);
    ApiFixture api;
    FillBase(&api);
    std::map<std::string, std::shared_ptr<ApiFixture::Answered>> parked;
    for (const std::string& target : Targets()) {
      const uint64_t index = api.Ask(target)->index();
      ASSERT_GE(index, 1u) << target;
      parked[target] = api.Ask(absl::StrCat(target, "?index=", index));
      EXPECT_FALSE(parked[target]->response) << target;
    }
    EXPECT_EQ(api.blocking().counts().parked, Targets().size());
    api.Apply(test.changes);
    std::vector<std::string> woken;
    for (const auto& [target, answered] : parked) {
      if (answered->response) woken.push_back(target.substr(4));
    }
    EXPECT_THAT(woken, ::testing::UnorderedElementsAreArray(test.woken));
  }
}

TEST(Blocking, AnswersAtOnceWhatIsNewsAndKeepsIndexesOfTheFuture) {
  ApiFixture api;
  FillBase(&api);
  api.Apply({InstanceIs("a", "web", "web", 8080)});
  const uint64_t now = api.Ask("/v1/health/service/web")->index();
  EXPECT_EQ(now, 2u);
  const std::string target = "/v1/health/service/web?index=";
  EXPECT_TRUE(api.Ask(absl::StrCat(target, now - 1))->response);
  EXPECT_TRUE(api.Ask(absl::StrCat(target, "0"))->response);
  EXPECT_TRUE(api.Ask(absl::StrCat(target, "&wait=1s"))->response);
  EXPECT_FALSE(api.Ask(absl::StrCat(target, now))->response);
  EXPECT_FALSE(api.Ask(absl::StrCat(target, now + 1000))->response);
  // Nothing is known of it, and its index is not 0.
  const auto unknown = api.Ask("/v1/health/service/none");
  EXPECT_EQ(unknown->body(), "[]");
  EXPECT_EQ(unknown->index(), 1u);
}

TEST(Blocking, TheTimeOfARequestEndsIt) {
  ApiFixture api;
  FillBase(&api);
  const auto slow = api.Ask("/v1/catalog/nodes?index=9&wait=10m");
  const auto fast = api.Ask("/v1/catalog/nodes?index=9&wait=20ms");
  const auto again = api.Ask("/v1/catalog/nodes?index=9&wait=1ms");
  EXPECT_FALSE(again->response);
  ASSERT_TRUE(testing::WaitUntil([&] {
    api.Turn();
    return fast->response && again->response;
  }));
  EXPECT_FALSE(slow->response);
  EXPECT_EQ(fast->index(), 1u);  // it has not moved
  EXPECT_EQ(api.blocking().counts().timed_out, 2u);
  EXPECT_EQ(api.blocking().counts().parked, 1u);
}

TEST(Blocking, WhatManyAskIsMadeOnceAndAnsweredOverSomeTurns) {
  ApiFixture api;
  FillBase(&api);
  const size_t count = 3 * Blocking::kAnswersPerTurn;
  std::vector<std::shared_ptr<ApiFixture::Answered>> all;
  for (size_t i = 0; i < count; ++i) {
    all.push_back(api.Ask("/v1/health/service/web?index=1"));
  }
  EXPECT_EQ(api.blocking().counts().queries, 1u);
  const uint64_t renders = api.blocking().counts().renders;
  const auto answered = [&] {
    return static_cast<size_t>(std::count_if(
        all.begin(), all.end(), [](const auto& one) { return one->response; }));
  };
  api.Apply({InstanceIs("a", "web", "web", 81)});
  EXPECT_EQ(answered(), Blocking::kAnswersPerTurn);
  EXPECT_EQ(api.blocking().counts().renders, renders + 1);
  // The rest is told of what changes meanwhile.
  api.Apply({InstanceIs("a", "web", "web", 82)});
  ASSERT_TRUE(testing::WaitUntil([&] {
    api.Turn();
    return answered() == count;
  }));
  EXPECT_EQ(api.blocking().counts().renders, renders + 2);
  size_t early = 0;
  for (const auto& one : all) {
    early += one->index() == 2 ? 1 : 0;
    EXPECT_TRUE(absl::StrContains(
        one->body(), one->index() == 2 ? "\"Port\":81" : "\"Port\":82"));
  }
  EXPECT_EQ(early, Blocking::kAnswersPerTurn);
  EXPECT_EQ(api.blocking().counts().parked, 0u);
  EXPECT_EQ(api.blocking().counts().queries, 0u);
}

TEST(Blocking, WhoIsParkedAtTheEndIsAnswered) {
  std::shared_ptr<ApiFixture::Answered> parked;
  {
    ApiFixture api;
    FillBase(&api);
    parked = api.Ask("/v1/catalog/nodes?index=1");
  }
  EXPECT_FALSE(parked->response);  // dropped, see HttpReply
}

// Random changes while random requests wait. After each change every request
// is evaluated anew, without waiting: who waits for a body that is another now
// was forgotten.
class BlockingModel {
 public:
  explicit BlockingModel(uint64_t seed) : random_(seed) {
    targets_ = Targets();
    for (const char* more :
         {"/v1/catalog/services?node-meta=k:v0", "/v1/catalog/service/db",
          "/v1/health/service/web?tag=t0&passing",
          "/v1/health/state/any?node-meta=k:v1", "/v1/health/state/warning",
          "/v1/health/checks/db?node-meta=k:v0", "/v1/health/service/web-proxy",
          "/v1/catalog/nodes?node-meta=k:v1", "/v1/health/connect/db"}) {
      targets_.push_back(more);
    }
  }

  void Run(int steps) {
    // As when an agent begins: it is in its own catalog.
    api_.Apply({NodeIs("here", "127.0.0.1")});
    for (int i = 0; i < steps; ++i) {
      for (int j = Pick(4); j > 0; --j) Park();
      std::vector<Change> changes;
      for (int j = Pick(3); j >= 0; --j) Add(&changes);
      Dirty dirty;
      (void)api_.state.Apply({.source = 0, .changes = changes}, &dirty);
      api_.blocking().Wake(dirty.watched);
      Check(i);
    }
  }
  [[nodiscard]] size_t woken() const { return woken_; }
  [[nodiscard]] size_t for_nothing() const { return for_nothing_; }

 private:
  struct Waiting {
    std::string target;
    std::string body;
    uint64_t index;
    std::shared_ptr<ApiFixture::Answered> answered;
  };

  int Pick(int below) {
    return std::uniform_int_distribution<int>(0, below - 1)(random_);
  }
  std::string With(const std::string& target, uint64_t index) {
    return absl::StrCat(target, absl::StrContains(target, "?") ? "&" : "?",
                        "index=", index);
  }

  void Park() {
    const std::string target =
        targets_[static_cast<size_t>(Pick(static_cast<int>(targets_.size())))];
    const auto now = api_.Ask(target);
    if (now->response->status == 404) return;
    waiting_.push_back({target, now->body(), now->index(),
                        api_.Ask(With(target, now->index()))});
    EXPECT_FALSE(waiting_.back().answered->response) << target;
  }

  void Add(std::vector<Change>* changes) {
    const std::string node(1, static_cast<char>('a' + Pick(3)));
    const std::string id = absl::StrCat("i", Pick(4));
    const std::string check = absl::StrCat("c", Pick(4));
    switch (Pick(8)) {
      case 0:
        changes->push_back(NodeIs(node, absl::StrCat("10.0.0.", Pick(2)),
                                  {{"k", absl::StrCat("v", Pick(2))}}));
        return;
      case 1:
        if (Pick(3) == 0) changes->push_back(RemoveNode{{"dc1", node}});
        return;
      case 2:
      case 3:
        changes->push_back(AnInstance(node, id));
        return;
      case 4:
        changes->push_back(RemoveInstance{{"dc1", node}, id});
        return;
      case 5:
      case 6:
        changes->push_back(CheckIs(node, check, Pick(3) == 0 ? "" : id,
                                   static_cast<HealthStatus>(Pick(3)),
                                   absl::StrCat("o", Pick(2))));
        return;
      default:
        changes->push_back(RemoveCheck{{"dc1", node}, check});
    }
  }

  UpsertInstance AnInstance(const std::string& node, const std::string& id) {
    const std::vector<std::string> names = {"web", "db", "gw"};
    const std::string name = names[static_cast<size_t>(Pick(3))];
    if (name == "gw") {
      UpsertInstance gateway = InstanceIs(node, id, "gw");
      gateway.instance.kind = Pick(2) == 0 ? ServiceKind::kIngressGateway
                                           : ServiceKind::kTerminatingGateway;
      gateway.instance.mesh.Edit().gateway_services = {
          names[static_cast<size_t>(Pick(2))]};
      return gateway;
    }
    if (Pick(3) == 0) {
      return ProxyIs(node, id, name, static_cast<uint16_t>(Pick(2)));
    }
    UpsertInstance instance =
        InstanceIs(node, id, name, static_cast<uint16_t>(Pick(2)));
    if (Pick(2) == 0) instance.instance.tags = {absl::StrCat("t", Pick(2))};
    instance.instance.connect_native = Pick(4) == 0;
    return instance;
  }

  // Bodies of the delta endpoint tell their index.
  void Check(int step) {
    std::vector<Waiting> still;
    for (Waiting& one : waiting_) {
      const auto now = api_.Ask(one.target);
      const bool is_delta = one.target == "/v1/health/services";
      const bool changed =
          is_delta ? now->index() != one.index : now->body() != one.body;
      if (!one.answered->response) {
        EXPECT_FALSE(changed)
            << "missed at step " << step << ": " << one.target << "\n"
            << one.body << "\n"
            << now->body();
        still.push_back(std::move(one));
        continue;
      }
      ++woken_;
      if (!changed) ++for_nothing_;
      EXPECT_EQ(one.answered->response->status, now->response->status);
      if (now->response->status == 404) continue;  // it tells no index
      EXPECT_GT(one.answered->index(), one.index) << one.target;
      EXPECT_EQ(one.answered->index(), now->index()) << one.target;
      if (is_delta) continue;  // it depends on the index that was given
      EXPECT_EQ(one.answered->body(), now->body()) << one.target;
    }
    waiting_ = std::move(still);
  }

  std::mt19937_64 random_;
  ApiFixture api_;
  std::vector<std::string> targets_;
  std::vector<Waiting> waiting_;
  size_t woken_ = 0;
  size_t for_nothing_ = 0;
};

TEST(Blocking, NoWakeIsMissedWhateverChanges) {
  BlockingModel model(testing::TestSeed());
  model.Run(testing::Scaled(6000));
  EXPECT_GT(model.woken(), 100u);
  RecordProperty("woken", static_cast<int>(model.woken()));
  RecordProperty("woken_for_nothing", static_cast<int>(model.for_nothing()));
  std::printf("woken: %zu, for nothing: %zu\n", model.woken(),
              model.for_nothing());
  // Those with ?node-meta or ?passing, and gateways that do not stand there.
  EXPECT_LT(model.for_nothing(), model.woken() / 4);
}

}  // namespace
}  // namespace dnsd
