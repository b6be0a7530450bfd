#include "catalog/consul/consul_decode.h"

#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/consul/consul_objects.h"
#include "catalog/consul/json_walk.h"

namespace dnsd {
namespace {

using Json = JsonWalk::Json;
using absl::string_view;

// Reads a list of nodes, each by `read` of ObjectReader.
absl::StatusOr<std::vector<NodeReport>> DecodeList(
    const char* what, std::string* body, const std::string& datacenter,
    bool (ObjectReader::*read)(Json, NodeReport*, std::string*)) {
  JsonWalk walk(what, body);
  ObjectReader reader(&walk, datacenter);
  std::vector<NodeReport> nodes;
  absl::Status status = walk.Document([&](Json json) {
    return walk.Items(json, [&](Json item) {
      std::string peer;
      nodes.emplace_back();
      if (!(reader.*read)(item, &nodes.back(), &peer)) return false;
      if (!peer.empty()) nodes.pop_back();
      return true;
    });
  });
  if (!status.ok()) return status;
  return nodes;
}

// Reads the items of a list, each by read(json, &item).
template <typename Item, typename Read>
bool ReadEach(JsonWalk* walk, Json json, std::vector<Item>* out, Read read) {
  return walk->Items(json, [&](Json item) {
    out->emplace_back();
    return read(item, &out->back());
  });
}

// A service's name: {"Name":..} in most releases, or the name itself.
bool ReadServiceName(JsonWalk* walk, Json json, std::string* out) {
  simdjson::ondemand::json_type type;
  if (json.type().get(type) == simdjson::SUCCESS &&
      type == simdjson::ondemand::json_type::string) {
    return walk->String(json, out);
  }
  return walk->Members(json, [&](string_view key, Json value) {
    return key == "Name" ? walk->String(value, out) : walk->Skip(value);
  });
}

}  // namespace

absl::StatusOr<std::vector<NodeReport>> DecodeHealthService(
    std::string* body, const std::string& datacenter) {
  return DecodeList("health/service", body, datacenter,
                    &ObjectReader::ReadHealth);
}

absl::StatusOr<std::vector<NodeReport>> DecodeNodeDump(
    std::string* body, const std::string& datacenter) {
  return DecodeList("internal/ui/nodes", body, datacenter,
                    &ObjectReader::ReadNodeWithAll);
}

absl::StatusOr<std::vector<NodeReport>> DecodeNodes(
    std::string* body, const std::string& datacenter) {
  return DecodeList("catalog/nodes", body, datacenter, &ObjectReader::ReadNode);
}

absl::StatusOr<ServiceNames> DecodeServiceNames(std::string* body) {
  JsonWalk walk("catalog/services", body);
  ServiceNames names;
  absl::Status status = walk.Document([&](Json json) {
    return walk.Members(json, [&](string_view name, Json tags) {
      if (name.empty()) return walk.Fail("a service without a name");
      std::set<std::string>& all =
          names.emplace_hint(names.end(), name, std::set<std::string>())
              ->second;
      return walk.Items(tags, [&](Json item) {
        std::string tag;
        if (!walk.String(item, &tag)) return false;
        all.insert(std::move(tag));
        return true;
      });
    });
  });
  if (!status.ok()) return status;
  return names;
}

absl::StatusOr<std::vector<CheckReport>> DecodeChecks(std::string* body) {
  JsonWalk walk("health checks", body);
  const std::string no_datacenter;
  ObjectReader reader(&walk, no_datacenter);
  std::vector<CheckReport> checks;
  absl::Status status = walk.Document(
      [&](Json json) { return reader.ReadChecks(json, &checks); });
  if (!status.ok()) return status;
  return checks;
}

absl::StatusOr<std::vector<std::string>> DecodeGatewayServices(
    std::string* body) {
  JsonWalk walk("catalog/gateway-services", body);
  std::set<std::string> services;
  absl::Status status = walk.Document([&](Json json) {
    return walk.Items(json, [&](Json item) {
      std::string service;
      std::string kind;
      const bool ok = walk.Members(item, [&](string_view key, Json value) {
        if (key == "Service") return ReadServiceName(&walk, value, &service);
        if (key == "GatewayKind") return walk.String(value, &kind);
        return walk.Skip(value);
      });
      if (!ok) return false;
      if (service.empty()) return walk.Fail("a service without a name");
      if (kind == "ingress-gateway" || kind == "terminating-gateway") {
        services.insert(std::move(service));
      }
      return true;
    });
  });
  if (!status.ok()) return status;
  return std::vector<std::string>(services.begin(), services.end());
}

absl::StatusOr<std::vector<PreparedQuery>> DecodeQueries(std::string* body) {
  JsonWalk walk("query", body);
  QueryReader reader(&walk);
  std::vector<PreparedQuery> queries;
  absl::Status status = walk.Document([&](Json json) {
    return walk.Items(json, [&](Json item) {
      queries.emplace_back();
      return reader.Read(item, &queries.back());
    });
  });
  if (!status.ok()) return status;
  return queries;
}

absl::StatusOr<std::vector<std::string>> DecodeDatacenters(std::string* body) {
  JsonWalk walk("catalog/datacenters", body);
  std::vector<std::string> names;
  absl::Status status =
      walk.Document([&](Json json) { return walk.Strings(json, &names); });
  if (!status.ok()) return status;
  for (std::string& name : names) name = AsciiLower(name);
  return names;
}

absl::StatusOr<DeltaReport> DecodeDelta(std::string* body,
                                        const std::string& datacenter) {
  JsonWalk walk("health/services", body);
  ObjectReader reader(&walk, datacenter);
  DeltaReport delta;
  std::set<std::string> seen;
  const auto read = [&](string_view key, Json value) {
    if (key == "Index") return walk.Uint(value, &delta.index);
    if (key == "Full") return walk.Bool(value, &delta.full);
    if (key == "Run") return walk.String(value, &delta.run);
    if (key == "Gone") return walk.Strings(value, &delta.gone);
    if (key == "GoneNodes") return walk.Strings(value, &delta.gone_nodes);
    if (key == "Nodes") {
      return ReadEach(&walk, value, &delta.nodes, [&](Json item, auto* out) {
        std::string peer;
        return reader.ReadNodeEntry(item, out, &peer);
      });
    }
    if (key != "Services") return walk.Skip(value);
    return walk.Members(value, [&](string_view name, Json entries) {
      return ReadEach(&walk, entries,
                      &delta.services[AsciiLower(std::string(name))],
                      [&](Json item, auto* out) {
                        std::string peer;
                        return reader.ReadHealth(item, out, &peer);
                      });
    });
  };
  absl::Status status = walk.Document([&](Json json) {
    const bool ok = walk.Members(json, [&](string_view key, Json value) {
      seen.emplace(key.data(), key.size());
      return read(key, value);
    });
    if (!ok) return false;
    for (const char* member :
         {"Index", "Full", "Run", "Services", "Gone", "Nodes", "GoneNodes"}) {
      if (!seen.contains(member)) {
        return walk.Fail(absl::StrCat("no ", member));
      }
    }
    if (delta.index == 0) return walk.Fail("the Index is 0");
    return !delta.run.empty() || walk.Fail("the Run is empty");
  });
  if (!status.ok()) return status;
  return delta;
}

std::vector<NodeReport> NodesOf(DeltaReport* delta) {
  std::vector<NodeReport> nodes = std::move(delta->nodes);
  absl::flat_hash_map<std::string, size_t> by_name;
  for (size_t i = 0; i < nodes.size(); ++i) {
    by_name.emplace(AsciiLower(nodes[i].node.name), i);
  }
  for (auto& [name, entries] : delta->services) {
    for (NodeReport& entry : entries) {
      const auto [it, is_new] =
          by_name.try_emplace(AsciiLower(entry.node.name), nodes.size());
      if (is_new) {
        nodes.push_back(std::move(entry));
        continue;
      }
      NodeReport& node = nodes[it->second];
      for (InstanceReport& report : entry.instances) {
        node.instances.push_back(std::move(report));
      }
      // The node's own came with the node.
      for (CheckReport& report : entry.checks) {
        if (report.check.service_id.empty()) continue;
        node.checks.push_back(std::move(report));
      }
    }
  }
  return nodes;
}

absl::StatusOr<SelfReport> DecodeSelf(std::string* body) {
  JsonWalk walk("agent/self", body);
  SelfReport self;
  absl::Status status = walk.Document([&](Json json) {
    const bool ok = walk.Members(json, [&](string_view section, Json config) {
      if (section != "Config") return walk.Skip(config);
      return walk.Members(config, [&](string_view key, Json value) {
        if (key == "Datacenter") return walk.String(value, &self.datacenter);
        if (key == "NodeName") return walk.String(value, &self.node_name);
        if (key == "Version") return walk.String(value, &self.version);
        return walk.Skip(value);
      });
    });
    if (ok && self.datacenter.empty()) return walk.Fail("no datacenter");
    return ok;
  });
  if (!status.ok()) return status;
  self.datacenter = AsciiLower(self.datacenter);
  return self;
}

absl::StatusOr<bool> DecodeHasLeader(std::string* body) {
  JsonWalk walk("status/leader", body);
  std::string leader;
  absl::Status status =
      walk.Document([&](Json json) { return walk.String(json, &leader); });
  if (!status.ok()) return status;
  return !leader.empty();
}

}  // namespace dnsd
