#include "dnsd/http/service_changes.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/json_write.h"
#include "catalog/base/uuid.h"
#include "catalog/object_json.h"
#include "dnsd/http/api_endpoint.h"
#include "dnsd/http/blocking.h"
#include "dnsd/http/health_api.h"
#include "dnsd/http/url.h"

namespace dnsd {

void ChangeJournal::Note(const std::string& name, uint64_t index,
                         size_t names_max) {
  index_ = std::max(index_, index);
  uint64_t& last = by_name_[name];
  if (last != 0) by_index_.erase({last, name});
  last = index;
  by_index_.emplace(index, name);
  if (by_index_.size() <= names_max) return;
  const auto oldest = by_index_.begin();
  floor_ = std::max(floor_, oldest->first);
  by_name_.erase(oldest->second);
  by_index_.erase(oldest);
}

void ChangeJournal::ForEachSince(
    uint64_t index,
    const std::function<void(const std::string&)>& visit) const {
  for (auto it = by_index_.lower_bound({index + 1, std::string()});
       it != by_index_.end(); ++it) {
    visit(it->second);
  }
}

ServiceChanges::ServiceChanges(const State* state, size_t names_max)
    : state_(state),
      names_max_(names_max),
      start_(state->index()),
      run_(NewUuid()) {}

void ServiceChanges::Feed(const absl::flat_hash_set<WatchKey>& watched) {
  for (const WatchKey& key : watched) {
    const bool is_service = key.kind == WatchKind::kServiceHealth;
    const bool is_node =
        key.kind == WatchKind::kNode || key.kind == WatchKind::kNodeChecks;
    if (!is_service && !is_node) continue;
    Datacenter& datacenter =
        datacenters_.try_emplace(key.datacenter, start_).first->second;
    (is_service ? datacenter.services : datacenter.nodes)
        .Note(key.name, state_->changes().Of(key), names_max_);
  }
}

const ServiceChanges::Datacenter* ServiceChanges::Find(
    const std::string& name) const {
  const auto it = datacenters_.find(name);
  return it == datacenters_.end() ? nullptr : &it->second;
}

uint64_t ServiceChanges::FloorOf(const std::string& datacenter,
                                 What what) const {
  uint64_t floor = std::max(start_, state_->changes().floor());
  const Datacenter* const known = Find(datacenter);
  if (known == nullptr) return floor;
  floor = std::max(floor, known->services.floor());
  if (what == What::kServices) return floor;
  return std::max(floor, known->nodes.floor());
}

uint64_t ServiceChanges::IndexOf(const std::string& datacenter,
                                 What what) const {
  const uint64_t floor = FloorOf(datacenter, what);
  const Datacenter* const known = Find(datacenter);
  if (known == nullptr) return floor;
  const uint64_t index = std::max(floor, known->services.index());
  if (what == What::kServices) return index;
  return std::max(index, known->nodes.index());
}

bool ServiceChanges::Knows(const std::string& datacenter, uint64_t index,
                           What what) const {
  return index >= FloorOf(datacenter, what) &&
         index <= IndexOf(datacenter, what);
}

void ServiceChanges::ForEachService(const std::string& datacenter,
                                    uint64_t index, const Visit& visit) const {
  const Datacenter* const known = Find(datacenter);
  if (known != nullptr) known->services.ForEachSince(index, visit);
}

void ServiceChanges::ForEachNode(const std::string& datacenter, uint64_t index,
                                 const Visit& visit) const {
  const Datacenter* const known = Find(datacenter);
  if (known != nullptr) known->nodes.ForEachSince(index, visit);
}

namespace {

constexpr absl::string_view kPath = "/v1/health/services";

// One request, and what it knows already.
struct Follower {
  Asked asked;
  ServiceChanges::What what = ServiceChanges::What::kServices;
  bool is_of_this_run = true;  // its index

