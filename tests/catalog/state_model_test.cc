// State against a naive model: every source's words in one std::map, and
// every question answered by walking all of it. After each random batch both
// must show the same catalog, and what a batch changed must be dirty.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "catalog/state.h"
#include "tests/testing/catalog_maker.h"
#include "tests/testing/seeds.h"
#include "zones/random.h"

namespace dnsd {
namespace {

using testing::BatchMaker;
using testing::MakeCheck;
using testing::MakeInstance;
using testing::MakeNode;
using testing::Scaled;
using testing::TestSeed;

struct Said {
  Node node;
  std::map<std::string, ServiceInstance> instances;
  std::map<std::string, Check> checks;
};

struct Shown {  // an InstanceView by value
  Node node;
  ServiceInstance instance;
  HealthStatus health;

  bool operator==(const Shown&) const = default;
};

std::vector<std::string> Stands(const ServiceInstance& instance) {
  switch (instance.kind) {
    case ServiceKind::kIngressGateway:
      return instance.mesh->gateway_services;
    case ServiceKind::kConnectProxy:
      return {instance.mesh->proxy_destination};
    default:
      if (instance.connect_native) return {instance.name};
      return {};
  }
}

class Model {
 public:
  void Apply(const ChangeBatch& batch) {
    if (batch.complete) {
      std::erase_if(said_, [&](const auto& item) {
        return item.first.second == batch.source;
      });
      std::erase_if(queries_, [&](const auto& item) {
        return item.first.second == batch.source;
      });
    }
    for (const Change& change : batch.changes) {
      std::visit([&](const auto& c) { One(batch.source, c); }, change);
    }
  }

  std::map<NameKey, Node> Nodes() const {
    std::map<NameKey, Node> nodes;  // emplace: the smallest source stays
    for (const auto& [key, said] : said_) nodes.emplace(key.first, said.node);
    return nodes;
  }

  std::map<NameKey, PreparedQuery> Queries() const {
    std::map<NameKey, PreparedQuery> queries;
    for (const auto& [key, query] : queries_) queries.emplace(key.first, query);
    return queries;
  }

  // Every instance under the names it has (mesh: stands for), in order.
  std::map<NameKey, std::vector<Shown>> Services(bool mesh) const {
    std::map<NameKey, std::vector<Shown>> services;
    for (const auto& [node_key, node] : Nodes()) {
      std::map<std::string, ServiceInstance> instances;
      for (const auto& [key, said] : said_) {
        if (key.first != node_key) continue;
        instances.insert(said.instances.begin(), said.instances.end());
      }
      for (const auto& [id, instance] : instances) {
        std::vector<std::string> names = {instance.name};
        if (mesh) names = Stands(instance);
        std::set<std::string> unique;
        for (const std::string& name : names) unique.insert(AsciiLower(name));
        for (const std::string& name : unique) {
          services[{node_key.first, name}].push_back(
              {node, instance, Health(node_key, id)});
        }
      }
    }
    return services;
  }

 private:
  Said* Find(SourceId source, const NodeKey& key) {
    auto it = said_.find({{key.datacenter, AsciiLower(key.node)}, source});
    return it == said_.end() ? nullptr : &it->second;
  }

  void One(SourceId source, const UpsertNode& c) {
    said_[{{c.node.datacenter, AsciiLower(c.node.name)}, source}].node = c.node;
  }
  void One(SourceId source, const RemoveNode& c) {
    said_.erase({{c.key.datacenter, AsciiLower(c.key.node)}, source});
  }
  void One(SourceId source, const UpsertInstance& c) {
    if (Said* said = Find(source, c.key)) {
      said->instances[c.instance.id] = c.instance;
    }
  }
  void One(SourceId source, const RemoveInstance& c) {
    Said* said = Find(source, c.key);
    if (said == nullptr || said->instances.erase(c.service_id) == 0) return;
    std::erase_if(said->checks, [&](const auto& item) {
      return item.second.service_id == c.service_id;
    });
  }
  void One(SourceId source, const UpsertCheck& c) {
    if (Said* said = Find(source, c.key)) said->checks[c.check.id] = c.check;
  }
  void One(SourceId source, const RemoveCheck& c) {
    if (Said* said = Find(source, c.key)) said->checks.erase(c.check_id);
  }

