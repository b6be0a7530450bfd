// The catalog's half of the registry: what /v1/catalog/register and
// /v1/catalog/deregister say of any node.
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/registry/registry.h"

namespace dnsd {
namespace {

std::string NodeRecordKey(const NameKey& node) {
  return RecordKey({"catalog", "node", node.second});
}
std::string ServiceRecordKey(const NameKey& node, absl::string_view id) {
  return RecordKey({"catalog", "service", node.second, id});
}
std::string CheckRecordKey(const NameKey& node, absl::string_view id) {
  return RecordKey({"catalog", "check", node.second, id});
}

// A record of one thing on a node; the node itself is not in it.
CatalogRegistration Alone(const Node& node) {
  CatalogRegistration registration;
  registration.node.name = node.name;
  registration.node.address = node.address;
  registration.skip_node_update = true;
  return registration;
}

}  // namespace

absl::Status Registry::Judge(const CatalogRegistration& registration,
                             const NameKey& node) const {
  const std::string& datacenter = registration.node.datacenter;
  if (!datacenter.empty() && datacenter != node.first) {
    return absl::InternalError("No path to datacenter");
  }
  for (const Check& check : registration.checks) {
    const std::string id = check.service_id;
    const bool is_here = id.empty() || (registration.service.has_value() &&
                                        registration.service->id == id);
    if (!is_here && !state_->ViewInstance(node, id).has_value()) {
      return absl::InternalError(absl::StrCat(
          "failed inserting check: Missing service registration on node \"",
          registration.node.name, "\""));
    }
  }
  return absl::OkStatus();
}

void Registry::RegisterCatalog(CatalogRegistration registration, Done done) {
  Node& node = registration.node;
  const NameKey name{definitions_.node.datacenter, AsciiLower(node.name)};
  const absl::Status judged = Judge(registration, name);
  if (!judged.ok()) return done(judged);
  node.datacenter = name.first;
  if (name == LocalName()) return RegisterOnThisNode(registration, done);

  const NodeKey key{name.first, node.name};
  const Stamp now{state_->index() + 1, state_->index() + 1};
  auto stamp = [&](const auto& view) {
    return Stamp{view.has_value() ? view->stamp.create_index : now.create_index,
                 now.modify_index};
  };
  Writes writes;
  Changes changes;
  const auto renamed = node_of_id_.find(node.id);
  if (!node.id.empty() && renamed != node_of_id_.end() &&
      AsciiLower(renamed->second) != name.second) {
    AddNodeErasure({name.first, AsciiLower(renamed->second)}, &writes,
                   &changes);
  }
  const auto known = state_->ViewNode(name);
  if (!known.has_value() ||
      (!registration.skip_node_update && !(*known->node == node))) {
    CatalogRegistration alone;
    alone.node = node;
    writes.push_back(
        {NodeRecordKey(name),
         EncodeStamped(stamp(known), EncodeCatalogRegistration(alone))});
    changes.push_back(UpsertNode{node});
  }
  if (registration.service.has_value()) {
    const ServiceInstance& service = *registration.service;
    const auto before = state_->ViewInstance(name, service.id);
    if (!before.has_value() || !(*before->instance == service)) {
      CatalogRegistration alone = Alone(node);
      alone.service = service;
      writes.push_back(
          {ServiceRecordKey(name, service.id),
           EncodeStamped(stamp(before), EncodeCatalogRegistration(alone))});
      changes.push_back(UpsertInstance{key, service});
    }
  }
  for (const Check& check : registration.checks) {
    const auto before = state_->ViewCheck(name, check.id);
    if (before.has_value() && *before->check == check) continue;
    CatalogRegistration alone = Alone(node);
    alone.checks.push_back(check);
    writes.push_back(
        {CheckRecordKey(name, check.id),
         EncodeStamped(stamp(before), EncodeCatalogRegistration(alone))});
    changes.push_back(UpsertCheck{key, check});
  }
  if (writes.empty()) {
    return options_.when_published([done] { done(absl::OkStatus()); });
  }
  auto apply = [this, id = node.id, node_name = node.name,
                changes = std::move(changes)]() mutable {
    if (!id.empty()) node_of_id_[id] = node_name;
    Emit(std::move(changes));
  };
  Submit(std::move(writes), std::move(apply), std::move(done));
}

void Registry::AddNodeErasure(const NameKey& node, Writes* writes,
                              Changes* changes) const {
  const Node* known = state_->FindNode(node);
  if (known == nullptr) return;
  writes->push_back({NodeRecordKey(node), std::nullopt});
  state_->ForEachInstanceOnNode(node, [&](const InstanceView& view) {
    writes->push_back(
        {ServiceRecordKey(node, view.instance->id), std::nullopt});
  });
  state_->ForEachCheckOnNode(node, [&](const CheckView& view) {
    writes->push_back({CheckRecordKey(node, view.check->id), std::nullopt});
  });
  changes->push_back(RemoveNode{{node.first, known->name}});
}

void Registry::DeregisterCatalog(CatalogDeregistration deregistration,
                                 Done done) {
  const std::string& datacenter = deregistration.datacenter;
  const NameKey name{definitions_.node.datacenter,
                     AsciiLower(deregistration.node)};
  if (!datacenter.empty() && AsciiLower(datacenter) != name.first) {
    return done(absl::InternalError("No path to datacenter"));
  }
  const NodeKey key{name.first, deregistration.node};
  const bool is_local = name == LocalName();
  Writes writes;
  Changes changes;
  std::string id;  // of the node that goes
  if (!deregistration.service_id.empty()) {
    const std::string& service = deregistration.service_id;
    const auto view = state_->ViewInstance(name, service);
    if (view.has_value()) {
      writes.push_back({ServiceRecordKey(name, service), std::nullopt});
      state_->ForEachCheckOf(*view, [&](const CheckView& check) {
        if (check.check->service_id.empty()) return;
        writes.push_back({CheckRecordKey(name, check.check->id), std::nullopt});
      });
      changes.push_back(RemoveInstance{key, service});
      if (is_local) foreign_services_.insert(service);
    }
  } else if (!deregistration.check_id.empty()) {
    const std::string& check = deregistration.check_id;
    if (state_->ViewCheck(name, check).has_value()) {
      writes.push_back({CheckRecordKey(name, check), std::nullopt});
      changes.push_back(RemoveCheck{key, check});
      if (is_local) foreign_checks_.insert(check);
    }
  } else if (!is_local) {
    // This agent's own node would be back at once.
    if (const Node* node = state_->FindNode(name)) id = node->id;
    AddNodeErasure(name, &writes, &changes);
  }
  if (changes.empty() || is_local) {
    Emit(std::move(changes));
    return options_.when_published([done] { done(absl::OkStatus()); });
  }
  auto apply = [this, id, changes = std::move(changes)]() mutable {
    if (!id.empty()) node_of_id_.erase(id);
    Emit(std::move(changes));
  };
  Submit(std::move(writes), std::move(apply), std::move(done));
}

void Registry::RegisterOnThisNode(const CatalogRegistration& registration,
                                  Done done) {
  const NodeKey key = LocalKey();
  Changes changes;
  Writes writes;
  if (registration.service.has_value()) {
    const ServiceInstance& service = *registration.service;
    const AgentService* own = agent_.FindService(service.id);
    if (own != nullptr && own->instance.enable_tag_override) {
      AgentService tagged = *own;
      tagged.instance.tags = service.tags;
      if (tagged.origin == Origin::kApi) {
        ServiceDefinition alone;
        alone.instance = tagged.instance;
        alone.token = tagged.token;
        writes.push_back({RecordKey({"agent", "service", service.id}),
                          EncodeService(alone)});
      }
      agent_.PutService(std::move(tagged));
    }
    foreign_services_.insert(service.id);
    changes.push_back(UpsertInstance{key, service});
  }
  for (const Check& check : registration.checks) {
    foreign_checks_.insert(check.id);
    changes.push_back(UpsertCheck{key, check});
  }
  auto apply = [this, changes = std::move(changes)]() mutable {
    Emit(std::move(changes));
  };
  if (!writes.empty()) {
    return Submit(std::move(writes), std::move(apply), std::move(done));
  }
  apply();
  options_.when_published([done] { done(absl::OkStatus()); });
}

void Registry::AntiEntropy() {
  Changes changes;
  for (const std::string& id : foreign_services_) {
    if (const AgentService* own = agent_.FindService(id)) {
      changes.push_back(UpsertInstance{LocalKey(), own->instance});
      for (const std::string& check : agent_.ChecksOf(id)) {
        foreign_checks_.insert(check);
      }
    } else {
      changes.push_back(RemoveInstance{LocalKey(), id});
    }
  }
  for (const std::string& id : foreign_checks_) {
    if (const AgentCheck* own = agent_.FindCheck(id)) {
      changes.push_back(UpsertCheck{LocalKey(), own->check});
    } else {
      changes.push_back(RemoveCheck{LocalKey(), id});
    }
  }
  if (!changes.empty()) AddServer(&changes);
  foreign_services_.clear();
  foreign_checks_.clear();
  Emit(std::move(changes));
}

}  // namespace dnsd
