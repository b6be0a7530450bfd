// MirrorTable against a model of a Consul that changes at random: answers of
// its watches are made at one time and arrive at another, in any order between
// watches. When all have caught up, the catalog that the table's changes made
// must be the one that a complete load makes.
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "catalog/consul/mirror_table.h"
#include "catalog/state.h"
#include "gtest/gtest.h"
#include "tests/testing/catalog_maker.h"
#include "tests/testing/seeds.h"

namespace dnsd {
namespace {

using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using testing::Scaled;
using testing::TestSeed;

constexpr int kNodes = 6;
constexpr int kServices = 5;

// A Consul's catalog and the indexes of its answers, as Consul has them: a
// change of a node or of its own checks concerns all services on it.
class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {}

  void Change() {
    ++index_;
    const std::string node = absl::StrCat("n", Pick(kNodes));
    switch (Pick(8)) {
      case 0:
        return PutNode(node);
      case 1:
        return RemoveNode(node);
      case 2:
      case 3:
        return PutInstance(node);
      case 4:
        return RemoveInstance(node);
      case 5:
      case 6:
        return PutCheck(node);
      default:
        return RemoveCheck(node);
    }
  }

  [[nodiscard]] std::vector<NodeReport> All() const { return Everything(""); }
  [[nodiscard]] uint64_t all_index() const {
    return std::max({nodes_index_, services_index_, checks_index_});
  }
  // With one element for each instance, as /v1/health/service/NAME.
  [[nodiscard]] std::vector<NodeReport> Service(const std::string& name) const {
    return Everything(name);
  }
  [[nodiscard]] uint64_t service_index(const std::string& name) const {
    auto it = service_indexes_.find(name);
    return it == service_indexes_.end() ? 1 : it->second;
  }
  [[nodiscard]] std::vector<NodeReport> Nodes() const {
    std::vector<NodeReport> nodes;
    for (const auto& [name, node] : nodes_) {
      nodes.push_back({node.report.node, node.report.modify_index, {}, {}});
    }
    return nodes;
  }
  [[nodiscard]] uint64_t nodes_index() const { return nodes_index_; }
  [[nodiscard]] std::vector<CheckReport> Checks(HealthStatus status) const {
    std::vector<CheckReport> checks;
    for (const auto& [name, node] : nodes_) {
      for (const auto& [id, check] : node.checks) {
        if (check.check.status == status) checks.push_back(check);
      }
    }
    return checks;
  }
  [[nodiscard]] uint64_t checks_index() const { return checks_index_; }
  [[nodiscard]] std::vector<CheckReport> NodeChecks(
      const std::string& name) const {
    std::vector<CheckReport> checks;
    auto it = nodes_.find(name);
    if (it == nodes_.end()) return checks;
    for (const auto& [id, check] : it->second.checks) checks.push_back(check);
    return checks;
  }
  int Pick(int count) {
    return std::uniform_int_distribution<int>(0, count - 1)(random_);
  }

 private:
  struct NodeOf {
    NodeReport report;  // the node alone
    std::map<std::string, InstanceReport> instances;
    std::map<std::string, CheckReport> checks;
  };

  void Touch(const NodeOf& node, const std::string& service_id) {
    for (const auto& [id, instance] : node.instances) {
      if (service_id.empty() || service_id == id) {
        service_indexes_[instance.instance.name] = index_;
      }
    }
  }
  void PutNode(const std::string& name) {
    NodeOf& node = nodes_[name];
    node.report.node = MakeNode(name, absl::StrCat("10.0.0.", Pick(3)));
    node.report.modify_index = nodes_index_ = index_;
    Touch(node, "");
  }
  void RemoveNode(const std::string& name) {
    auto it = nodes_.find(name);
    if (it == nodes_.end()) return;
    Touch(it->second, "");
    if (!it->second.instances.empty()) services_index_ = index_;
    if (!it->second.checks.empty()) checks_index_ = index_;
    nodes_index_ = index_;
    nodes_.erase(it);
  }
  void PutInstance(const std::string& name) {
    if (!nodes_.contains(name)) PutNode(name);
    NodeOf& node = nodes_[name];
    const std::string id = absl::StrCat("i", Pick(4));
    // An id keeps its name: to rename, Consul needs a deregistration.
    const std::string service = absl::StrCat("s", id[1] - '0');
    node.instances[id] = {
        MakeInstance(id, service, "", static_cast<uint16_t>(80 + Pick(3))),
        index_};
    services_index_ = index_;
    Touch(node, id);
  }
  void RemoveInstance(const std::string& name) {
    auto it = nodes_.find(name);
    if (it == nodes_.end() || it->second.instances.empty()) return;
    const std::string id = it->second.instances.begin()->first;
    Touch(it->second, id);
    it->second.instances.erase(id);
    if (std::erase_if(it->second.checks, [&](const auto& check) {
          return check.second.check.service_id == id;
        }) > 0) {
      checks_index_ = index_;
    }
    services_index_ = index_;
  }
  void PutCheck(const std::string& name) {
    auto it = nodes_.find(name);
    if (it == nodes_.end()) return;
    const auto status = static_cast<HealthStatus>(Pick(3));
    CheckReport report;
    report.node = name;
    report.modify_index = index_;
    report.check = MakeCheck("of-node", "", status);
    if (!it->second.instances.empty() && Pick(3) > 0) {
      const InstanceReport& instance = it->second.instances.begin()->second;
      const std::string& id = instance.instance.id;
      report.check = MakeCheck("of-" + id, id, status);
      report.service_name = instance.instance.name;
    }
    it->second.checks[report.check.id] = report;
    checks_index_ = index_;
    Touch(it->second, report.check.service_id);
  }
  void RemoveCheck(const std::string& name) {
    auto it = nodes_.find(name);
    if (it == nodes_.end() || it->second.checks.empty()) return;
    auto check = it->second.checks.begin();
    Touch(it->second, check->second.check.service_id);
    it->second.checks.erase(check);
    checks_index_ = index_;
  }

