#include "dnsd/http/health_api.h"

#include <algorithm>
#include <string>
#include <utility>

#include "catalog/object_json.h"
#include "dnsd/http/ui_services.h"

namespace dnsd {
namespace {

using Keys = std::vector<WatchKey>;

// Collects the wanted entries, the near ones first, and writes them.
class HealthRows {
 public:
  explicit HealthRows(const Asked* asked) : asked_(asked) {}

  void Add(const InstanceView& view) {
    if (asked_->passing && view.health != HealthStatus::kPassing) return;
    if (!asked_->Wants(*view.node) || !asked_->MayRead(view)) return;
    std::vector<CheckView> checks = ChecksOf(*asked_, view);
    if (!asked_->Matches({.node = view.node,
                          .instance = view.instance,
                          .checks = &checks})) {
      return;
    }
    rows_.push_back({view, std::move(checks)});
  }
  void Write(JsonWriter* json) {
    std::stable_partition(rows_.begin(), rows_.end(), [&](const Row& row) {
      return asked_->IsNear(*row.view.node);
    });
    json->BeginArray();
    for (const Row& row : rows_) WriteHealthEntry(row.view, row.checks, json);
    json->EndArray();
  }

 private:
  struct Row {
    InstanceView view;
    std::vector<CheckView> checks;
  };

  const Asked* asked_;
  std::vector<Row> rows_;
};

Keys ServiceKeys(const Asked& asked) {
  return {asked.WatchName(WatchKind::kServiceHealth)};
}

void WriteService(const Asked& asked, JsonWriter* json) {
  HealthRows rows(&asked);
  asked.context->state->ForEachInstance(asked.key,
                                        [&](const InstanceView& view) {
                                          if (asked.WantsTags(*view.instance))
                                            rows.Add(view);
                                        });
  rows.Write(json);
}

Keys MeshKeys(const Asked& asked) {
  return {asked.WatchName(WatchKind::kMeshHealth)};
}

// Consul looks at no tags here.
void WriteMesh(const Asked& asked, bool ingress, JsonWriter* json) {
  HealthRows rows(&asked);
  asked.context->state->ForEachMeshInstance(
      asked.key, [&](const InstanceView& view) {
        const bool is_ingress =
            view.instance->kind == ServiceKind::kIngressGateway;
        if (is_ingress == ingress) rows.Add(view);
      });
  rows.Write(json);
}

void WriteConnect(const Asked& asked, JsonWriter* json) {
  WriteMesh(asked, /*ingress=*/false, json);
}

void WriteIngress(const Asked& asked, JsonWriter* json) {
  WriteMesh(asked, /*ingress=*/true, json);
}

// Collects the wanted checks, the near ones first, and writes them.
class CheckRows {
 public:
  explicit CheckRows(const Asked* asked) : asked_(asked) {}

  void Add(const CheckView& view) {
    if (asked_->Wants(*view.node) && asked_->MayRead(view) &&
        asked_->Matches(
            {.node = view.node, .instance = view.instance, .check = &view})) {
      rows_.push_back(view);
    }
  }
  // By node, then by id.
  void Sort() {
    std::stable_sort(
        rows_.begin(), rows_.end(), [](const CheckView& a, const CheckView& b) {
          return a.node == b.node
                     ? a.check->id < b.check->id
                     : AsciiLower(a.node->name) < AsciiLower(b.node->name);
        });
  }
  void Write(JsonWriter* json) {
    std::stable_partition(
        rows_.begin(), rows_.end(),
        [&](const CheckView& row) { return asked_->IsNear(*row.node); });
    json->BeginArray();
    for (const CheckView& row : rows_) {
      WriteHealthCheck(row, EmptyTags::kList, json);
    }
    json->EndArray();
  }

