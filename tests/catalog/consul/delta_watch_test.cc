// A mirror of a dnsd by what changed, over real sockets: the HTTP API over one
// State, and a DatacenterMirror that fills another. Whatever happens to the
// first (changes at random, a journal too short for them, another run behind
// the same address, one that does not offer it), the second has the same
// nodes, instances and checks, as the API shows them.
#include "catalog/consul/delta_watch.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/consul/datacenter_mirror.h"
#include "catalog/object_json.h"
#include "tests/dnsd/http/api_fixture.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

constexpr uint64_t kPatienceMs = 60'000;

// All of a state, without the indexes.
std::string TextOf(const State& state) {
  std::string text;
  JsonWriter json(&text);
  state.ForEachNode("dc1", [&](const NodeView& node) {
    const NameKey key{"dc1", AsciiLower(node.node->name)};
    std::vector<InstanceView> instances;
    state.ForEachInstanceOnNode(key, [&](InstanceView view) {
      view.stamp = {};
      instances.push_back(view);
    });
    std::vector<CheckView> checks;
    state.ForEachCheckOnNode(key, [&](CheckView view) {
      view.stamp = {};
      checks.push_back(view);
    });
    WriteNodeInfo({node.node, {}}, instances, checks, &json);
    text += "\n";
  });
  return text;
}

// A registry's HTTP API: what a mirror asks of it.
class Upstream {
 public:
  struct Setup {
    size_t names_max = ServiceChanges::kNamesMax;
    bool has_delta = true;
    uint16_t port = 0;
  };

  Upstream(EventLoop* loop, const Setup& setup)
      : blocking_(std::make_unique<Blocking>(loop, &state_, 1)) {
    ApiContext context;
    context.state = &state_;
    context.blocking = blocking_.get();
    context.datacenter = "dc1";
    context.leader_address = "127.0.0.1:8300";
    auto shared = std::make_shared<const ApiContext>(std::move(context));
    std::vector<Route> routes;
    for (auto& family :
         {CatalogRoutes(shared), HealthRoutes(shared, setup.names_max),
          UiRoutes(shared)}) {
      for (const Route& route : family) {
        if (setup.has_delta || route.path != DeltaWatch::kPath) {
          routes.push_back(route);
        }
      }
    }
    routes_.emplace(std::move(routes));
    server_ = std::make_unique<HttpServer>(
        loop,
        [this](const HttpRequest& request, HttpServer::Reply reply) {
          routes_->Handle(request, std::move(reply));
        },
        HttpLimits());
    EXPECT_TRUE(server_->Listen({{"127.0.0.1", setup.port}}).ok());
  }
  ~Upstream() { server_.reset(); }
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;

  void Apply(std::vector<Change> changes) {
    Dirty dirty;
    EXPECT_TRUE(
        state_.Apply({.source = 0, .changes = std::move(changes)}, &dirty)
            .ok());
    blocking_->Wake(dirty.watched);
  }
  // Changes that change nothing much, until the index is `index`.
  void Advance(uint64_t index) {
    for (uint16_t i = 0; state_.index() < index; ++i) {
      Apply({NodeIs("clock", absl::StrCat("10.0.1.", i % 200))});
    }
  }

  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] uint16_t port() const { return server_->listening()[0].port; }

 private:
  State state_;
  std::unique_ptr<Blocking> blocking_;
  std::optional<Routes> routes_;
  std::unique_ptr<HttpServer> server_;
};

// Few names, so that they collide.
class Churn {
 public:
  explicit Churn(uint64_t seed) : random_(seed) {}

