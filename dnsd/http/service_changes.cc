#include "dnsd/http/service_changes.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/object_json.h"
#include "dnsd/http/api_endpoint.h"
#include "dnsd/http/blocking.h"
#include "dnsd/http/health_api.h"

namespace dnsd {

ServiceChanges::Datacenter& ServiceChanges::Get(const std::string& name) {
  const auto [it, is_new] = datacenters_.try_emplace(name);
  if (is_new) it->second.floor = it->second.index = start_;
  return it->second;
}

void ServiceChanges::Note(Datacenter* datacenter, const std::string& name,
                          uint64_t index) {
  datacenter->index = std::max(datacenter->index, index);
  uint64_t& last = datacenter->by_name[name];
  if (last != 0) datacenter->by_index.erase({last, name});
  last = index;
  datacenter->by_index.emplace(index, name);
  if (datacenter->by_index.size() <= names_max_) return;
  const auto oldest = datacenter->by_index.begin();
  datacenter->floor = std::max(datacenter->floor, oldest->first);
  datacenter->by_name.erase(oldest->second);
  datacenter->by_index.erase(oldest);
}

void ServiceChanges::Feed(const absl::flat_hash_set<WatchKey>& watched) {
  for (const WatchKey& key : watched) {
    if (key.kind != WatchKind::kServiceHealth) continue;
    Note(&Get(key.datacenter), key.name, state_->changes().Of(key));
  }
}

uint64_t ServiceChanges::FloorOf(const std::string& datacenter) const {
  const auto it = datacenters_.find(datacenter);
  return std::max(it == datacenters_.end() ? start_ : it->second.floor,
                  state_->changes().floor());
}

uint64_t ServiceChanges::IndexOf(const std::string& datacenter) const {
  const auto it = datacenters_.find(datacenter);
  return std::max(it == datacenters_.end() ? start_ : it->second.index,
                  FloorOf(datacenter));
}

bool ServiceChanges::Knows(const std::string& datacenter,
                           uint64_t index) const {
  return index >= FloorOf(datacenter) && index <= IndexOf(datacenter);
}

void ServiceChanges::ForEachSince(
    const std::string& datacenter, uint64_t index,
    const std::function<void(const std::string&)>& visit) const {
  const auto known = datacenters_.find(datacenter);
  if (known == datacenters_.end()) return;
  const auto& by_index = known->second.by_index;
  for (auto it = by_index.lower_bound({index + 1, std::string()});
       it != by_index.end(); ++it) {
    visit(it->second);
  }
}

namespace {

constexpr absl::string_view kPath = "/v1/health/services";

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

std::string Everything(const Asked& asked, uint64_t index) {
  std::vector<std::string> names;
  asked.context->state->ForEachService(
      asked.datacenter,
      [&](const std::string& name, const std::set<std::string>&) {
        names.push_back(AsciiLower(name));
      });
  std::sort(names.begin(), names.end());
  std::string text = absl::StrCat(R"({"Index":)", index, R"(,"Full":true)");
  absl::StrAppend(&text, R"(,"Services":)");
  JsonWriter json(&text);
  json.BeginObject();
  for (const std::string& name : names) WriteOne(asked, name, &json);
  json.EndObject();
  absl::StrAppend(&text, R"(,"Gone":[]})");
  return text;
}

std::string Since(const Asked& asked, const ServiceChanges& changes,
                  uint64_t index) {
  std::string text = absl::StrCat(R"({"Index":)", index, R"(,"Full":false)");
  absl::StrAppend(&text, R"(,"Services":)");
  std::string gone;
  JsonWriter json(&text);
  JsonWriter gone_json(&gone);
  json.BeginObject();
  gone_json.BeginArray();
  changes.ForEachSince(asked.datacenter, asked.options.index,
                       [&](const std::string& name) {
                         if (WriteOne(asked, name, &json)) return;
                         if (asked.MayReadService(name)) gone_json.String(name);
                       });
  json.EndObject();
  gone_json.EndArray();
  absl::StrAppend(&text, R"(,"Gone":)", gone, "}");
  return text;
}

HttpResponse Respond(const Asked& asked, const ServiceChanges& changes,
                     uint64_t index) {
  const uint64_t since = asked.options.index;
  const bool knows = since != 0 && changes.Knows(asked.datacenter, since);
  HttpResponse response = JsonResponse(
      *asked.context, asked.options,
      knows ? Since(asked, changes, index) : Everything(asked, index));
  AddConsulHeaders(index, !asked.context->leader_address.empty(), &response);
  return response;
}

void Answer(const SharedApiContext& context,
            const std::shared_ptr<ServiceChanges>& changes,
            const HttpRequest& request, const HttpReply& reply) {
  static const ApiEndpoint kEndpoint = {.path = std::string(kPath)};
  auto asked = std::make_shared<Asked>();
  if (!ReadAsked(context, kEndpoint, request, reply, asked.get())) return;
  const QueryOptions& options = asked->options;
  // One that is not known is answered with everything, and at once.
  const bool waits = changes->Knows(asked->datacenter, options.index);
  context->blocking->Answer(
      // What changed depends on since when.
      {.text = absl::StrCat(options.text, "since ", options.index),
       .keys = {asked->Watch(WatchKind::kAllHealth)},
       .index = [asked,
                 changes] { return changes->IndexOf(asked->datacenter); },
       .render =
           [asked, changes](uint64_t index) {
             return Respond(*asked, *changes, index);
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
