#include "dnsd/http/query_api.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "catalog/base/json_write.h"
#include "catalog/object_json.h"
#include "catalog/query_execute.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/go_json.h"
#include "dnsd/http/api_endpoint.h"
#include "dnsd/http/api_reply.h"
#include "dnsd/http/query_json.h"
#include "dnsd/http/url.h"

namespace dnsd {
namespace {

constexpr absl::string_view kPath = "/v1/query/";
constexpr absl::string_view kExecute = "/execute";
constexpr absl::string_view kExplain = "/explain";
constexpr absl::string_view kBadId =
    "failed prepared query lookup: index error: UUID must be 36 characters";
constexpr size_t kUuidBytes = 36;

// What Consul's servers say with an answer, in the body of it.
void WriteMeta(absl::string_view consistency, JsonWriter* json) {
  json->Key("Index");
  json->Int(0);
  json->Key("LastContact");
  json->Int(0);
  json->Key("KnownLeader");
  json->Bool(true);
  json->Key("ConsistencyLevel");
  json->String(consistency);
}

absl::string_view ConsistencyOf(const HttpRequest& request) {
  if (QueryValue(request.query, "stale")) return "stale";
  return QueryValue(request.query, "consistent") ? "consistent" : "leader";
}

bool RefusesConsistency(const HttpRequest& request, const HttpReply& reply) {
  if (!QueryValue(request.query, "stale") ||
      !QueryValue(request.query, "consistent")) {
    return false;
  }
  ReplyText(400,
            "Cannot specify ?stale with ?consistent, conflicting semantics.",
            reply);
  return true;
}

void AddHeaders(const HttpRequest& request, uint64_t index,
                HttpResponse* response) {
  auto& headers = response->headers;
  headers.emplace_back("X-Consul-Effective-Consistency",
                       std::string(ConsistencyOf(request)));
  headers.emplace_back("X-Consul-Index", absl::StrCat(index));
  headers.emplace_back("X-Consul-Knownleader", "true");
  headers.emplace_back("X-Consul-Lastcontact", "0");
}

// Queries without a name, but for templates, are under no rule: who knows the
// id of one has it.
bool HasRule(const PreparedQuery& query) {
  return !query.name.empty() || query.is_template;
}

bool MayWrite(const Authorizer& who, const PreparedQuery& query) {
  return !HasRule(query) || who.QueryWrite(query.name);
}

// In a list, those under no rule are for who manages ACLs.
bool IsListed(const Authorizer& who, const PreparedQuery& query) {
  return who.AclWrite() || (HasRule(query) && who.QueryRead(query.name));
}

ShownToken TokenFor(const Authorizer& who) {
  return who.AclWrite() ? ShownToken::kPlain : ShownToken::kHidden;
}

class QueryApi {
 public:
  explicit QueryApi(QueryApiOptions options) : options_(std::move(options)) {}

  void List(const HttpRequest& request, const HttpReply& reply) const;
  void Create(const HttpRequest& request, const HttpReply& reply) const;
  // GET of everything below /v1/query/.
  void Get(const HttpRequest& request, const HttpReply& reply) const;
  void Update(const HttpRequest& request, const HttpReply& reply) const;
  void Delete(const HttpRequest& request, const HttpReply& reply) const;

 private:
  void Read(const HttpRequest& request, const std::string& id,
            const HttpReply& reply) const;
  void Execute(const HttpRequest& request, const std::string& name,
               const HttpReply& reply) const;
  void Explain(const HttpRequest& request, const std::string& name,
               const HttpReply& reply) const;

