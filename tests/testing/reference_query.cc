#include "tests/testing/reference_query.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>

#include "absl/strings/match.h"

namespace dnsd::testing {
namespace {

std::optional<PreparedQuery> FindByNameOrId(const State& state,
                                            const std::string& datacenter,
                                            const std::string& name) {
  std::optional<PreparedQuery> by_name;
  if (name.empty()) return by_name;
  std::optional<PreparedQuery> by_id;
  state.ForEachQuery(datacenter, [&](const PreparedQuery& query) {
    if (query.is_template) return;
    if (AsciiLower(query.id) == name) by_id = query;
    if (AsciiLower(query.name) == name && !by_name) by_name = query;
  });
  return by_id ? by_id : by_name;
}

// "1m30s", "1.9s", "500ms" in whole seconds.
uint32_t Seconds(const std::string& text) {
  const char* at = text.c_str();
  double seconds = 0;
  while (*at != '\0') {
    char* end = nullptr;
    double number = std::strtod(at, &end);
    std::string unit;
    for (at = end; *at >= 'a' && *at <= 'z'; ++at) unit.push_back(*at);
    seconds += number * (unit == "h"    ? 3600
                         : unit == "m"  ? 60
                         : unit == "ms" ? 0.001
                                        : 1);
  }
  return static_cast<uint32_t>(seconds);
}

// The worst status of the checks that count.
HealthStatus Judge(const State& state, const PreparedQuery& query,
                   const Node& node, const ServiceInstance& instance) {
  HealthStatus worst = HealthStatus::kPassing;
  state.ForEachCheckOnNode(
      {node.datacenter, AsciiLower(node.name)}, [&](const CheckView& view) {
        const Check& check = *view.check;
        for (const std::string& ignored : query.ignore_check_ids) {
          if (ignored == check.id) return;
        }
        if (!check.service_id.empty() && check.service_id != instance.id) {
          return;
        }
        if (check.status > worst) worst = check.status;
      });
  return worst;
}

bool StandsFor(const PreparedQuery& query, const ServiceInstance& instance) {
  std::string wanted = AsciiLower(query.service);
  if (!query.connect) return AsciiLower(instance.name) == wanted;
  if (instance.kind == ServiceKind::kIngressGateway) return false;
  if (instance.kind == ServiceKind::kConnectProxy) {
    return AsciiLower(instance.mesh->proxy_destination) == wanted;
  }
  return instance.connect_native && AsciiLower(instance.name) == wanted;
}

bool TagsFit(const PreparedQuery& query, const ServiceInstance& instance) {
  for (const std::string& tag : query.tags) {
    bool forbidden = absl::StartsWith(tag, "!");
    std::string wanted = AsciiLower(forbidden ? tag.substr(1) : tag);
    bool found = false;
    for (const std::string& own : instance.tags) {
      found = found || AsciiLower(own) == wanted;
    }
    if (found == forbidden) return false;
  }
  return true;
}

bool MetaFits(const std::map<std::string, std::string>& wanted,
              const std::map<std::string, std::string>& meta) {
  for (const auto& [key, value] : wanted) {
    if (meta.count(key) == 0 || meta.at(key) != value) return false;
  }
  return true;
}

}  // namespace

std::string ReadQueryName(const std::vector<std::string>& parts) {
  std::string name = JoinLabels(parts);
  if (parts.size() < 2 || parts.front()[0] != '_' || parts.back()[0] != '_') {
    return name;
  }
  return name.substr(1, name.size() - parts.back().size() - 2);
}

RefLookup RunQuery(const State& state, const ZonePolicy& policy,
                   const std::string& datacenter, const std::string& name) {
  RefLookup lookup;
  lookup.kind = RefKind::kQuery;
  lookup.datacenter = datacenter;
  std::optional<PreparedQuery> query = FindByNameOrId(state, datacenter, name);
  if (!query) return lookup;
  lookup.service = query->service;
  if (!query->ttl.empty()) lookup.ttl = Seconds(query->ttl);
  RefRecords records(state, policy);
  std::set<std::string> others;
  for (const Node* node : records.AllNodes()) others.insert(node->datacenter);
  others.erase(datacenter);
  std::vector<std::string> places = {datacenter};
  for (const std::string& other : others) {
    if (static_cast<int>(places.size()) > query->failover_nearest) break;
    places.push_back(other);
  }
  for (const std::string& other : query->failover_datacenters) {
    if (others.count(other) != 0) places.push_back(other);
  }
  for (const std::string& place : places) {
    for (const InstanceView& view : records.AllInstances()) {
      HealthStatus judged = Judge(state, *query, *view.node, *view.instance);
      if (view.node->datacenter == place && StandsFor(*query, *view.instance) &&
          judged != HealthStatus::kCritical &&
          (!query->only_passing || judged == HealthStatus::kPassing) &&
          TagsFit(*query, *view.instance) &&
          MetaFits(query->node_meta, view.node->meta) &&
          MetaFits(query->service_meta, view.instance->meta)) {
        lookup.chosen.push_back(view);
      }
    }
    lookup.datacenter = place;
    if (!lookup.chosen.empty()) break;
  }
  return lookup;
}

bool HasQueryBelow(const State& state, const std::string& datacenter,
                   const std::string& labels) {
  bool found = false;
  state.ForEachQuery(datacenter, [&](const PreparedQuery& query) {
    found = found || (!query.is_template &&
                      absl::EndsWith(AsciiLower(query.name), "." + labels));
  });
  return found;
}

}  // namespace dnsd::testing
