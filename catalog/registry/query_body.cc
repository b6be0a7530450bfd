// POST /v1/query and PUT /v1/query/ID.
#include <re2/re2.h>

#include <chrono>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/query_template.h"
#include "catalog/registry/api_body.h"
#include "catalog/registry/body_parts.h"
#include "catalog/registry/go_json.h"

namespace dnsd {
namespace {

absl::Status Refused(absl::string_view text) {
  return absl::FailedPreconditionError(text);
}

absl::Status Invalid(absl::string_view text) {
  return Refused(absl::StrCat("Invalid prepared query: ", text));
}

struct QueryBody {
  StoredQuery stored;
  std::string template_type;
  int64_t nearest = 0;
};

void ReadTemplate(const GoObject& object, QueryBody* body, GoErrors* errors) {
  const Value* value = object.Find({"Template"});
  if (value == nullptr) return;
  const GoObject inner(*value,
                       object.Inside("Template", "QueryTemplateOptions"),
                       "structs.QueryTemplateOptions", errors);
  PreparedQuery& query = body->stored.query;
  inner.String({"Type"}, &body->template_type);
  inner.String({"Regexp"}, &query.regexp);
  inner.Bool({"RemoveEmptyTags"}, &query.remove_empty_tags);
  inner.RejectOthers();
}

void ReadService(const GoObject& object, QueryBody* body, GoErrors* errors) {
  const Value* value = object.Find({"Service"});
  if (value == nullptr) return;
  const GoObject inner(*value, object.Inside("Service", "ServiceQuery"),
                       "structs.ServiceQuery", errors);
  PreparedQuery& query = body->stored.query;
  inner.String({"Service"}, &query.service);
  if (const Value* given = inner.Find({"Failover"}); given != nullptr) {
    const GoObject failover(*given,
                            inner.Inside("Failover", "QueryDatacenterOptions"),
                            "structs.QueryDatacenterOptions", errors);
    failover.Int({"NearestN"}, &body->nearest);
    failover.Strings({"Datacenters"}, &query.failover_datacenters);
    failover.RejectOthers({"Targets"});
  }
  inner.Bool({"OnlyPassing"}, &query.only_passing);
  inner.Strings({"IgnoreCheckIDs"}, &query.ignore_check_ids);
  inner.String({"Near"}, &query.near);
  inner.Strings({"Tags"}, &query.tags);
  inner.StringMap({"NodeMeta"}, &query.node_meta);
  inner.StringMap({"ServiceMeta"}, &query.service_meta);
  inner.Bool({"Connect"}, &query.connect);
  inner.RejectOthers({"Namespace", "Partition", "Peer", "SamenessGroup"});
}

QueryBody ReadQuery(const GoObject& object, GoErrors* errors) {
  QueryBody body;
  PreparedQuery& query = body.stored.query;
  object.String({"ID"}, &query.id);
  object.String({"Name"}, &query.name);
  object.String({"Session"}, &body.stored.session);
  object.String({"Token"}, &query.token);
  ReadTemplate(object, &body, errors);
  ReadService(object, &body, errors);
  if (const Value* dns = object.Find({"DNS"}); dns != nullptr) {
    const GoObject inner(*dns, object.Inside("DNS", "QueryDNSOptions"),
                         "structs.QueryDNSOptions", errors);
    inner.String({"TTL"}, &query.ttl);
    inner.RejectOthers();
  }
  object.RejectOthers({"CreateIndex", "ModifyIndex"});
  return body;
}

absl::Status JudgeTtl(const std::string& text) {
  if (text.empty()) return absl::OkStatus();
  std::chrono::nanoseconds ttl{0};
  const bool has_unit =
      text.find_first_not_of("+-.0123456789") != std::string::npos;
  if ((!has_unit && text != "0") || !ParseGoDuration(text, &ttl)) {
    return Invalid(
        absl::StrCat("Bad DNS TTL '", text, "': ", GoDurationError(text)));
  }
  if (ttl.count() >= 0) return absl::OkStatus();
  return Invalid(absl::StrCat("DNS TTL '", ttl.count(), "', must be >=0"));
}

absl::Status JudgeQuery(const QueryBody& body) {
  const PreparedQuery& query = body.stored.query;
  if (query.name.empty() && body.template_type.empty() &&
      body.stored.session.empty()) {
    return Invalid("Must be bound to a session");
  }
  if (query.token == "<hidden>") {
    return Invalid(
        "Bad Token '<hidden>', it looks like a query definition with a "
        "redacted token was submitted");
  }
  if (query.service.empty()) {
    return Invalid("Must provide a Service name to query");
  }
  if (body.nearest < 0) {
    return Invalid(
        absl::StrCat("Bad NearestN '", body.nearest, "', must be >= 0"));
  }
  const std::string meta = MetaError(query.node_meta, nullptr);
  if (!meta.empty()) return Invalid(meta);
  return JudgeTtl(query.ttl);
}

// There are no sessions here, so none is known.
absl::Status JudgeSession(const std::string& session) {
  if (session.empty()) return absl::OkStatus();
  if (session.size() != 36) {
    return Refused("invalid session: index error: UUID must be 36 characters");
  }
  return Refused(absl::StrCat("invalid session ", GoQuoted(session)));
}

absl::Status JudgeText(const std::string& text, absl::string_view field,
                       const TemplateScope& scope) {
  if (RenderTemplateText(text, scope)) return absl::OkStatus();
  return Refused(absl::StrCat("failed compiling template: Bad format '", text,
                              "' in ", field, ": parse error: syntax error"));
}

absl::Status JudgeTexts(const PreparedQuery& query) {
  TemplateScope scope;
  scope.full = query.name;
  scope.prefix = query.name;
  absl::Status status = JudgeText(query.service, "Service.Service", scope);
  const auto judge = [&](const std::string& text, const std::string& field) {
    if (status.ok()) status = JudgeText(text, field, scope);
  };
  for (size_t i = 0; i < query.failover_datacenters.size(); ++i) {
    judge(query.failover_datacenters[i],
          absl::StrCat("Service.Failover.Datacenters[", i, "]"));
  }
  judge(query.near, "Service.Near");
  for (size_t i = 0; i < query.tags.size(); ++i) {
    judge(query.tags[i], absl::StrCat("Service.Tags[", i, "]"));
  }
  for (const auto& [key, value] : query.node_meta) {
    judge(value, absl::StrCat("Service.NodeMeta[", key, "]"));
  }
  for (const auto& [key, value] : query.service_meta) {
    judge(value, absl::StrCat("Service.ServiceMeta[", key, "]"));
  }
  return status;
}

// What Go says of it.
const char* RegexpError(RE2::ErrorCode code) {
  switch (code) {
    case RE2::ErrorBadEscape:
      return "invalid escape sequence";
    case RE2::ErrorBadCharClass:
      return "invalid character class";
    case RE2::ErrorBadCharRange:
      return "invalid character class range";
    case RE2::ErrorMissingBracket:
      return "missing closing ]";
    case RE2::ErrorMissingParen:
      return "missing closing )";
    case RE2::ErrorTrailingBackslash:
      return "trailing backslash at end of expression";
    case RE2::ErrorRepeatArgument:
      return "missing argument to repetition operator";
    case RE2::ErrorRepeatSize:
      return "invalid repeat count";
    case RE2::ErrorRepeatOp:
      return "invalid nested repetition operator";
    case RE2::ErrorBadPerlOp:
      return "invalid or unsupported Perl syntax";
    case RE2::ErrorBadUTF8:
      return "invalid UTF-8";
    case RE2::ErrorBadNamedCapture:
      return "invalid named capture";
    default:
      return "expression too large";
  }
}

absl::Status JudgeTemplate(const QueryBody& body) {
  if (body.template_type.empty()) return absl::OkStatus();
  const PreparedQuery& query = body.stored.query;
  if (body.template_type != "name_prefix_match") {
    return Refused(
        absl::StrCat("failed compiling template: Bad Template.Type '",
                     body.template_type, "'"));
  }
  const absl::Status texts = JudgeTexts(query);
  if (!texts.ok()) return texts;
  RE2::Options options;
  options.set_log_errors(false);
  const RE2 regexp(query.regexp, options);
  if (regexp.ok()) return absl::OkStatus();
  return Refused(absl::StrCat(
      "failed compiling template: Bad Regexp: error parsing regexp: ",
      RegexpError(regexp.error_code()), ": `", regexp.error_arg(), "`"));
}

void PutFailover(const PreparedQuery& query, JsonWriter* json) {
  json->Key("Failover");
  json->BeginObject();
  json->Key("NearestN");
  json->Int(query.failover_nearest);
  PutTexts("Datacenters", query.failover_datacenters, json);
  json->EndObject();
}

void PutQueryService(const PreparedQuery& query, JsonWriter* json) {
  json->Key("Service");
  json->BeginObject();
  PutText("Service", query.service, json);
  PutFailover(query, json);
  json->Key("OnlyPassing");
  json->Bool(query.only_passing);
  PutTexts("IgnoreCheckIDs", query.ignore_check_ids, json);
  PutText("Near", query.near, json);
  PutTexts("Tags", query.tags, json);
  PutMap("NodeMeta", query.node_meta, json);
  PutMap("ServiceMeta", query.service_meta, json);
  json->Key("Connect");
  json->Bool(query.connect);
  json->EndObject();
}

}  // namespace

absl::StatusOr<StoredQuery> DecodeQueryBody(absl::string_view json) {
  const absl::StatusOr<Value> value = ParseBody(json);
  if (!value.ok()) return value.status();
  GoErrors errors;
  const GoObject object(*value, {"PreparedQuery", "", ""},
                        "structs.PreparedQuery", &errors);
  QueryBody body = ReadQuery(object, &errors);
  if (!errors.ok()) return DecodeFailed(errors.first());
  absl::Status status = JudgeQuery(body);
  if (status.ok()) status = JudgeSession(body.stored.session);
  if (status.ok()) status = JudgeTemplate(body);
  if (!status.ok()) return status;
  PreparedQuery& query = body.stored.query;
  query.is_template = !body.template_type.empty();
  constexpr int64_t kMax = std::numeric_limits<int>::max();
  query.failover_nearest =
      static_cast<int>(body.nearest < kMax ? body.nearest : kMax);
  return std::move(body.stored);
}

std::string EncodeQuery(const StoredQuery& stored) {
  std::string text;
  JsonWriter json(&text);
  const PreparedQuery& query = stored.query;
  json.BeginObject();
  PutText("ID", query.id, &json);
  PutText("Name", query.name, &json);
  PutText("Session", stored.session, &json);
  PutText("Token", query.token, &json);
  json.Key("Template");
  json.BeginObject();
  if (query.is_template) PutText("Type", "name_prefix_match", &json);
  PutText("Regexp", query.regexp, &json);
  json.Key("RemoveEmptyTags");
  json.Bool(query.remove_empty_tags);
  json.EndObject();
  PutQueryService(query, &json);
  json.Key("DNS");
  json.BeginObject();
  PutText("TTL", query.ttl, &json);
  json.EndObject();
  json.EndObject();
  return text;
}

}  // namespace dnsd
