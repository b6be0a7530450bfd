#include "tests/integration/prepared_query_pair.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/json_read.h"
#include "catalog/consul/consul_decode.h"
#include "catalog/query_execute.h"
#include "tests/testing/catalog_maker.h"
#include "tests/testing/consul_api.h"
#include "tests/testing/dns_client.h"
#include "tests/testing/rr_text.h"
#include "zones/responder.h"
#include "zones/view_builder.h"

namespace dnsd::testing {
namespace {

using Texts = std::vector<std::string>;
using Pairs = std::map<std::string, std::string>;

std::string Json(const Texts& texts) {
  std::string json = "[";
  for (const std::string& text : texts) {
    absl::StrAppend(&json, json.size() > 1 ? "," : "", JsonQuoted(text));
  }
  return json + "]";
}

std::string Json(const Pairs& pairs) {
  std::string json = "{";
  for (const auto& [key, value] : pairs) {
    absl::StrAppend(&json, json.size() > 1 ? "," : "", JsonQuoted(key), ":",
                    JsonQuoted(value));
  }
  return json + "}";
}

std::string Flag(bool flag) { return flag ? "true" : "false"; }

std::string Json(const PreparedQuery& query) {
  std::string json = absl::StrCat("{\"Name\":", JsonQuoted(query.name));
  if (query.is_template) {
    absl::StrAppend(
        &json, ",\"Template\":{\"Type\":\"name_prefix_match\",\"Regexp\":",
        JsonQuoted(query.regexp),
        ",\"RemoveEmptyTags\":", Flag(query.remove_empty_tags), "}");
  }
  absl::StrAppend(&json,
                  ",\"Service\":{\"Service\":", JsonQuoted(query.service),
                  ",\"Failover\":{\"NearestN\":", query.failover_nearest,
                  ",\"Datacenters\":", Json(query.failover_datacenters),
                  "},\"OnlyPassing\":", Flag(query.only_passing));
  absl::StrAppend(&json, ",\"IgnoreCheckIDs\":", Json(query.ignore_check_ids),
                  ",\"Near\":", JsonQuoted(query.near),
                  ",\"Tags\":", Json(query.tags),
                  ",\"Connect\":", Flag(query.connect));
  absl::StrAppend(&json, ",\"NodeMeta\":", Json(query.node_meta),
                  ",\"ServiceMeta\":", Json(query.service_meta),
                  "},\"DNS\":{\"TTL\":", JsonQuoted(query.ttl), "}}");
  return json;
}

std::string PercentEncoded(const std::string& text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (char c : text) {
    auto byte = static_cast<uint8_t>(c);
    encoded += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return encoded;
}

// The object that stands at `key` of a JSON object.
std::string ObjectAt(const std::string& json, const std::string& key) {
  size_t begin = json.find(absl::StrCat("\"", key, "\":"));
  if (begin == std::string::npos) return "";
  begin = json.find('{', begin);
  int depth = 0;
  bool in_text = false;
  for (size_t at = begin; at < json.size(); ++at) {
    char c = json[at];
    if (in_text && c == '\\') {
      ++at;
    } else if (c == '"') {
      in_text = !in_text;
    } else if (!in_text && c == '{') {
      ++depth;
    } else if (!in_text && c == '}' && --depth == 0) {
      return json.substr(begin, at + 1 - begin);
    }
  }
  return "";
}

Value At(const Value& value, const std::string& key) {
  for (const Member& member : value.members) {
    if (member.key == key) return member.value;
  }
  return {};
}

std::optional<PreparedQuery> DecodeOne(const std::string& json) {
  std::string body = absl::StrCat("[", json, "]");
  auto queries = DecodeQueries(&body);
  if (!queries.ok() || queries->size() != 1) return std::nullopt;
  return queries->front();
}

Texts Sorted(Texts texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

}  // namespace

bool PreparedQueryPair::Put(const Node& node) {
  BatchMaker().Put(node).ApplyTo(&state_);
  return Register(node, "");
}

bool PreparedQueryPair::Put(const Node& node, const ServiceInstance& instance) {
  BatchMaker().Put({datacenter_, node.name}, instance).ApplyTo(&state_);
  std::string json = absl::StrCat(
      ",\"Service\":{\"ID\":", JsonQuoted(instance.id),
      ",\"Service\":", JsonQuoted(instance.name),
      ",\"Address\":", JsonQuoted(instance.address),
      ",\"Port\":", instance.port, ",\"Tags\":", Json(instance.tags),
      ",\"Meta\":", Json(instance.meta));
  absl::StrAppend(&json, ",\"Weights\":{\"Passing\":", instance.weights.passing,
                  ",\"Warning\":", instance.weights.warning, "}");
  if (instance.kind == ServiceKind::kConnectProxy) {
    absl::StrAppend(&json, ",\"Kind\":\"connect-proxy\",\"Proxy\":{",
                    "\"DestinationServiceName\":",
                    JsonQuoted(instance.mesh->proxy_destination), "}");
  }
  if (instance.connect_native) json += ",\"Connect\":{\"Native\":true}";
  return Register(node, json + "}");
}

bool PreparedQueryPair::Put(const Node& node, const Check& check) {
  BatchMaker().Put({datacenter_, node.name}, check).ApplyTo(&state_);
  return Register(
      node, absl::StrCat(",\"Check\":{\"CheckID\":", JsonQuoted(check.id),
                         ",\"Name\":\"c\",\"Status\":",
                         JsonQuoted(HealthStatusName(check.status)),
                         ",\"ServiceID\":", JsonQuoted(check.service_id), "}"));
}

bool PreparedQueryPair::Register(const Node& node, const std::string& more) {
  return consul_.api().Put(
             "/v1/catalog/register",
             absl::StrCat("{\"Node\":", JsonQuoted(node.name),
                          ",\"Address\":", JsonQuoted(node.address),
                          ",\"NodeMeta\":", Json(node.meta), more, "}")) == 200;
}

std::string PreparedQueryPair::PutQuery(const PreparedQuery& query) {
  ConsulReply reply = consul_.api().Call("POST", "/v1/query", Json(query));
  if (reply.status != 200) return "";
  auto value = ParseJson(reply.body);
  return value.ok() ? At(*value, "ID").text : "";
}

bool PreparedQueryPair::ReadQueries() {
  std::string body = consul_.api().Get("/v1/query");
  auto queries = DecodeQueries(&body);
  if (!queries.ok()) return false;
  BatchMaker batch(1);
  batch.Complete();
  for (const PreparedQuery& query : *queries) batch.Put(query, datacenter_);
  batch.ApplyTo(&state_);
  return true;
}

void PreparedQueryPair::DeleteQueries() {
  std::string body = consul_.api().Get("/v1/query");
  auto queries = DecodeQueries(&body);
  if (!queries.ok()) return;
  for (const PreparedQuery& query : *queries) {
    consul_.api().Delete("/v1/query/" + query.id);
  }
}

std::string PreparedQueryPair::CompareExplain(const std::string& name) {
  ConsulReply reply = consul_.api().Call(
      "GET", absl::StrCat("/v1/query/", PercentEncoded(name), "/explain"));
  std::optional<PreparedQuery> ours = state_.FindQuery(datacenter_, name);
  if (reply.status != 200) {
    if (!ours && (reply.status == 404 || reply.status == 500)) return "";
    return absl::StrCat(name, ": Consul says ", reply.status);
  }
  std::optional<PreparedQuery> theirs =
      DecodeOne(ObjectAt(reply.body, "Query"));
  if (!theirs) return absl::StrCat(name, ": cannot read ", reply.body);
  ++found_count_;
  if (ours == theirs) return "";
  return absl::StrCat(name, ":\n", Json(*theirs), "\nbut ours is\n",
                      ours ? Json(*ours) : "none");
}

std::string PreparedQueryPair::CompareExecute(const std::string& name) {
  ConsulReply reply = consul_.api().Call(
      "GET", absl::StrCat("/v1/query/", PercentEncoded(name), "/execute"));
  std::optional<PreparedQuery> query = state_.FindQuery(datacenter_, name);
  auto value = ParseJson(reply.body);
  if (reply.status != 200 || !value.ok() || !query) {
    return absl::StrCat(name, ": ", reply.status, " ", reply.body);
  }
  Texts theirs;
  for (const Value& item : At(*value, "Nodes").items) {
    theirs.push_back(absl::StrCat(At(At(item, "Node"), "Node").text, "/",
                                  At(At(item, "Service"), "ID").text));
  }
  Texts ours;
  QueryResult result = ExecuteQuery(state_, datacenter_, *query);
  for (const InstanceView& view : result.instances) {
    ours.push_back(
        absl::StrCat(view.node->name, "/", view.instance->id.view()));
  }
  for (Texts* texts : {&theirs, &ours}) {
    std::sort(texts->begin(), texts->end());
  }
  const std::string place = At(*value, "Datacenter").text;
  if (!theirs.empty()) ++found_count_;
  if (!theirs.empty() && place != datacenter_) ++found_elsewhere_count_;
  if (ours == theirs && result.datacenter == place &&
      result.failover_count == At(*value, "Failovers").integer) {
    return "";
  }
  return absl::StrCat(Json(*query), "\nfinds ", Json(theirs), " in ", place,
                      " after ", At(*value, "Failovers").integer, ", ours ",
                      Json(ours), " in ", result.datacenter, " after ",
                      result.failover_count);
}

std::string PreparedQueryPair::CompareDns(const std::string& name) {
  ZonePolicy policy;
  policy.compat = Compat::kConsul;
  policy.datacenter = datacenter_;
  std::unique_ptr<const View> view = BuildView(state_, policy, {}, 1);
  for (const char* type : {"A", "SRV"}) {
    const DnsQuestion question{absl::StrCat(name, ".query.consul."), type};
    const Bytes packet = MakeQuery(question, 7);
    RespondContext context;
    std::vector<uint8_t> out(kResponseBytesMax);
    const Response response =
        Respond(packet, Transport::kTcp, *view, &context, out.data());
    const DnsReply ours = ReadReply({out.data(), response.size});
    const DnsReply theirs = AskTcp(consul_.dns(), question);
    if (ours.error.empty() && theirs.error.empty() &&
        ours.rcode == theirs.rcode &&
        Sorted(ours.answer) == Sorted(theirs.answer) &&
        Sorted(ours.additional) == Sorted(theirs.additional)) {
      continue;
    }
    return absl::StrCat(question.name, " ", type, ": ", theirs.rcode,
                        theirs.error, Json(theirs.answer),
                        Json(theirs.additional), "\nbut ours is ", ours.rcode,
                        ours.error, Json(ours.answer), Json(ours.additional));
  }
  return "";
}

}  // namespace dnsd::testing