 private:
  const Asked* asked_;
  std::vector<CheckView> rows_;
};

Keys ServiceChecksKeys(const Asked& asked) {
  return {asked.WatchName(asked.options.node_meta.empty()
                              ? WatchKind::kServiceChecks
                              : WatchKind::kServiceHealth)};
}

void WriteServiceChecks(const Asked& asked, JsonWriter* json) {
  CheckRows rows(&asked);
  const State& state = *asked.context->state;
  state.ForEachInstance(asked.key, [&](const InstanceView& view) {
    state.ForEachCheckOf(view, [&](const CheckView& check) {
      if (!check.check->service_id.empty()) rows.Add(check);
    });
  });
  rows.Sort();
  rows.Write(json);
}

Keys NodeChecksKeys(const Asked& asked) {
  return {asked.WatchName(WatchKind::kNodeChecks)};
}

void WriteNodeChecks(const Asked& asked, JsonWriter* json) {
  CheckRows rows(&asked);
  asked.context->state->ForEachCheckOnNode(
      asked.key, [&](const CheckView& check) { rows.Add(check); });
  rows.Write(json);
}

Keys StateKeys(const Asked& asked) {
  // Consul compares states with case, so the name is not the lower one.
  Keys keys = {{WatchKind::kChecks, asked.datacenter, asked.name}};
  if (!asked.options.node_meta.empty()) {
    keys.push_back(asked.Watch(WatchKind::kNodes));
  }
  return keys;
}

void WriteState(const Asked& asked, JsonWriter* json) {
  CheckRows rows(&asked);
  const State& state = *asked.context->state;
  const bool any = asked.name == "any";
  state.ForEachNode(asked.datacenter, [&](const NodeView& node) {
    state.ForEachCheckOnNode(
        {asked.datacenter, AsciiLower(node.node->name)},
        [&](const CheckView& check) {
          if (any || asked.name == HealthStatusName(check.check->status)) {
            rows.Add(check);
          }
        });
  });
  rows.Write(json);
}

Keys UiNodesKeys(const Asked& asked) {
  return {asked.Watch(WatchKind::kNodes),
          asked.Watch(WatchKind::kAllHealth),
          {WatchKind::kChecks, asked.datacenter, "any"}};
}

void WriteUiRow(const Asked& asked, const NodeView& node, JsonWriter* json) {
  const State& state = *asked.context->state;
  const NameKey key{asked.datacenter, AsciiLower(node.node->name)};
  std::vector<InstanceView> instances;
  state.ForEachInstanceOnNode(key, [&](const InstanceView& view) {
    if (asked.MayRead(view)) instances.push_back(view);
  });
  std::vector<CheckView> checks;
  state.ForEachCheckOnNode(key, [&](const CheckView& view) {
    if (asked.MayRead(view)) checks.push_back(view);
  });
  if (asked.Matches({.node = node.node, .checks = &checks})) {
    WriteNodeInfo(node, instances, checks, json);
  }
}

void WriteUiNodes(const Asked& asked, JsonWriter* json) {
  json->BeginArray();
  asked.context->state->ForEachNode(asked.datacenter,
                                    [&](const NodeView& node) {
                                      if (asked.MayRead(*node.node))
                                        WriteUiRow(asked, node, json);
                                    });
  json->EndArray();
}

Keys UiNodeKeys(const Asked& asked) {
  return {asked.WatchName(WatchKind::kNode),
          asked.WatchName(WatchKind::kNodeChecks)};
}

void WriteUiNode(const Asked& asked, JsonWriter* json) {
  const std::optional<NodeView> node =
      asked.context->state->ViewNode(asked.key);
  if (node && asked.MayRead(*node->node)) WriteUiRow(asked, *node, json);
}

}  // namespace

std::vector<CheckView> ChecksOf(const Asked& asked, const InstanceView& view) {
  std::vector<CheckView> checks;
  asked.context->state->ForEachCheckOf(
      view, [&](const CheckView& check) { checks.push_back(check); });
  return checks;
}

std::vector<Route> HealthRoutes(const SharedApiContext& context,
                                size_t names_max) {
  const std::string missing_service = "Missing service name";
  std::vector<Route> routes;
  for (ApiEndpoint& endpoint :
       std::vector<ApiEndpoint>{{.path = "/v1/health/service/",
       .missing = missing_service,
       .filter = FilterKind::kHealthEntry,
       .has_passing = true,
       .has_cache = true,
       .keys = ServiceKeys,
       .write = WriteService},
                                {.path = "/v1/health/connect/",
                                .missing = missing_service,
                                .filter = FilterKind::kHealthEntry,
                                .has_passing = true,
                                .has_cache = true,
                                .keys = MeshKeys,
                                .write = WriteConnect},
                                {.path = "/v1/health/ingress/",
                                .missing = missing_service,
                                .filter = FilterKind::kHealthEntry,
                                .has_passing = true,
                                .has_cache = true,
                                .keys = MeshKeys,
                                .write = WriteIngress},
                                {.path = "/v1/health/checks/",
                                .missing = missing_service,
                                .filter = FilterKind::kHealthCheck,
                                .keys = ServiceChecksKeys,
                                .write = WriteServiceChecks},
                                {.path = "/v1/health/node/",
                                .missing = "Missing node name",
                                .filter = FilterKind::kHealthCheck,
                                .keys = NodeChecksKeys,
                                .write = WriteNodeChecks},
                                {.path = "/v1/health/state/",
                                .missing = "Missing check state",
                                .filter = FilterKind::kHealthCheck,
                                .keys = StateKeys,
                                .write = WriteState}}) {
    routes.push_back(EndpointRoute(context, std::move(endpoint)));
  }
  routes.push_back(HealthServicesRoute(context, names_max));
  return routes;
}

std::vector<Route> UiRoutes(const SharedApiContext& context) {
  std::vector<Route> routes;
  routes.push_back(EndpointRoute(context, {.path = "/v1/internal/ui/nodes",
                                           .filter = FilterKind::kNodeInfo,
                                           .has_consistency = false,
                                           .keys = UiNodesKeys,
                                           .write = WriteUiNodes}));
  routes.push_back(EndpointRoute(context, {.path = "/v1/internal/ui/node/",
                                           .missing = "Missing node name",
                                           .filter = FilterKind::kNodeInfo,
                                           .has_consistency = false,
                                           .keys = UiNodeKeys,
                                           .write = WriteUiNode}));
  routes.push_back(UiServicesRoute(context));
  return routes;
}

}  // namespace dnsd
