#include "dnsd/http/explain_api.h"

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "catalog/base/json_write.h"
#include "dnsd/http/api_reply.h"
#include "dnsd/http/url.h"
#include "zones/name.h"
#include "zones/wire.h"
#include "zones/zone_rdata.h"

namespace dnsd {
namespace {

void WriteText(const char* key, const std::string& text, JsonWriter* json) {
  json->Key(key);
  json->String(text);
}

void WriteTexts(const char* key, const std::vector<std::string>& texts,
                JsonWriter* json) {
  json->Key(key);
  json->Strings(texts);
}

void WriteRecords(const char* key, const std::vector<ExplainedRecord>& records,
                  JsonWriter* json) {
  json->Key(key);
  json->BeginArray();
  for (const ExplainedRecord& record : records) {
    json->BeginObject();
    WriteText("Name", record.name, json);
    json->Key("Ttl");
    json->Uint(record.ttl);
    WriteText("Type", record.type, json);
    WriteText("Data", record.data, json);
    json->EndObject();
  }
  json->EndArray();
}

void WriteInstance(const ExplainedInstance& instance, JsonWriter* json) {
  json->BeginObject();
  WriteText("Node", instance.node, json);
  WriteText("Datacenter", instance.datacenter, json);
  WriteText("ServiceID", instance.service_id, json);
  WriteText("Address", instance.address, json);
  json->Key("Port");
  json->Uint(instance.port);
  WriteTexts("Tags", instance.tags, json);
  WriteText("Status", instance.status, json);
  json->Key("Included");
  json->Bool(instance.included);
  WriteText("Reason", instance.reason, json);
  json->Key("Checks");
  json->BeginArray();
  for (const ExplainedCheck& check : instance.checks) {
    json->BeginObject();
    WriteText("CheckID", check.id, json);
    WriteText("Name", check.name, json);
    WriteText("Status", check.status, json);
    WriteText("Output", check.output, json);
    json->EndObject();
  }
  json->EndArray();
  json->EndObject();
}

// Each is nullopt after an answer that says what is wrong.
std::optional<std::string> ReadName(const HttpRequest& request,
                                    const HttpReply& reply) {
  const auto text = QueryValue(request.query, "name");
  if (!text || text->empty()) {
    ReplyText(400, "Missing ?name=", reply);
    return std::nullopt;
  }
  ZoneToken token;
  token.text = *text;
  const std::string root(1, '\0');
  std::string wire;
  // The parser would end at a NUL without a word.
  if (Name parsed; absl::StrContains(*text, root) ||
                   !ParseZoneName(token, root, &wire) ||
                   ParseName(WireBytes(wire), &parsed) == 0) {
    ReplyText(400, "Not a domain name", reply);
  } else {
    return wire;
  }
  return std::nullopt;
}

std::optional<uint16_t> ReadType(const HttpRequest& request,
                                 const HttpReply& reply) {
  const std::string text =
      absl::AsciiStrToUpper(QueryValue(request.query, "type").value_or("A"));
  uint16_t type = kTypeA;
  if (text == "ANY" || text == "TYPE255") return uint16_t{kTypeAny};
  if (text.empty() || ParseZoneType(text, &type)) return type;
  ReplyText(400, "Not a type of records", reply);
  return std::nullopt;
}

bool ReadTransport(const HttpRequest& request, const HttpReply& reply,
                   ExplainQuestion* question) {
  const std::string text =
      QueryValue(request.query, "transport").value_or("udp");
  if (text != "udp" && text != "tcp") {
    ReplyText(400, "transport is udp or tcp", reply);
    return false;
  }
  question->transport = text == "tcp" ? Transport::kTcp : Transport::kUdp;
  const auto edns = QueryValue(request.query, "edns");
  uint32_t bytes = question->edns_bytes;
  if (edns && (!absl::SimpleAtoi(*edns, &bytes) || bytes > UINT16_MAX)) {
    ReplyText(400, "edns is a size of 0 to 65535 bytes", reply);
    return false;
  }
  question->edns_bytes = static_cast<uint16_t>(bytes);
  return true;
}

}  // namespace

std::string ExplanationJson(const Explanation& explanation) {
  std::string text;
  JsonWriter json(&text);
  json.BeginObject();
  WriteText("Name", explanation.name, &json);
  WriteText("Type", explanation.type, &json);
  WriteText("Rcode", explanation.rcode, &json);
  WriteText("Source", explanation.source, &json);
  WriteText("Kind", explanation.kind, &json);
  json.Key("Truncated");
  json.Bool(explanation.is_truncated);
  WriteRecords("Answer", explanation.answer, &json);
  WriteRecords("Authority", explanation.authority, &json);
  WriteRecords("Additional", explanation.additional, &json);
  WriteText("Service", explanation.service, &json);
  WriteText("Tag", explanation.tag, &json);
  WriteText("Datacenter", explanation.datacenter, &json);
  WriteText("Query", explanation.query, &json);
  WriteText("Zone", explanation.zone, &json);
  json.Key("InstanceCount");
  json.Uint(explanation.instance_count);
  json.Key("Instances");
  json.BeginArray();
  for (const ExplainedInstance& instance : explanation.instances) {
    WriteInstance(instance, &json);
  }
  json.EndArray();
  WriteTexts("Steps", explanation.steps, &json);
  WriteTexts("Suggestions", explanation.suggestions, &json);
  json.EndObject();
  return text;
}

std::vector<Route> ExplainRoutes(ExplainHooks hooks) {
  const auto all = std::make_shared<const ExplainHooks>(std::move(hooks));
  const auto handle = [all](const HttpRequest& request,
                            const HttpServer::Reply& reply) {
    const auto who = all->acl.Authorize(request, reply);
    if (who == nullptr) return;
    if (!who->AgentRead(all->node_name)) return reply(PermissionDenied());
    ExplainQuestion question;
    const auto name = ReadName(request, reply);
    if (!name) return;
    const auto type = ReadType(request, reply);
    if (!type || !ReadTransport(request, reply, &question)) return;
    question.name = *name;
    question.type = *type;
    all->explain(question, who,
                 [request, reply](const Explanation& explanation) {
                   ReplyJson(request, ExplanationJson(explanation), reply);
                 });
  };
  return {{"GET", "/v1/dnsd/explain", handle}};
}

}  // namespace dnsd
