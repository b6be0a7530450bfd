#include "catalog/consul/consul_objects.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "catalog/object_json.h"

namespace dnsd {
namespace {

using absl::string_view;

// Consul keeps any integer as a port and answers with its low 16 bits in DNS
// (measured with 1.8.7: -1 is 65535, 70000 is 4464).
uint16_t PortOf(int64_t port) { return static_cast<uint16_t>(port & 0xFFFF); }

// As Consul replaces both weights when one is out of its range.
Weights WeightsOf(int64_t passing, int64_t warning) {
  constexpr int64_t kMax = 65535;
  if (passing < 1 || passing > kMax || warning < 0 || warning > kMax) return {};
  return {static_cast<int>(passing), static_cast<int>(warning)};
}

ServiceKind KindOf(string_view kind) {
  if (kind == "connect-proxy") return ServiceKind::kConnectProxy;
  if (kind == "mesh-gateway") return ServiceKind::kMeshGateway;
  if (kind == "terminating-gateway") return ServiceKind::kTerminatingGateway;
  if (kind == "ingress-gateway") return ServiceKind::kIngressGateway;
  if (kind == "api-gateway") return ServiceKind::kApiGateway;
  return ServiceKind::kTypical;
}

HealthStatus StatusOf(string_view status) {
  if (status == "passing") return HealthStatus::kPassing;
  if (status == "warning") return HealthStatus::kWarning;
  return HealthStatus::kCritical;
}

// Text that says no more than what is shown without it is not kept: nearly all
// instances have that.
template <typename Write>
void ForgetPlain(const ServiceInstance& instance, Write write,
                 std::string* text) {
  std::string plain;
  JsonWriter json(&plain);
  write(instance, &json);
  if (*text == plain) text->clear();
}

}  // namespace

bool ObjectReader::ReadNode(Json json, NodeReport* out, std::string* peer) {
  bool ok = walk_.Members(json, [&](string_view key, Json value) {
    return NodeMember(key, value, out, peer);
  });
  return (ok && FinishNode(out)) || walk_.Within("node", out->node.name);
}

bool ObjectReader::ReadNodeWithAll(Json json, NodeReport* out,
                                   std::string* peer) {
  bool ok = walk_.Members(json, [&](string_view key, Json value) {
    if (key == "Services") return ReadInstances(value, &out->instances);
    if (key == "Checks") return ReadChecks(value, &out->checks);
    return NodeMember(key, value, out, peer);
  });
  return (ok && FinishNode(out)) || walk_.Within("node", out->node.name);
}

bool ObjectReader::ReadHealth(Json json, NodeReport* out, std::string* peer) {
  InstanceReport instance;
  bool has_node = false;
  bool has_service = false;
  bool ok = walk_.Members(json, [&](string_view key, Json value) {
    if (key == "Node") {
      has_node = true;
      return ReadNode(value, out, peer);
    }
    if (key == "Service") {
      has_service = true;
      return ReadInstance(value, &instance, peer);
    }
    if (key == "Checks") return ReadChecks(value, &out->checks);
    return walk_.Skip(value);
  });
  if (ok && !has_node) ok = walk_.Fail("no Node");
  if (ok && !has_service) ok = walk_.Fail("no Service");
  if (!ok) return walk_.Within("instance on", out->node.name);
  out->instances.push_back(std::move(instance));
  return true;
}

bool ObjectReader::ReadNodeEntry(Json json, NodeReport* out,
                                 std::string* peer) {
  bool ok = walk_.Members(json, [&](string_view key, Json value) {
    if (key == "Node") return ReadNode(value, out, peer);
    if (key == "Checks") return ReadChecks(value, &out->checks);
    return walk_.Skip(value);
  });
  if (ok && out->node.name.empty()) ok = walk_.Fail("no Node");
  return ok || walk_.Within("entry of node", out->node.name);
}

bool ObjectReader::ReadChecks(Json json, std::vector<CheckReport>* out) {
  out->clear();
  return walk_.Items(json, [&](Json item) {
    std::string peer;
    out->emplace_back();
    if (!ReadCheck(item, &out->back(), &peer)) return false;
    if (!peer.empty()) out->pop_back();
    return true;
  });
}

bool ObjectReader::FinishNode(NodeReport* out) {
  Node& node = out->node;
  if (node.name.empty()) return walk_.Fail("no name");
  node.datacenter =
      node.datacenter.empty() ? datacenter_ : AsciiLower(node.datacenter);
  return true;
}

bool ObjectReader::NodeMember(string_view key, Json value, NodeReport* out,
                              std::string* peer) {
  Node& node = out->node;
  if (key == "Node") return walk_.String(value, &node.name);
  if (key == "ID") return walk_.String(value, &node.id);
  if (key == "Address") return walk_.String(value, &node.address);
  if (key == "Datacenter") return walk_.String(value, &node.datacenter);
  if (key == "TaggedAddresses") {
    return walk_.StringMap(value, &node.tagged_addresses,
                           &node.has_tagged_addresses);
  }
  if (key == "Meta") {
    return walk_.StringMap(value, &node.meta, &node.has_meta);
  }
  if (key == "ModifyIndex") return walk_.Uint(value, &out->modify_index);
  if (key == "PeerName") return walk_.String(value, peer);
  return walk_.Skip(value);
}

bool ObjectReader::ReadInstances(Json json, std::vector<InstanceReport>* out) {
  out->clear();
  return walk_.Items(json, [&](Json item) {
    std::string peer;
    out->emplace_back();
    if (!ReadInstance(item, &out->back(), &peer)) return false;
    if (!peer.empty()) out->pop_back();
    return true;
  });
}

bool ObjectReader::ReadInstance(Json json, InstanceReport* out,
                                std::string* peer) {
  ServiceInstance& instance = out->instance;
  bool ok = walk_.Members(json, [&](string_view key, Json value) {
    return InstanceMember(key, value, out, peer);
  });
  if (ok && instance.name.empty()) ok = walk_.Fail("no service name");
  if (ok && instance.id.empty()) ok = walk_.Fail("no id");
  return ok || walk_.Within("service", instance.id);
}

bool ObjectReader::InstanceMember(string_view key, Json value,
                                  InstanceReport* out, std::string* peer) {
  ServiceInstance& instance = out->instance;
  if (key == "ID") return walk_.String(value, &instance.id);
  if (key == "Service") return walk_.String(value, &instance.name.Edit());
  if (key == "Tags") return walk_.Strings(value, &instance.tags.Edit());
  if (key == "Address") return walk_.String(value, &instance.address);
  if (key == "Meta") {
    return walk_.StringMap(value, &instance.meta.Edit(), &instance.has_meta);
  }
  if (key == "Port") return ReadPort(value, &instance.port);
  if (key == "Weights") return ReadWeights(value, &instance.weights);
  if (key == "EnableTagOverride") {
    return walk_.Bool(value, &instance.enable_tag_override);
  }
  if (key == "ModifyIndex") return walk_.Uint(value, &out->modify_index);
  if (key == "Proxy") return ReadProxy(value, &instance);
  if (key == "Connect") return ReadConnect(value, &instance);
  if (key == "TaggedAddresses") {
    return ReadAddresses(value, &instance.tagged_addresses.Edit());
  }
  if (key == "Kind") return ReadKind(value, &instance.kind);
  if (key == "PeerName") return walk_.String(value, peer);
  // Consul has no such member; our own file of a mirror has.
  if (key == "GatewayServices") {
    return walk_.Strings(value, &instance.mesh.Edit().gateway_services);
  }
  return walk_.Skip(value);
}

bool ObjectReader::ReadKind(Json json, ServiceKind* out) {
  std::string kind;
  if (!walk_.String(json, &kind)) return false;
  *out = KindOf(kind);
  return true;
}

bool ObjectReader::ReadPort(Json json, uint16_t* out) {
  int64_t port = 0;
  if (!walk_.Int(json, &port)) return walk_.Within("member", "Port");
  *out = PortOf(port);
  return true;
}

bool ObjectReader::ReadWeights(Json json, Weights* out) {
  int64_t passing = 1;
  int64_t warning = 1;
  const bool ok = walk_.Members(json, [&](string_view key, Json value) {
    if (key == "Passing") return walk_.Int(value, &passing);
    if (key == "Warning") return walk_.Int(value, &warning);
    return walk_.Skip(value);
  });
  if (!ok) return walk_.Within("member", "Weights");
  *out = WeightsOf(passing, warning);
  return true;
}

bool ObjectReader::ReadProxy(Json json, ServiceInstance* out) {
  // Of two the second counts, in all of it.
  if (!out->mesh.empty()) out->mesh.Edit().proxy_destination.clear();
  const bool ok = walk_.MembersAndText(
      json, &out->mesh.Edit().proxy_json, [&](string_view key, Json value) {
        return key == "DestinationServiceName"
                   ? walk_.String(value, &out->mesh.Edit().proxy_destination)
                   : walk_.Skip(value);
      });
  ForgetPlain(*out, WritePlainProxy, &out->mesh.Edit().proxy_json);
  if (out->mesh.empty()) out->mesh.clear();
  return ok;
}

bool ObjectReader::ReadConnect(Json json, ServiceInstance* out) {
  out->connect_native = false;
  const bool ok = walk_.MembersAndText(
      json, &out->mesh.Edit().connect_json, [&](string_view key, Json value) {
        return key == "Native" ? walk_.Bool(value, &out->connect_native)
                               : walk_.Skip(value);
      });
  ForgetPlain(*out, WritePlainConnect, &out->mesh.Edit().connect_json);
  if (out->mesh.empty()) out->mesh.clear();
  return ok;
}

bool ObjectReader::ReadDefinition(Json json, std::string* out) {
  const bool ok = walk_.MembersAndText(
      json, out, [&](string_view, Json value) { return walk_.Skip(value); });
  if (*out == "{}") out->clear();
  return ok;
}

bool ObjectReader::ReadAddresses(Json json,
                                 std::map<std::string, TaggedAddress>* out) {
  out->clear();
  return walk_.Members(json, [&](string_view tag, Json address) {
    TaggedAddress& tagged =
        out->emplace_hint(out->end(), tag, TaggedAddress())->second;
    return walk_.Members(address, [&](string_view key, Json value) {
      if (key == "Address") return walk_.String(value, &tagged.address);
      if (key == "Port") return ReadPort(value, &tagged.port);
      return walk_.Skip(value);
    });
  });
}

bool ObjectReader::ReadCheck(Json json, CheckReport* out, std::string* peer) {
  Check& check = out->check;
  std::string status;
  bool ok = walk_.Members(json, [&](string_view key, Json value) {
    if (key == "Node") return walk_.String(value, &out->node);
    if (key == "CheckID") return walk_.String(value, &check.id);
    if (key == "Name") return walk_.String(value, &check.name.Edit());
    if (key == "Status") return walk_.String(value, &status);
    if (key == "Notes") return walk_.String(value, &check.notes.Edit());
    if (key == "Output") return walk_.String(value, &check.output.Edit());
    if (key == "ServiceID") return walk_.String(value, &check.service_id);
    if (key == "Type") return walk_.String(value, &check.type.Edit());
    if (key == "Definition") {
      return ReadDefinition(value, &check.definition_json.Edit());
    }
    if (key == "ServiceName") return walk_.String(value, &out->service_name);
    if (key == "ModifyIndex") return walk_.Uint(value, &out->modify_index);
    if (key == "PeerName") return walk_.String(value, peer);
    return walk_.Skip(value);
  });
  if (ok && out->node.empty()) ok = walk_.Fail("no node");
  if (ok && check.id.empty()) ok = walk_.Fail("no id");
  check.status = StatusOf(status);
  return ok || walk_.Within("check", check.id);
}

bool QueryReader::Read(Json json, PreparedQuery* out) {
  bool ok = walk_.Members(json, [&](string_view key, Json value) {
    if (key == "ID") return walk_.String(value, &out->id);
    if (key == "Name") return walk_.String(value, &out->name);
    if (key == "Template") return ReadTemplate(value, out);
    if (key == "Service") return ReadService(value, out);
    if (key == "DNS") return ReadDns(value, out);
    return walk_.Skip(value);
  });
  if (ok && out->id.empty()) ok = walk_.Fail("no id");
  return ok || walk_.Within("query", out->id);
}

bool QueryReader::ReadTemplate(Json json, PreparedQuery* out) {
  std::string type;
  const bool ok = walk_.Members(json, [&](string_view key, Json value) {
    if (key == "Type") return walk_.String(value, &type);
    if (key == "Regexp") return walk_.String(value, &out->regexp);
    if (key == "RemoveEmptyTags") {
      return walk_.Bool(value, &out->remove_empty_tags);
    }
    return walk_.Skip(value);
  });
  out->is_template = type == "name_prefix_match";
  return ok;
}

bool QueryReader::ReadService(Json json, PreparedQuery* out) {
  return walk_.Members(json, [&](string_view key, Json value) {
    if (key == "Service") return walk_.String(value, &out->service);
    if (key == "Failover") return ReadFailover(value, out);
    if (key == "OnlyPassing") return walk_.Bool(value, &out->only_passing);
    if (key == "IgnoreCheckIDs") {
      return walk_.Strings(value, &out->ignore_check_ids);
    }
    if (key == "Near") return walk_.String(value, &out->near);
    if (key == "Tags") return walk_.Strings(value, &out->tags);
    if (key == "NodeMeta") return walk_.StringMap(value, &out->node_meta);
    if (key == "ServiceMeta") {
      return walk_.StringMap(value, &out->service_meta);
    }
    if (key == "Connect") return walk_.Bool(value, &out->connect);
    return walk_.Skip(value);
  });
}

bool QueryReader::ReadFailover(Json json, PreparedQuery* out) {
  int64_t nearest = 0;
  std::vector<std::string> targets;
  std::vector<std::string>& datacenters = out->failover_datacenters;
  const bool ok = walk_.Members(json, [&](string_view key, Json value) {
    if (key == "NearestN") return walk_.Int(value, &nearest);
    if (key == "Datacenters") return walk_.Strings(value, &datacenters);
    if (key == "Targets") return ReadTargets(value, &targets);
    return walk_.Skip(value);
  });
  constexpr int64_t kMax = std::numeric_limits<int>::max();
  out->failover_nearest =
      static_cast<int>(std::clamp<int64_t>(nearest, 0, kMax));
  if (datacenters.empty()) datacenters = std::move(targets);
  return ok;
}

bool QueryReader::ReadTargets(Json json, std::vector<std::string>* out) {
  return walk_.Items(json, [&](Json item) {
    std::string datacenter;
    std::string peer;
    const bool ok = walk_.Members(item, [&](string_view key, Json value) {
      if (key == "Datacenter") return walk_.String(value, &datacenter);
      if (key == "Peer") return walk_.String(value, &peer);
      return walk_.Skip(value);
    });
    if (ok && peer.empty() && !datacenter.empty()) {
      out->push_back(std::move(datacenter));
    }
    return ok;
  });
}

bool QueryReader::ReadDns(Json json, PreparedQuery* out) {
  return walk_.Members(json, [&](string_view key, Json value) {
    return key == "TTL" ? walk_.String(value, &out->ttl) : walk_.Skip(value);
  });
}

}  // namespace dnsd