  void One(SourceId source, const UpsertQuery& c) {
    queries_[{{c.datacenter, AsciiLower(c.query.id)}, source}] = c.query;
  }
  void One(SourceId source, const RemoveQuery& c) {
    queries_.erase({{c.datacenter, AsciiLower(c.id)}, source});
  }

  // The worst of the checks that concern the instance; of checks with one id
  // that of the smallest source.
  HealthStatus Health(const NameKey& node, const std::string& id) const {
    std::map<std::string, HealthStatus> concern;
    for (const auto& [key, said] : said_) {
      if (key.first != node) continue;
      for (const auto& [check_id, check] : said.checks) {
        if (check.service_id.empty() || check.service_id == id) {
          concern.emplace(check_id, check.status);
        }
      }
    }
    HealthStatus worst = HealthStatus::kPassing;
    for (const auto& [check_id, status] : concern) {
      worst = std::max(worst, status);
    }
    return worst;
  }

  std::map<std::pair<NameKey, SourceId>, Said> said_;
  std::map<std::pair<NameKey, SourceId>, PreparedQuery> queries_;
};

// What a reader of the catalog can see, by name.
struct Picture {
  std::map<NameKey, Node> nodes;
  std::map<NameKey, std::vector<Shown>> services;
  std::map<NameKey, std::vector<Shown>> mesh;
  std::map<NameKey, PreparedQuery> queries;
};

Picture Of(const Model& model) {
  return {model.Nodes(), model.Services(false), model.Services(true),
          model.Queries()};
}

Picture Of(const State& state) {
  Picture picture;
  const Dirty all = state.Everything();
  for (const NameKey& key : all.nodes) {
    picture.nodes[key] = *state.FindNode(key);
  }
  for (const NameKey& key : all.services) {
    state.ForEachInstance(key, [&](const InstanceView& v) {
      picture.services[key].push_back({*v.node, *v.instance, v.health});
    });
    state.ForEachMeshInstance(key, [&](const InstanceView& v) {
      picture.mesh[key].push_back({*v.node, *v.instance, v.health});
    });
  }
  for (const char* datacenter : {"dc1", "dc2"}) {
    state.ForEachQuery(datacenter, [&](const PreparedQuery& query) {
      picture.queries[{datacenter, AsciiLower(query.id)}] = query;
    });
  }
  return picture;
}

// Small sets of names, so that changes meet each other.
class ChangeMaker {
 public:
  explicit ChangeMaker(Random* random) : random_(random) {}

  ChangeBatch Batch() {
    BatchMaker batch(static_cast<SourceId>(random_->Below(3)));
    if (random_->Below(8) == 0) {
      Complete(&batch);
    } else {
      for (uint32_t i = random_->Below(6); i <= 6; ++i) Partial(&batch);
    }
    return batch.batch();
  }

 private:
  NodeKey Key() {
    // One node name in two spellings.
    static const char* const kNodes[] = {"n1", "n2", "N2", "n3"};
    return {random_->Below(4) == 0 ? "dc2" : "dc1", kNodes[random_->Below(4)]};
  }
  std::string Id() { return std::string(1, static_cast<char>(Letter(4))); }
  uint32_t Letter(uint32_t count) { return 'a' + random_->Below(count); }
  HealthStatus Status() { return static_cast<HealthStatus>(random_->Below(3)); }
  Node RandomNode(const NodeKey& key) {
    return MakeNode(key.node, "10.0.0." + std::to_string(random_->Below(3)),
                    key.datacenter);
  }
  ServiceInstance Instance(const std::string& id) {
    static const char* const kServices[] = {"web", "WEB", "api", "db"};
    ServiceInstance instance =
        MakeInstance(id, kServices[random_->Below(4)], "",
                     static_cast<uint16_t>(random_->Below(2)));
    switch (random_->Below(6)) {
      case 0:
        instance.kind = ServiceKind::kConnectProxy;
        instance.mesh.Edit().proxy_destination = kServices[random_->Below(4)];
        break;
      case 1:
        instance.kind = ServiceKind::kIngressGateway;
        instance.mesh.Edit().gateway_services = {kServices[random_->Below(4)],
                                                 "api"};
        break;
      case 2:
        instance.connect_native = true;
        break;
      default:
        break;
    }
    return instance;
  }

