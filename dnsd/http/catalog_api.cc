#include "dnsd/http/catalog_api.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "catalog/object_json.h"
#include "dnsd/http/api_endpoint.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

std::vector<WatchKey> NodesKeys(const Asked& asked) {
  return {asked.Watch(WatchKind::kNodes)};
}

void WriteNodes(const Asked& asked, JsonWriter* json) {
  std::vector<NodeView> rows;
  asked.context->state->ForEachNode(asked.datacenter, [&](const NodeView& row) {
    if (asked.Wants(*row.node) && asked.MayRead(*row.node) &&
        asked.Matches({.node = row.node})) {
      rows.push_back(row);
    }
  });
  std::stable_partition(rows.begin(), rows.end(), [&](const NodeView& row) {
    return asked.IsNear(*row.node);
  });
  json->BeginArray();
  for (const NodeView& row : rows) WriteNode(row, json);
  json->EndArray();
}

// With ?node-meta the list depends on nodes too, and on instances whose tags
// others have.
std::vector<WatchKey> ServicesKeys(const Asked& asked) {
  return {asked.Watch(asked.options.node_meta.empty() ? WatchKind::kServices
                                                      : WatchKind::kAllHealth)};
}

void WriteServices(const Asked& asked, JsonWriter* json) {
  std::map<std::string, std::set<std::string>> services;
  const State& state = *asked.context->state;
  if (asked.options.node_meta.empty()) {
    state.ForEachService(
        asked.datacenter,
        [&](const std::string& name, const std::set<std::string>& tags) {
          if (asked.MayReadService(name)) services.emplace(name, tags);
        });
  } else {
    state.ForEachNode(asked.datacenter, [&](const NodeView& node) {
      if (!asked.Wants(*node.node)) return;
      state.ForEachInstanceOnNode(
          {asked.datacenter, AsciiLower(node.node->name)},
          [&](const InstanceView& view) {
            const ServiceInstance& instance = *view.instance;
            if (!asked.MayReadService(instance.name)) return;
            services[instance.name].insert(instance.tags.begin(),
                                           instance.tags.end());
          });
    });
  }
  json->BeginObject();
  for (const auto& [name, tags] : services) {
    json->Key(name);
    json->Strings(tags);
  }
  json->EndObject();
}

// Collects the wanted ones, the near ones first, and writes them.
class ServiceRows {
 public:
  explicit ServiceRows(const Asked* asked) : asked_(asked) {}

  void Add(const InstanceView& view) {
    if (asked_->Wants(*view.node) && asked_->MayRead(view) &&
        asked_->Matches({.node = view.node, .instance = view.instance})) {
      rows_.push_back(view);
    }
  }
  void Write(JsonWriter* json) {
    std::stable_partition(
        rows_.begin(), rows_.end(),
        [&](const InstanceView& row) { return asked_->IsNear(*row.node); });
    json->BeginArray();
    for (const InstanceView& row : rows_) WriteServiceNode(row, json);
    json->EndArray();
  }

 private:
  const Asked* asked_;
  std::vector<InstanceView> rows_;
};

std::vector<WatchKey> ServiceKeys(const Asked& asked) {
  return {asked.WatchName(WatchKind::kService)};
}

void WriteService(const Asked& asked, JsonWriter* json) {
  ServiceRows rows(&asked);
  asked.context->state->ForEachInstance(asked.key,
                                        [&](const InstanceView& view) {
                                          if (asked.WantsTags(*view.instance))
                                            rows.Add(view);
                                        });
  rows.Write(json);
}

std::vector<WatchKey> ConnectKeys(const Asked& asked) {
  return {asked.WatchName(WatchKind::kMesh)};
}

// Consul looks at no tags here.
void WriteConnectService(const Asked& asked, JsonWriter* json) {
  ServiceRows rows(&asked);
  asked.context->state->ForEachMeshInstance(
      asked.key, [&](const InstanceView& view) {
        // Consul reaches a service through these from outside only.
        if (view.instance->kind == ServiceKind::kIngressGateway) return;
        rows.Add(view);
      });
  rows.Write(json);
}

std::vector<WatchKey> NodeKeys(const Asked& asked) {
  return {asked.WatchName(WatchKind::kNode)};
}

std::vector<InstanceView> InstancesOnNode(const Asked& asked) {
  std::vector<InstanceView> views;
  asked.context->state->ForEachInstanceOnNode(
      asked.key, [&](const InstanceView& view) {
        if (asked.MayRead(view) &&
            asked.Matches({.node = view.node, .instance = view.instance})) {
          views.push_back(view);
        }
      });
  return views;
}

void WriteNodeWithMap(const Asked& asked, JsonWriter* json) {
  const std::optional<NodeView> node =
      asked.context->state->ViewNode(asked.key);
  if (!node || !asked.MayRead(*node->node)) {
    json->Null();
    return;
  }
  json->BeginObject();
  json->Key("Node");
  WriteNode(*node, json);
  json->Key("Services");
  json->BeginObject();
  for (const InstanceView& view : InstancesOnNode(asked)) {
    json->Key(view.instance->id);
    WriteNodeService(view, EmptyTags::kList, json);
  }
  json->EndObject();
  json->EndObject();
}

void WriteNodeWithList(const Asked& asked, JsonWriter* json) {
  const std::optional<NodeView> node =
      asked.context->state->ViewNode(asked.key);
  const bool is_shown = node && asked.MayRead(*node->node);
  json->BeginObject();
  json->Key("Node");
  if (is_shown) {
    WriteNode(*node, json);
  } else {
    json->Null();
  }
  json->Key("Services");
  if (is_shown) {
    json->BeginArray();
    for (const InstanceView& view : InstancesOnNode(asked)) {
      WriteNodeService(view, EmptyTags::kList, json);
    }
    json->EndArray();
  } else {
    json->Null();
  }
  json->EndObject();
}

