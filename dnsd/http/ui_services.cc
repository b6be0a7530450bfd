#include "dnsd/http/ui_services.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalog/object_json.h"
#include "dnsd/http/api_endpoint.h"
#include "dnsd/http/health_api.h"

namespace dnsd {
namespace {

constexpr char kExternalSource[] = "external-source";

struct Summary {
  ServiceKind kind = ServiceKind::kTypical;
  std::set<std::string> tags;
  std::multiset<std::string> nodes;  // one for each instance
  std::set<std::string> proxied;
  std::set<std::string> sources;
  uint64_t passing_count = 0;
  uint64_t warning_count = 0;
  uint64_t critical_count = 0;
};

// By the name as registered: Consul, too, shows "Web" beside "web".
using Summaries = std::map<std::string, Summary>;

void Add(const InstanceView& view, const std::vector<CheckView>& checks,
         Summary* summary) {
  const ServiceInstance& instance = *view.instance;
  summary->kind = instance.kind;
  summary->tags.insert(instance.tags.begin(), instance.tags.end());
  summary->nodes.insert(view.node->name);
  if (instance.kind == ServiceKind::kConnectProxy) {
    summary->proxied.insert(instance.mesh->proxy_destination);
  }
  const auto source = instance.meta.find(kExternalSource);
  if (source != instance.meta.end() && !source->second.empty()) {
    summary->sources.insert(source->second);
  }
  for (const CheckView& check : checks) {
    switch (check.check->status) {
      case HealthStatus::kPassing:
        ++summary->passing_count;
        break;
      case HealthStatus::kWarning:
        ++summary->warning_count;
        break;
      case HealthStatus::kCritical:
        ++summary->critical_count;
        break;
      default:
        break;
    }
  }
}

template <typename Texts>
void WriteTexts(absl::string_view key, const Texts& texts, JsonWriter* json) {
  json->Key(key);
  if (texts.empty()) {
    json->Null();
    return;
  }
  json->Strings(texts);
}

void WriteCount(absl::string_view key, uint64_t count, JsonWriter* json) {
  json->Key(key);
  json->Uint(count);
}

void WriteSummary(const std::string& name, const Summary& summary,
                  JsonWriter* json) {
  json->BeginObject();
  if (summary.kind != ServiceKind::kTypical) {
    json->Key("Kind");
    json->String(ServiceKindName(summary.kind));
  }
  json->Key("Name");
  json->String(name);
  WriteTexts("Tags", summary.tags, json);
  WriteTexts("Nodes", summary.nodes, json);
  WriteCount("InstanceCount", summary.nodes.size(), json);
  if (!summary.proxied.empty()) WriteTexts("ProxyFor", summary.proxied, json);
  WriteCount("ChecksPassing", summary.passing_count, json);
  WriteCount("ChecksWarning", summary.warning_count, json);
  WriteCount("ChecksCritical", summary.critical_count, json);
  WriteTexts("ExternalSources", summary.sources, json);
  json->Key("GatewayConfig");
  json->Raw("{}");
  json->EndObject();
}

void WriteServices(const Asked& asked, JsonWriter* json) {
  Summaries summaries;
  const State& state = *asked.context->state;
  state.ForEachNode(asked.datacenter, [&](const NodeView& node) {
    state.ForEachInstanceOnNode(
        {asked.datacenter, AsciiLower(node.node->name)},
        [&](const InstanceView& view) {
          if (!asked.MayRead(view)) return;
          const std::vector<CheckView> checks = ChecksOf(asked, view);
          if (asked.Matches({.node = view.node,
                             .instance = view.instance,
                             .checks = &checks})) {
            Add(view, checks, &summaries[view.instance->name]);
          }
        });
  });
  json->BeginArray();
  for (const auto& [name, summary] : summaries) {
    WriteSummary(name, summary, json);
  }
  json->EndArray();
}

}  // namespace

Route UiServicesRoute(const SharedApiContext& context) {
  return EndpointRoute(
      context, {.path = "/v1/internal/ui/services",
                .filter = FilterKind::kHealthEntry,
                .has_consistency = false,
                .keys =
                    [](const Asked& asked) {
                      return std::vector<WatchKey>{
                          asked.Watch(WatchKind::kAllHealth),
                          {WatchKind::kChecks, asked.datacenter, "any"}};
                    },
                .write = WriteServices});
}

}  // namespace dnsd