  [[nodiscard]] std::vector<NodeReport> Everything(
      const std::string& service) const {
    std::vector<NodeReport> reports;
    for (const auto& [name, node] : nodes_) {
      NodeReport all = node.report;
      for (const auto& [id, instance] : node.instances) {
        all.instances.push_back(instance);
        if (instance.instance.name != service) continue;
        NodeReport one = node.report;
        one.instances.push_back(instance);
        for (const auto& [check_id, check] : node.checks) {
          const std::string& of = check.check.service_id;
          if (of.empty() || of == id) one.checks.push_back(check);
        }
        reports.push_back(std::move(one));
      }
      for (const auto& [id, check] : node.checks) all.checks.push_back(check);
      if (service.empty()) reports.push_back(std::move(all));
    }
    return reports;
  }

  std::mt19937_64 random_;
  uint64_t index_ = 10;
  uint64_t nodes_index_ = 1;
  uint64_t services_index_ = 1;
  uint64_t checks_index_ = 1;
  std::map<std::string, uint64_t> service_indexes_;
  std::map<std::string, NodeOf> nodes_;
};

// Checks of a node without instances are left out: no watch of a service tells
// them, and no answer shows them.
std::string Dump(const State& state) {
  std::string text;
  for (const NameKey& key : state.Everything().nodes) {
    const Node* node = state.FindNode(key);
    if (node == nullptr) continue;
    absl::StrAppend(&text, node->name, " ", node->address, "\n");
    bool is_empty = true;
    state.ForEachInstanceOnNode(key, [&](const InstanceView& view) {
      is_empty = false;
      absl::StrAppend(&text, "  ", view.instance->id.view(), " ",
                      *view.instance->name, ":", view.instance->port, " ",
                      HealthStatusName(view.health), "\n");
    });
    state.ForEachCheckOnNode(key, [&](const CheckView& view) {
      if (is_empty) return;
      const Check& check = *view.check;
      absl::StrAppend(&text, "  check ", check.id.view(), " ",
                      HealthStatusName(check.status), "\n");
    });
  }
  return text;
}

// The watches of a mirror, and the catalog that its changes make.
class Mirror {
 public:
  Mirror(World* world, bool watches_services)
      : world_(world), watches_services_(watches_services) {}