void WriteGatewayService(const InstanceView& gateway,
                         const std::string& service, JsonWriter* json) {
  json->BeginObject();
  json->Key("Gateway");
  json->BeginObject();
  json->Key("Name");
  json->String(gateway.instance->name);
  json->EndObject();
  json->Key("Service");
  json->BeginObject();
  json->Key("Name");
  json->String(service);
  json->EndObject();
  json->Key("GatewayKind");
  json->String(ServiceKindName(gateway.instance->kind));
  json->Key("CreateIndex");
  json->Uint(gateway.stamp.create_index);
  json->Key("ModifyIndex");
  json->Uint(gateway.stamp.modify_index);
  json->EndObject();
}

void WriteGatewayServices(const Asked& asked, JsonWriter* json) {
  std::map<std::string, InstanceView> services;
  asked.context->state->ForEachInstance(
      asked.key, [&](const InstanceView& view) {
        if (!IsGateway(view.instance->kind) || !asked.MayRead(view)) return;
        for (const std::string& service :
             view.instance->mesh->gateway_services) {
          if (asked.MayReadService(service)) services.emplace(service, view);
        }
      });
  if (services.empty()) {
    json->Null();
    return;
  }
  json->BeginArray();
  for (const auto& [service, gateway] : services) {
    WriteGatewayService(gateway, service, json);
  }
  json->EndArray();
}

// Our own first, as the nearest; not for blocking.
void AnswerDatacenters(const ApiContext& context, const HttpRequest& request,
                       const HttpReply& reply) {
  QueryOptions options;
  if (auto refusal = ReadQueryOptions(request, &options)) {
    reply(*std::move(refusal));
    return;
  }
  std::string text;
  JsonWriter json(&text);
  json.BeginArray();
  json.String(context.datacenter);
  for (const std::string& name : context.state->Datacenters()) {
    if (name != context.datacenter) json.String(name);
  }
  json.EndArray();
  HttpResponse response = JsonResponse(context, options, std::move(text));
  if (options.cached) {
    response.headers.emplace_back("X-Cache", "HIT");
    response.headers.emplace_back("Age", "0");
  }
  reply(std::move(response));
}

// leader and peers know no parameter but dc and pretty.
Route StatusRoute(SharedApiContext context, const std::string& path,
                  bool is_list) {
  return {"GET", path,
          [context = std::move(context), is_list](const HttpRequest& request,
                                                  const HttpReply& reply) {
            const std::string dc = QueryValue(request.query, "dc").value_or("");
            if (!dc.empty() && dc != context->datacenter) {
              reply(TextResponse(500, "No path to datacenter"));
              return;
            }
            QueryOptions options;
            options.pretty = QueryValue(request.query, "pretty").has_value();
            std::string text;
            JsonWriter json(&text);
            if (is_list) json.BeginArray();
            if (!is_list || !context->leader_address.empty()) {
              json.String(context->leader_address);
            }
            if (is_list) json.EndArray();
            reply(JsonResponse(*context, options, std::move(text)));
          }};
}

}  // namespace

std::vector<Route> CatalogRoutes(const SharedApiContext& context) {
  const std::string missing_service = "Missing service name";
  const std::string missing_node = "Missing node name";
  std::vector<Route> routes;
  for (ApiEndpoint& endpoint :
       std::vector<ApiEndpoint>{{.path = "/v1/catalog/nodes",
       .filter = FilterKind::kNode,
       .keys = NodesKeys,
       .write = WriteNodes},
                                {.path = "/v1/catalog/services",
                                .has_cache = true,
                                .keys = ServicesKeys,
                                .write = WriteServices},
                                {.path = "/v1/catalog/service/",
                                .missing = missing_service,
                                .filter = FilterKind::kServiceNode,
                                .has_cache = true,
                                .keys = ServiceKeys,
                                .write = WriteService},
                                {.path = "/v1/catalog/connect/",
                                .missing = missing_service,
                                .filter = FilterKind::kServiceNode,
                                .has_cache = true,
                                .keys = ConnectKeys,
                                .write = WriteConnectService},
                                {.path = "/v1/catalog/node/",
                                .missing = missing_node,
                                .filter = FilterKind::kNodeService,
                                .keys = NodeKeys,
                                .write = WriteNodeWithMap},
                                {.path = "/v1/catalog/node-services/",
                                .missing = missing_node,
                                .filter = FilterKind::kNodeService,
                                .keys = NodeKeys,
                                .write = WriteNodeWithList},
                                {.path = "/v1/catalog/gateway-services/",
                                .missing = "Missing gateway name",
                                .keys = ServiceKeys,
                                .write = WriteGatewayServices}}) {
    routes.push_back(EndpointRoute(context, std::move(endpoint)));
  }
  routes.push_back(
      {"GET", "/v1/catalog/datacenters",
       [context](const HttpRequest& request, const HttpReply& reply) {
         AnswerDatacenters(*context, request, reply);
       }});
  return routes;
}

std::vector<Route> StatusRoutes(const SharedApiContext& context) {
  return {StatusRoute(context, "/v1/status/leader", /*is_list=*/false),
          StatusRoute(context, "/v1/status/peers", /*is_list=*/true)};
}

}  // namespace dnsd