  // The rights of who asks, or nullptr and an answer.
  [[nodiscard]] std::shared_ptr<const Authorizer> Rights(
      const HttpRequest& request, const HttpReply& reply) const {
    return options_.acl.Authorize(request, reply);
  }
  [[nodiscard]] const std::string& datacenter() const {
    return options_.registry->node().datacenter;
  }
  // There is no way to another datacenter from here: answered, and true.
  [[nodiscard]] bool RefusesDatacenter(const HttpRequest& request,
                                       const HttpReply& reply) const;
  [[nodiscard]] const RegisteredQuery* Find(const std::string& id) const;
  [[nodiscard]] std::optional<size_t> ReadLimit(const HttpRequest& request,
                                                const HttpReply& reply) const;
  void Order(const HttpRequest& request, const PreparedQuery& query,
             std::vector<InstanceView>* instances) const;
  void WriteNodes(const std::vector<InstanceView>& instances,
                  JsonWriter* json) const;

  QueryApiOptions options_;
  mutable std::mt19937 random_{std::random_device{}()};
};

bool QueryApi::RefusesDatacenter(const HttpRequest& request,
                                 const HttpReply& reply) const {
  const std::string asked = QueryValue(request.query, "dc").value_or("");
  if (asked.empty() || asked == datacenter()) return false;
  reply(ServerError("No path to datacenter"));
  return true;
}

const RegisteredQuery* QueryApi::Find(const std::string& id) const {
  const auto& queries = options_.registry->queries();
  const auto it = queries.find(AsciiLower(id));
  return it == queries.end() ? nullptr : &it->second;
}

void QueryApi::List(const HttpRequest& request, const HttpReply& reply) const {
  if (RefusesConsistency(request, reply) || RefusesDatacenter(request, reply)) {
    return;
  }
  const auto may = Rights(request, reply);
  if (may == nullptr) return;
  std::string text;
  JsonWriter json(&text);
  json.BeginArray();
  for (const auto& [id, query] : options_.registry->queries()) {
    if (IsListed(*may, query.stored.query)) {
      WriteQuery(query, TokenFor(*may), &json);
    }
  }
  json.EndArray();
  HttpResponse response = JsonAnswer(request, std::move(text));
  AddHeaders(
      request,
      options_.state->changes().Of({WatchKind::kQueries, datacenter(), ""}),
      &response);
  reply(std::move(response));
}

void QueryApi::Create(const HttpRequest& request,
                      const HttpReply& reply) const {
  if (RefusesDatacenter(request, reply)) return;
  absl::StatusOr<StoredQuery> query = DecodeQueryBody(request.body);
  if (!query.ok()) return ReplyError(query.status(), reply);
  if (!query->query.id.empty()) {
    return ReplyText(500, "ID must be empty when creating a new prepared query",
                     reply);
  }
  const auto may = Rights(request, reply);
  if (may == nullptr) return;
  if (!MayWrite(*may, query->query)) return ReplyDenied(reply);
  options_.registry->CreateQuery(
      *std::move(query),
      [request, reply](const absl::Status& status, const std::string& id) {
        if (!status.ok()) return ReplyError(status, reply);
        std::string text;
        JsonWriter json(&text);
        json.BeginObject();
        json.Key("ID");
        json.String(id);
        json.EndObject();
        ReplyJson(request, std::move(text), reply);
      });
}

void QueryApi::Get(const HttpRequest& request, const HttpReply& reply) const {
  if (RefusesConsistency(request, reply) || RefusesDatacenter(request, reply)) {
    return;
  }
  const absl::string_view rest = PathRest(request, kPath);
  if (absl::EndsWith(rest, kExecute)) {
    return Execute(request, std::string(absl::StripSuffix(rest, kExecute)),
                   reply);
  }
  if (absl::EndsWith(rest, kExplain)) {
    return Explain(request, std::string(absl::StripSuffix(rest, kExplain)),
                   reply);
  }
  Read(request, std::string(rest), reply);
}

void QueryApi::Read(const HttpRequest& request, const std::string& id,
                    const HttpReply& reply) const {
  if (id.size() != kUuidBytes) return reply(ServerError(kBadId));
  const RegisteredQuery* const query = Find(id);
  if (query == nullptr) return ReplyText(404, "Query not found", reply);
  const auto may = Rights(request, reply);
  if (may == nullptr) return;
  if (!MayReadQuery(*may, query->stored.query)) return ReplyDenied(reply);
  std::string text;
  JsonWriter json(&text);
  json.BeginArray();
  WriteQuery(*query, TokenFor(*may), &json);
  json.EndArray();
  HttpResponse response = JsonAnswer(request, std::move(text));
  AddHeaders(request, query->stamp.modify_index, &response);
  reply(std::move(response));
}

void QueryApi::Update(const HttpRequest& request,
                      const HttpReply& reply) const {
  if (RefusesDatacenter(request, reply)) return;
  absl::StatusOr<StoredQuery> query = DecodeQueryBody(request.body);
  if (!query.ok() &&
      query.status().code() == absl::StatusCode::kInvalidArgument) {
    return ReplyError(query.status(), reply);
  }
  const std::string id(PathRest(request, kPath));
  if (id.size() != kUuidBytes) {
    return ReplyText(
        500, absl::StrCat("Prepared Query lookup failed: ", kBadId), reply);
  }
  const RegisteredQuery* const known = Find(id);
  if (known == nullptr) {
    return ReplyText(
        500,
        absl::StrCat("Cannot modify non-existent prepared query: '", id, "'"),
        reply);
  }
  if (!query.ok()) return ReplyError(query.status(), reply);
  const auto may = Rights(request, reply);
  if (may == nullptr) return;
  if (!MayWrite(*may, query->query) || !MayWrite(*may, known->stored.query)) {
    return ReplyDenied(reply);
  }
  // The path says which; the body's own is not looked at.
  query->query.id = known->stored.query.id;
  options_.registry->UpdateQuery(*std::move(query),
                                 [reply](const absl::Status& status) {
                                   if (!status.ok())
                                     return ReplyError(status, reply);
                                   ReplyEmpty(reply);
                                 });
}

void QueryApi::Delete(const HttpRequest& request,
                      const HttpReply& reply) const {
  if (RefusesDatacenter(request, reply)) return;
  const std::string id(PathRest(request, kPath));
  if (id.size() != kUuidBytes) {
    return ReplyText(
        500, absl::StrCat("Prepared Query lookup failed: ", kBadId), reply);
  }
  const RegisteredQuery* const known = Find(id);
  if (known == nullptr) {
    return ReplyText(
        500,
        absl::StrCat("Cannot modify non-existent prepared query: '", id, "'"),
        reply);
  }
  const auto may = Rights(request, reply);
  if (may == nullptr) return;
  if (!MayWrite(*may, known->stored.query)) return ReplyDenied(reply);
  options_.registry->DeleteQuery(known->stored.query.id,
                                 [reply](const absl::Status& status) {
                                   if (!status.ok())
                                     return ReplyError(status, reply);
                                   ReplyEmpty(reply);
                                 });
}

std::optional<size_t> QueryApi::ReadLimit(const HttpRequest& request,
                                          const HttpReply& reply) const {
  const std::string text = QueryValue(request.query, "limit").value_or("");
  int64_t limit = 0;
  if (text.empty()) return 0;
  if (!absl::SimpleAtoi(text, &limit)) {
    ReplyText(500,
              absl::StrCat("Bad limit: strconv.Atoi: parsing ", GoQuoted(text),
                           ": invalid syntax"),
              reply);
    return std::nullopt;
  }
  return limit > 0 ? static_cast<size_t>(limit) : 0;
}

void QueryApi::Order(const HttpRequest& request, const PreparedQuery& query,
                     std::vector<InstanceView>* instances) const {
  std::shuffle(instances->begin(), instances->end(), random_);
  std::string near = QueryValue(request.query, "near").value_or("");
  if (near.empty()) near = query.near;
  const std::string& own = options_.registry->node().name;
  if (near != "_agent" && near != own) return;
  std::stable_partition(
      instances->begin(), instances->end(),
      [&](const InstanceView& view) { return view.node->name == own; });
}

void QueryApi::WriteNodes(const std::vector<InstanceView>& instances,
                          JsonWriter* json) const {
  json->Key("Nodes");
  json->BeginArray();
  for (const InstanceView& view : instances) {
    std::vector<CheckView> checks;
    options_.state->ForEachCheckOf(
        view, [&](const CheckView& check) { checks.push_back(check); });
    WriteHealthEntry(view, checks, json, EmptyTags::kNull);
  }
  json->EndArray();
}

void QueryApi::Execute(const HttpRequest& request, const std::string& name,
                       const HttpReply& reply) const {
  const std::optional<size_t> limit = ReadLimit(request, reply);
  if (!limit) return;
  std::optional<PreparedQuery> query =
      options_.state->FindQuery(datacenter(), name);
  if (!query) return ReplyText(404, "Query not found", reply);
  if (ParseGoBool(QueryValue(request.query, "connect").value_or(""))
          .value_or(false)) {
    query->connect = true;
  }
  const auto may = query->token.empty()
                       ? Rights(request, reply)
                       : options_.acl.AuthorizeToken(query->token, reply);
  if (may == nullptr) return;
  QueryResult result =
      ExecuteQuery(*options_.state, datacenter(), *query, may.get());
  std::vector<InstanceView>& instances = result.instances;
  Order(request, *query, &instances);
  if (*limit > 0 && instances.size() > *limit) instances.resize(*limit);
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("Service");
  json.String(query->service);
  WriteNodes(instances, &json);
  json.Key("DNS");
  json.BeginObject();
  json.Key("TTL");
  json.String(query->ttl);
  json.EndObject();
  json.Key("Datacenter");
  json.String(result.datacenter);
  json.Key("Failovers");
  json.Int(result.failover_count);
  WriteMeta(ConsistencyOf(request), &json);
  json.EndObject();
  HttpResponse response = JsonAnswer(request, std::move(text));
  AddHeaders(request, 1, &response);
  reply(std::move(response));
}

void QueryApi::Explain(const HttpRequest& request, const std::string& name,
                       const HttpReply& reply) const {
  const std::optional<PreparedQuery> query =
      options_.state->FindQuery(datacenter(), name);
  if (!query) return ReplyText(404, "Query not found", reply);
  const auto may = Rights(request, reply);
  if (may == nullptr) return;
  if (!IsListed(*may, *query)) return ReplyDenied(reply);
  RegisteredQuery shown;
  if (const RegisteredQuery* known = Find(query->id); known != nullptr) {
    shown = *known;
    // Rendered, but still called by its own name and kind.
    const PreparedQuery& own = known->stored.query;
    shown.stored.query = *query;
    shown.stored.query.name = own.name;
    shown.stored.query.is_template = own.is_template;
    shown.stored.query.regexp = own.regexp;
    shown.stored.query.remove_empty_tags = own.remove_empty_tags;
  } else {
    shown.stored.query = *query;
  }
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  json.Key("Query");
  WriteQuery(shown, TokenFor(*may), &json);
  WriteMeta(ConsistencyOf(request), &json);
  json.EndObject();
  HttpResponse response = JsonAnswer(request, std::move(text));
  AddHeaders(request, 1, &response);
  reply(std::move(response));
}

}  // namespace

bool MayReadQuery(const Authorizer& who, const PreparedQuery& query) {
  return who.AclWrite() || !HasRule(query) || who.QueryRead(query.name);
}

std::vector<Route> QueryRoutes(QueryApiOptions options) {
  const auto api = std::make_shared<QueryApi>(std::move(options));
  const auto handle = [&api](void (QueryApi::*handler)(
                          const HttpRequest&, const HttpReply&) const) {
    return [api, handler](const HttpRequest& request, const HttpReply& reply) {
      (api.get()->*handler)(request, reply);
    };
  };
  return {{"GET", "/v1/query", handle(&QueryApi::List)},
          {"POST", "/v1/query", handle(&QueryApi::Create)},
          {"GET", "/v1/query/", handle(&QueryApi::Get)},
          {"PUT", "/v1/query/", handle(&QueryApi::Update)},
          {"DELETE", "/v1/query/", handle(&QueryApi::Delete)}};
}

}  // namespace dnsd