  std::vector<Change> Next() {
    const std::string node(1, static_cast<char>('a' + Below(4)));
    const NodeKey key{"dc1", node};
    std::vector<Change> changes = {Node(node)};
    switch (Below(8)) {
      case 0:
        changes.push_back(RemoveInstance{key, Id("i", 6)});
        break;
      case 1:
        if (Below(3) == 0) changes.push_back(RemoveNode{key});
        break;
      case 2:
        changes.push_back(RemoveCheck{key, Id("c", 3)});
        break;
      case 3:  // the node's own
        changes.push_back(CheckIs(node, Id("c", 3), "", Status(), Id("o", 3)));
        break;
      default:
        PutInstance(node, &changes);
    }
    return changes;
  }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }
  std::string Id(const char* prefix, uint64_t bound) {
    return absl::StrCat(prefix, Below(bound));
  }
  HealthStatus Status() { return static_cast<HealthStatus>(Below(3)); }

  UpsertNode Node(const std::string& name) {
    UpsertNode change = NodeIs(name);
    if (Below(4) != 0) return change;
    change.node.address = absl::StrCat("10.0.0.", Below(3));
    change.node.has_meta = Below(2) == 0;
    if (change.node.has_meta && Below(2) == 0)
      change.node.meta["k"] = Id("v", 2);
    change.node.has_tagged_addresses = Below(2) == 0;
    if (Below(4) == 0) change.node.name = AsciiUpper(name);
    return change;
  }
  static std::string AsciiUpper(std::string text) {
    for (char& c : text) c = static_cast<char>(c - 'a' + 'A');
    return text;
  }
  void PutInstance(const std::string& node, std::vector<Change>* changes) {
    UpsertInstance change = InstanceIs(node, Id("i", 6), Id("s", 5),
                                       static_cast<uint16_t>(Below(3)));
    ServiceInstance& instance = change.instance;
    instance.has_meta = Below(2) == 0;
    if (instance.has_meta && Below(2) == 0) instance.meta["m"] = Id("v", 2);
    if (Below(3) == 0) instance.tags = {Id("t", 2)};
    if (Below(3) == 0) instance.weights = {static_cast<int>(Below(3)) + 1, 0};
    if (Below(4) == 0) {
      instance.kind = ServiceKind::kConnectProxy;
      instance.mesh.Edit().proxy_destination = Id("s", 5);
      instance.mesh.Edit().proxy_json = absl::StrCat(
          R"({"DestinationServiceName":")", instance.mesh->proxy_destination,
          R"(","Config":{"x":null}})");
    }
    const std::string id = instance.id;
    changes->push_back(std::move(change));
    if (Below(2) == 0) return;
    // One of an instance, which may have been the node's or another's.
    UpsertCheck check = CheckIs(node, Id("c", 3), id, Status(), Id("o", 3));
    check.check.type = Id("type", 2);
    if (Below(2) == 0) check.check.definition_json = R"({"Interval":"1s"})";
    changes->push_back(std::move(check));
  }

  std::mt19937_64 random_;
};

class DeltaWatchTest : public ::testing::Test {
 protected:
  DeltaWatchTest() : churn_(testing::TestSeed()) {}
  ~DeltaWatchTest() override {
    mirror_.reset();
    client_.reset();
    upstream_.reset();
  }

  void Start(const Upstream::Setup& setup, int64_t hold_ms = 0) {
    upstream_ = std::make_unique<Upstream>(&loop_, setup);
    port_ = upstream_->port();
    Change(20);
    ConsulOptions options;
    options.addresses = {{absl::StrCat("http://127.0.0.1:", port_), ""}};
    options.wait_ms = 2'000;
    options.hold_ms = hold_ms;
    client_.emplace(&loop_, options);
    mirror_.emplace(
        &loop_, &*client_, options, "dc1",
        DatacenterMirror::Events{
            [this](const Changes& changes) { Take(changes); }, [] {}, [] {}});
    mirror_->SetWatchBudget(100);
    mirror_->Start();
    ASSERT_TRUE(WaitUntilSame());
  }
  // Another process has the address.
  void Replace(Upstream::Setup setup) {
    upstream_.reset();
    setup.port = port_;
    upstream_ = std::make_unique<Upstream>(&loop_, setup);
  }

  void Change(int count) {
    for (int i = 0; i < count; ++i) upstream_->Apply(churn_.Next());
  }
  void Take(const Changes& changes) {
    Dirty dirty;
    EXPECT_TRUE(mine_.Apply({.source = 0, .changes = changes}, &dirty).ok());
  }

  template <typename Done>
  bool WaitUntil(Done done) {
    Timer tick(&loop_, [] {});
    tick.Start(10, 10);
    const uint64_t end_ms = uv_now(loop_.uv()) + kPatienceMs;
    while (!done()) {
      if (uv_now(loop_.uv()) > end_ms) return false;
      uv_run(loop_.uv(), UV_RUN_ONCE);
    }
    return true;
  }
  bool WaitUntilSame() {
    if (WaitUntil(
            [this] { return TextOf(mine_) == TextOf(upstream_->state()); }))
      return true;
    ADD_FAILURE() << "expected " << TextOf(upstream_->state()) << "got "
                  << TextOf(mine_) << "error: " << mirror_->status().last_error;
    return false;
  }
  bool WaitUntilFollowed(bool by_delta) {
    return WaitUntil([&] {
      const MirrorStatus status = mirror_->status();
      return status.by_delta == by_delta && status.phase == kWatching;
    });
  }

  const std::string kWatching = "watching";
  EventLoop loop_;
  Churn churn_;
  uint16_t port_ = 0;
  std::unique_ptr<Upstream> upstream_;
  State mine_;
  std::optional<ConsulClient> client_;
  std::optional<DatacenterMirror> mirror_;
};