  // Whether it has to be told but what changed.
  [[nodiscard]] bool Knows(const ServiceChanges& changes) const {
    return asked.options.index != 0 && is_of_this_run &&
           changes.Knows(asked.datacenter, asked.options.index, what);
  }
};

// The service's member of "Services"; false if it is none.
bool WriteOne(const Asked& asked, const std::string& name, JsonWriter* json) {
  const NameKey key{asked.datacenter, name};
  bool has_any = false;
  asked.context->state->ForEachInstance(key, [&](const InstanceView& view) {
    if (!asked.MayRead(view)) return;
    if (!has_any) {
      json->Key(name);
      json->BeginArray();
    }
    has_any = true;
    WriteHealthEntry(view, ChecksOf(asked, view), json);
  });
  if (has_any) json->EndArray();
  return has_any;
}

// An item of "Nodes".
void WriteNodeEntry(const Asked& asked, const NodeView& node,
                    JsonWriter* json) {
  if (!asked.MayRead(*node.node)) return;
  json->BeginObject();
  json->Key("Node");
  WriteNode(node, json);
  json->Key("Checks");
  json->BeginArray();
  asked.context->state->ForEachCheckOnNode(
      {asked.datacenter, AsciiLower(node.node->name)},
      [&](const CheckView& check) {
        if (!check.check->service_id.empty()) return;
        WriteHealthCheck(check, EmptyTags::kList, json);
      });
  json->EndArray();
  json->EndObject();
}

void WriteAllServices(const Asked& asked, JsonWriter* json) {
  std::vector<std::string> names;
  asked.context->state->ForEachService(
      asked.datacenter,
      [&](const std::string& name, const std::set<std::string>&) {
        names.push_back(AsciiLower(name));
      });
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) WriteOne(asked, name, json);
}

// Those that changed; the names of those that are gone go to `gone`.
void WriteServices(const Asked& asked, const ServiceChanges& changes,
                   JsonWriter* json, JsonWriter* gone) {
  changes.ForEachService(asked.datacenter, asked.options.index,
                         [&](const std::string& name) {
                           if (WriteOne(asked, name, json)) return;
                           if (asked.MayReadService(name)) gone->String(name);
                         });
}

void WriteNodes(const Asked& asked, const ServiceChanges& changes,
                JsonWriter* json, JsonWriter* gone) {
  changes.ForEachNode(
      asked.datacenter, asked.options.index, [&](const std::string& name) {
        const auto node =
            asked.context->state->ViewNode({asked.datacenter, name});
        if (node) return WriteNodeEntry(asked, *node, json);
        Node was;
        was.name = name;
        if (asked.MayRead(was)) gone->String(name);
      });
}

std::string Body(const Follower& follower, const ServiceChanges& changes,
                 uint64_t index) {
  const Asked& asked = follower.asked;
  const bool full = !follower.Knows(changes);
  std::string text;
  std::string gone_text;
  JsonWriter json(&text);
  JsonWriter gone(&gone_text);
  json.BeginObject();
  json.Key("Index");
  json.Uint(index);
  json.Key("Full");
  json.Bool(full);
  json.Key("Run");
  json.String(changes.run());
  json.Key("Services");
  json.BeginObject();
  gone.BeginArray();
  if (full) {
    WriteAllServices(asked, &json);
  } else {
    WriteServices(asked, changes, &json, &gone);
  }
  json.EndObject();
  gone.EndArray();
  json.Key("Gone");
  json.Raw(gone_text);
  if (follower.what == ServiceChanges::What::kServicesAndNodes) {
    gone_text.clear();
    JsonWriter gone_nodes(&gone_text);
    json.Key("Nodes");
    json.BeginArray();
    gone_nodes.BeginArray();
    if (full) {
      asked.context->state->ForEachNode(
          asked.datacenter,
          [&](const NodeView& node) { WriteNodeEntry(asked, node, &json); });
    } else {
      WriteNodes(asked, changes, &json, &gone_nodes);
    }
    json.EndArray();
    gone_nodes.EndArray();
    json.Key("GoneNodes");
    json.Raw(gone_text);
  }
  json.EndObject();
  return text;
}

HttpResponse Respond(const Follower& follower, const ServiceChanges& changes,
                     uint64_t index) {
  const ApiContext& context = *follower.asked.context;
  HttpResponse response = JsonResponse(context, follower.asked.options,
                                       Body(follower, changes, index));
  AddConsulHeaders(index, !context.leader_address.empty(), &response);
  return response;
}

std::vector<WatchKey> KeysOf(const Follower& follower) {
  const Asked& asked = follower.asked;
  std::vector<WatchKey> keys = {asked.Watch(WatchKind::kAllHealth)};
  if (follower.what == ServiceChanges::What::kServicesAndNodes) {
    keys.push_back(asked.Watch(WatchKind::kNodes));
    // Checks of nodes without an instance are in no other.
    keys.push_back({WatchKind::kChecks, asked.datacenter, "any"});
  }
  return keys;
}

void Answer(const SharedApiContext& context,
            const std::shared_ptr<ServiceChanges>& changes,
            const HttpRequest& request, const HttpReply& reply) {
  static const ApiEndpoint kEndpoint = {.path = std::string(kPath)};
  auto follower = std::make_shared<Follower>();
  Asked* const asked = &follower->asked;
  if (!ReadAsked(context, kEndpoint, request, reply, asked)) return;
  if (QueryValue(request.query, "nodes")) {
    follower->what = ServiceChanges::What::kServicesAndNodes;
  }
  const auto run = QueryValue(request.query, "run");
  follower->is_of_this_run = !run || *run == changes->run();
  const QueryOptions& options = asked->options;
  // One that is not known is answered with everything, and at once.
  const bool waits = follower->Knows(*changes);
  context->blocking->Answer(
      // What changed depends on since when.
      {.text = absl::StrCat(options.text, "since ", options.index),
       .keys = KeysOf(*follower),
       .index =
           [follower, changes] {
             return changes->IndexOf(follower->asked.datacenter,
                                     follower->what);
           },
       .render =
           [follower, changes](uint64_t index) {
             return Respond(*follower, *changes, index);
           },
       .gzip = options.gzip},
      waits ? options.index : 0, options.wait_ms, reply);
}

}  // namespace

Route HealthServicesRoute(const SharedApiContext& context, size_t names_max) {
  auto changes = std::make_shared<ServiceChanges>(context->state, names_max);
  context->blocking->OnWake(
      [changes](const absl::flat_hash_set<WatchKey>& watched) {
        changes->Feed(watched);
      });
  return {
      "GET", std::string(kPath),
      [context, changes](const HttpRequest& request, const HttpReply& reply) {
        Answer(context, changes, request, reply);
      }};
}

}  // namespace dnsd