  PreparedQuery Query() {
    PreparedQuery query;
    query.id = random_->Below(4) == 0 ? "A" : Id();  // as "a"
    query.name = "q" + Id();
    return query;
  }

  void Partial(BatchMaker* batch) {
    const NodeKey key = Key();
    switch (random_->Below(13)) {
      case 0:
        batch->DropNode(key);
        break;
      case 11:
        batch->Put(Query(), key.datacenter);
        break;
      case 12:
        batch->DropQuery(Id(), key.datacenter);
        break;
      case 1:
      case 2:
        batch->Put(RandomNode(key));
        break;
      case 3:
        batch->DropInstance(key, Id());
        break;
      case 4:
      case 5:
      case 6:
        batch->Put(key, Instance(Id()));
        break;
      case 7:
        batch->DropCheck(key, Id());
        break;
      default:
        batch->Put(
            key, MakeCheck(Id(), random_->Below(3) == 0 ? "" : Id(), Status()));
        break;
    }
  }

  // Checks only of instances the batch has too: what becomes of others is
  // the source's mistake and not promised.
  void Complete(BatchMaker* batch) {
    batch->Complete();
    for (uint32_t i = random_->Below(3); i < 3; ++i) {
      batch->Put(Query(), Key().datacenter);
    }
    for (uint32_t i = random_->Below(4); i < 4; ++i) {
      const NodeKey key = Key();
      batch->Put(RandomNode(key));
      for (uint32_t j = random_->Below(4); j < 4; ++j) {
        const std::string id = Id();
        batch->Put(key, Instance(id));
        batch->Put(key,
                   MakeCheck(Id(), random_->Below(3) == 0 ? "" : id, Status()));
      }
    }
  }

  Random* random_;
};

template <typename V>
std::set<NameKey> Differences(const std::map<NameKey, V>& a,
                              const std::map<NameKey, V>& b) {
  std::set<NameKey> keys;
  for (const auto& [key, value] : a) {
    auto it = b.find(key);
    if (it == b.end() || !(it->second == value)) keys.insert(key);
  }
  for (const auto& [key, value] : b) {
    if (!a.contains(key)) keys.insert(key);
  }
  return keys;
}

void ExpectCovers(const std::set<NameKey>& dirty, std::set<NameKey> changed,
                  const char* what) {
  for (const NameKey& key : changed) {
    EXPECT_TRUE(dirty.contains(key))
        << what << " " << key.second << " in " << key.first
        << " changed but is not dirty";
  }
}

TEST(StateModel, RandomBatchesShowTheSameCatalogAndDirtyWhatChanged) {
  Random random(TestSeed());
  for (int round = 0; round < Scaled(60); ++round) {
    State state;
    Model model;
    ChangeMaker maker(&random);
    Picture before;
    for (int step = 0; step < 60; ++step) {
      SCOPED_TRACE(::testing::Message()
                   << "round " << round << " step " << step);
      const ChangeBatch batch = maker.Batch();
      Dirty dirty;
      state.Apply(batch, &dirty).IgnoreError();
      model.Apply(batch);
      Picture wanted = Of(model);
      const Picture got = Of(state);
      ASSERT_EQ(Differences(wanted.nodes, got.nodes), std::set<NameKey>());
      ASSERT_EQ(Differences(wanted.services, got.services),
                std::set<NameKey>());
      ASSERT_EQ(Differences(wanted.mesh, got.mesh), std::set<NameKey>());
      const std::set<NameKey> changed =
          Differences(before.queries, wanted.queries);
      ASSERT_EQ(Differences(wanted.queries, got.queries), std::set<NameKey>());
      ASSERT_EQ(state.Everything().queries.size(), wanted.queries.size());
      ExpectCovers(dirty.queries, changed, "query");
      ExpectCovers(dirty.nodes, Differences(before.nodes, wanted.nodes),
                   "node");
      ExpectCovers(dirty.services,
                   Differences(before.services, wanted.services), "service");
      ExpectCovers(dirty.services, Differences(before.mesh, wanted.mesh),
                   "mesh name");
      size_t count = 0;
      for (const auto& [key, list] : wanted.services) count += list.size();
      ASSERT_EQ(state.instance_count(), count);
      ASSERT_EQ(state.node_count(), wanted.nodes.size());
      before = std::move(wanted);
    }
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace dnsd