TEST_F(DeltaWatchTest, FollowsWhateverChanges) {
  Start({});
  EXPECT_TRUE(mirror_->status().by_delta);
  const int rounds = testing::Scaled(120);
  for (int i = 0; i < rounds; ++i) {
    Change(1 + i % 4);
    ASSERT_TRUE(WaitUntilSame()) << "round " << i;
  }
  EXPECT_LT(mirror_->status().loads, 5u);
  EXPECT_EQ(mirror_->status().sweeps, 0u);
  EXPECT_EQ(mirror_->status().cold_services, 0u);
  // Those for what changed, and for prepared queries, which this does not have.
  EXPECT_LE(mirror_->status().watches, 2u);
  EXPECT_LE(mirror_->status().deltas, static_cast<uint64_t>(rounds) * 4);
}

TEST_F(DeltaWatchTest, AnswersAreOnePerChange) {
  Start({});
  const uint64_t before = mirror_->status().deltas;
  for (int i = 0; i < 50; ++i) {
    upstream_->Apply({NodeIs("solo", absl::StrCat("10.1.0.", i)),
                      InstanceIs("solo", "w", "web", static_cast<uint16_t>(i)),
                      CheckIs("solo", "w", "w", HealthStatus::kWarning)});
    ASSERT_TRUE(WaitUntilSame());
  }
  EXPECT_EQ(mirror_->status().deltas - before, 50u);
}

// With room for three names, many changes at once are more than it remembers.
TEST_F(DeltaWatchTest, LoadsAnewWhenTheJournalIsTooShort) {
  Start({.names_max = 3});
  for (int i = 0; i < 6; ++i) {
    Change(40);
    ASSERT_TRUE(WaitUntilSame()) << "round " << i;
    EXPECT_TRUE(WaitUntilFollowed(true));
  }
  EXPECT_GT(mirror_->status().loads, 1u);
}

// Its index is lower, the same, or higher: none of them is believed.
TEST_F(DeltaWatchTest, AnotherRunIsLoadedAnew) {
  Start({});
  for (const int ahead : {-10, 0, 1, 50}) {
    Change(30);
    ASSERT_TRUE(WaitUntilSame());
    const auto index = static_cast<int64_t>(mirror_->status().index);
    Replace({});
    Change(5);
    if (index + ahead > 0) {
      upstream_->Advance(static_cast<uint64_t>(index + ahead));
    }
    ASSERT_TRUE(WaitUntilSame()) << ahead;
    ASSERT_TRUE(WaitUntilFollowed(true));
    Change(3);
    ASSERT_TRUE(WaitUntilSame()) << ahead;
  }
}

TEST_F(DeltaWatchTest, GoesOnByWatchesWithoutIt) {
  Start({});
  Change(10);
  ASSERT_TRUE(WaitUntilSame());
  const std::string known = TextOf(mine_);
  upstream_.reset();
  ASSERT_TRUE(WaitUntil([this] { return mirror_->status().losses == 1; }));
  EXPECT_EQ(TextOf(mine_), known);  // nothing is withdrawn meanwhile
  Replace({.has_delta = false});
  Change(20);
  ASSERT_TRUE(WaitUntilSame());
  ASSERT_TRUE(WaitUntilFollowed(false));
  upstream_->Apply({NodeIs("later"), InstanceIs("later", "l", "later")});
  ASSERT_TRUE(WaitUntilSame());

  Replace({});
  Change(20);
  ASSERT_TRUE(WaitUntilFollowed(true));
  ASSERT_TRUE(WaitUntilSame());
  EXPECT_EQ(mirror_->status().cold_services, 0u);
}

TEST_F(DeltaWatchTest, AShrunkenCatalogIsHeldBack) {
  Start({}, /*hold_ms=*/600'000);
  std::vector<dnsd::Change> many = {NodeIs("big")};
  for (int i = 0; i < 50; ++i) {
    many.push_back(InstanceIs("big", absl::StrCat("b", i), "big"));
  }
  upstream_->Apply(many);
  ASSERT_TRUE(WaitUntilSame());
  const std::string known = TextOf(mine_);
  Replace({});
  upstream_->Apply({NodeIs("big")});
  ASSERT_TRUE(WaitUntil([this] { return mirror_->status().is_held; }));
  EXPECT_EQ(TextOf(mine_), known);
  upstream_->Apply(many);
  ASSERT_TRUE(WaitUntilSame());
  EXPECT_TRUE(mirror_->status().by_delta);
}

}  // namespace
}  // namespace dnsd