  void Load() {
    Changes changes;
    table_.ApplyAll(world_->all_index(), world_->All(), /*reset=*/true,
                    &changes);
    Apply(std::move(changes));
    answers_.clear();
    for (const std::string& path : Paths()) seen_[path] = world_->all_index();
  }
  // The watch gets its answer now, and it arrives later.
  void Ask(const std::string& path) {
    const uint64_t index = IndexOf(path);
    if (answers_.contains(path) || index <= seen_[path]) return;
    Answer answer;
    answer.index = seen_[path] = index;
    if (path == "all") answer.nodes = world_->All();
    if (path == "nodes") answer.nodes = world_->Nodes();
    if (path[0] == 's') answer.nodes = world_->Service(path);
    if (path == "critical") {
      answer.checks = world_->Checks(HealthStatus::kCritical);
    }
    if (path == "warning") {
      answer.checks = world_->Checks(HealthStatus::kWarning);
    }
    answers_[path] = std::move(answer);
  }
  void Arrive(const std::string& path) {
    auto it = answers_.find(path);
    if (it == answers_.end()) return;
    const Answer answer = std::move(it->second);
    answers_.erase(it);
    Changes changes;
    MirrorTable::Unknown unknown;
    if (path == "all") {
      table_.ApplyAll(answer.index, answer.nodes, /*reset=*/false, &changes);
    } else if (path == "nodes") {
      table_.ApplyNodes(answer.index, answer.nodes, &changes);
    } else if (path[0] == 's') {
      table_.ApplyService(path, answer.index, answer.nodes, &changes);
    } else {
      table_.ApplyState(
          path == "critical" ? HealthStatus::kCritical : HealthStatus::kWarning,
          answer.index, answer.checks, &changes, &unknown);
    }
    // What is asked for again comes at once here.
    unknown.services.merge(unknown.unsettled);
    for (const std::string& name : unknown.services) {
      table_.ApplyService(name, world_->service_index(name),
                          world_->Service(name), &changes);
    }
    for (const std::string& name : unknown.nodes) {
      table_.ApplyNodeChecks(name, world_->checks_index(),
                             world_->NodeChecks(name), &changes);
    }
    Apply(std::move(changes));
  }
  [[nodiscard]] std::vector<std::string> Paths() const {
    std::vector<std::string> paths = {"nodes"};
    for (int i = 0; i < kServices && watches_services_; ++i) {
      paths.push_back(absl::StrCat("s", i));
    }
    if (!watches_services_) {
      for (const char* path : {"all", "critical", "warning"}) {
        paths.emplace_back(path);
      }
    }
    return paths;
  }
  void CatchUp() {
    for (int round = 0; round < 2; ++round) {
      for (const std::string& path : Paths()) {
        Arrive(path);
        Ask(path);
        Arrive(path);
      }
    }
  }
  [[nodiscard]] const State& state() const { return state_; }
  [[nodiscard]] const MirrorTable& table() const { return table_; }

 private:
  struct Answer {
    uint64_t index = 0;
    std::vector<NodeReport> nodes;
    std::vector<CheckReport> checks;
  };

  [[nodiscard]] uint64_t IndexOf(const std::string& path) const {
    if (path == "all") return world_->all_index();
    if (path == "nodes") return world_->nodes_index();
    if (path[0] == 's') return world_->service_index(path);
    return world_->checks_index();
  }
  void Apply(Changes changes) {
    Dirty dirty;
    const absl::Status applied =
        state_.Apply({1, /*complete=*/false, std::move(changes)}, &dirty);
    EXPECT_TRUE(applied.ok()) << applied;
  }

  World* world_;
  const bool watches_services_;
  MirrorTable table_{"dc1"};
  State state_;
  std::map<std::string, uint64_t> seen_;
  std::map<std::string, Answer> answers_;
};

void ExpectSame(const World& world, const Mirror& mirror) {
  MirrorTable whole("dc1");
  Changes changes;
  whole.ApplyAll(world.all_index(), world.All(), /*reset=*/true, &changes);
  State state;
  Dirty dirty;
  ASSERT_TRUE(
      state.Apply({1, /*complete=*/true, std::move(changes)}, &dirty).ok());
  ASSERT_EQ(Dump(mirror.state()), Dump(state));
  EXPECT_EQ(mirror.table().node_count(), whole.node_count());
  EXPECT_EQ(mirror.table().instance_count(), whole.instance_count());
  EXPECT_EQ(mirror.table().service_names(), whole.service_names());
}

void RunModel(uint64_t seed, bool watches_services) {
  World world(seed);
  for (int i = 0; i < 20; ++i) world.Change();
  Mirror mirror(&world, watches_services);
  mirror.Load();
  ExpectSame(world, mirror);
  for (int step = 0; step < Scaled(200); ++step) {
    for (int i = world.Pick(12); i >= 0; --i) {
      const std::vector<std::string> paths = mirror.Paths();
      const auto& path = paths[static_cast<size_t>(
          world.Pick(static_cast<int>(paths.size())))];
      switch (world.Pick(3)) {
        case 0:
          world.Change();
          break;
        case 1:
          mirror.Ask(path);
          break;
        default:
          mirror.Arrive(path);
          break;
      }
    }
    mirror.CatchUp();
    ExpectSame(world, mirror);
    if (::testing::Test::HasFatalFailure()) {
      FAIL() << "seed " << seed << " step " << step;
    }
  }
}

TEST(MirrorTableModel, OverlappingAnswersOfAllServicesEndInTheSameCatalog) {
  const uint64_t seed = TestSeed();
  for (uint64_t run = 0; run < 20; ++run) {
    RunModel(seed + run, /*watches_services=*/true);
    if (HasFatalFailure()) return;
  }
}

TEST(MirrorTableModel, SweepsAndUnhealthyChecksEndInTheSameCatalog) {
  const uint64_t seed = TestSeed();
  for (uint64_t run = 0; run < 20; ++run) {
    RunModel(seed + run, /*watches_services=*/false);
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace dnsd
