#include "dnsd/http/api_endpoint.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

// Our own and those that somebody mirrors here. Consul compares with case.
bool IsDatacenter(const ApiContext& context, const std::string& name) {
  if (name == context.datacenter) return true;
  const std::vector<std::string> known = context.state->Datacenters();
  return std::find(known.begin(), known.end(), name) != known.end();
}

std::optional<HttpResponse> CompileFilter(const ApiEndpoint& endpoint,
                                          Asked* asked) {
  const std::string& text = asked->options.filter;
  if (endpoint.filter == FilterKind::kNone || text.empty()) return std::nullopt;
  if (!asked->context->compile_filter) {
    return ServerError("there are no filters here");
  }
  absl::StatusOr<RowFilter> filter =
      asked->context->compile_filter(endpoint.filter, text);
  if (!filter.ok()) return ServerError(filter.status().message());
  asked->filter = *std::move(filter);
  return std::nullopt;
}

std::optional<HttpResponse> Understand(const ApiEndpoint& endpoint,
                                       const HttpRequest& request,
                                       Asked* asked) {
  QueryOptions& options = asked->options;
  if (endpoint.refuses_namespace) {
    if (auto refusal = RefuseNamespace(request)) return refusal;
  }
  if (auto refusal = ReadQueryOptions(request, &options)) return refusal;
  if (!endpoint.missing.empty()) {
    asked->name = std::string(PathRest(request, endpoint.path));
    if (asked->name.empty()) return TextResponse(400, endpoint.missing);
  }
  if (endpoint.has_passing) {
    const std::optional<bool> passing = ParsePassing(options);
    if (!passing) return TextResponse(400, "Invalid value for ?passing");
    asked->passing = *passing;
  }
  const ApiContext& context = *asked->context;
  asked->datacenter =
      options.datacenter.empty() ? context.datacenter : options.datacenter;
  if (!IsDatacenter(context, asked->datacenter)) {
    return ServerError("No path to datacenter");
  }
  asked->key = {asked->datacenter, AsciiLower(asked->name)};
  return CompileFilter(endpoint, asked);
}

HttpResponse Respond(const ApiEndpoint& endpoint, const Asked& asked,
                     uint64_t index) {
  std::string json;
  JsonWriter writer(&json);
  endpoint.write(asked, &writer);
  if (json.empty()) {
    HttpResponse response;
    response.status = 404;
    return response;
  }
  const QueryOptions& options = asked.options;
  HttpResponse response =
      JsonResponse(*asked.context, options, std::move(json));
  AddConsulHeaders(index, !asked.context->leader_address.empty(), &response);
  if (endpoint.has_consistency) {
    response.headers.emplace_back(
        "X-Consul-Effective-Consistency",
        std::string(ConsistencyName(options.consistency)));
  }
  if (endpoint.has_cache && options.cached) {
    response.headers.emplace_back("X-Cache", "HIT");
    response.headers.emplace_back("Age", "0");
  }
  return response;
}

}  // namespace

HttpResponse ServerError(absl::string_view text) {
  HttpResponse response = TextResponse(500, text);
  AddConsulHeaders(/*index=*/1, /*knows_leader=*/false, &response);
  return response;
}

bool Asked::Wants(const Node& node) const {
  return std::all_of(options.node_meta.begin(), options.node_meta.end(),
                     [&](const auto& wanted) {
                       const auto it = node.meta.find(wanted.first);
                       return it != node.meta.end() &&
                              it->second == wanted.second;
                     });
}

bool Asked::WantsTags(const ServiceInstance& instance) const {
  return std::all_of(
      options.tags.begin(), options.tags.end(), [&](const std::string& wanted) {
        return std::any_of(
            instance.tags.begin(), instance.tags.end(),
            [&](const std::string& tag) { return AsciiLower(tag) == wanted; });
      });
}

bool Asked::Matches(const FilterSubject& subject) const {
  return !filter || filter(subject);
}

bool Asked::MayRead(const Node& node) const {
  const ReadRights* const rights = context->rights;
  return rights == nullptr || rights->MayReadNode(options.token, node.name);
}

bool Asked::MayReadService(absl::string_view service) const {
  const ReadRights* const rights = context->rights;
  return rights == nullptr || rights->MayReadService(options.token, service);
}

bool Asked::MayRead(const InstanceView& view) const {
  return MayRead(*view.node) && MayReadService(view.instance->name);
}

bool Asked::MayRead(const CheckView& view) const {
  return MayRead(*view.node) &&
         (view.instance == nullptr || MayReadService(view.instance->name));
}

bool Asked::IsNear(const Node& node) const {
  return !options.near.empty() && node.name == context->node_name &&
         (options.near == "_agent" || options.near == context->node_name);
}

WatchKey Asked::Watch(WatchKind kind) const { return {kind, datacenter, ""}; }

WatchKey Asked::WatchName(WatchKind kind) const {
  return {kind, datacenter, key.second};
}

bool ReadAsked(const SharedApiContext& context, const ApiEndpoint& endpoint,
               const HttpRequest& request, const HttpReply& reply,
               Asked* asked) {
  asked->context = context;
  std::optional<HttpResponse> refusal = Understand(endpoint, request, asked);
  if (refusal) reply(*std::move(refusal));
  return !refusal;
}

HttpResponse JsonResponse(const ApiContext& context,
                          const QueryOptions& options, std::string json) {
  HttpResponse response;
  response.content_type = "application/json";
  const bool pretty = options.pretty || context.always_pretty;
  response.body = pretty ? IndentJson(json) : std::move(json);
  return response;
}

void AddConsulHeaders(uint64_t index, bool knows_leader,
                      HttpResponse* response) {
  response->headers.emplace_back("X-Consul-Index", absl::StrCat(index));
  response->headers.emplace_back("X-Consul-Knownleader",
                                 knows_leader ? "true" : "false");
  response->headers.emplace_back("X-Consul-Lastcontact", "0");
}

Route EndpointRoute(SharedApiContext context, ApiEndpoint endpoint) {
  const std::string path = endpoint.path;
  auto shared = std::make_shared<const ApiEndpoint>(std::move(endpoint));
  return {"GET", path,
          [context = std::move(context), shared](const HttpRequest& request,
                                                 const HttpReply& reply) {
            auto asked = std::make_shared<Asked>();
            if (!ReadAsked(context, *shared, request, reply, asked.get())) {
              return;
            }
            const QueryOptions& options = asked->options;
            context->blocking->Answer({.text = options.text,
                                       .keys = shared->keys(*asked),
                                       .index = {},
                                       .render =
                                           [asked, shared](uint64_t index) {
                                             return Respond(*shared, *asked,
                                                            index);
                                           },
                                       .gzip = options.gzip},
                                      options.index, options.wait_ms, reply);
          }};
}

}  // namespace dnsd
