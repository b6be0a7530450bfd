#include "dnsd/http/query_json.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dnsd {
namespace {

void Text(absl::string_view key, absl::string_view text, JsonWriter* json) {
  json->Key(key);
  json->String(text);
}

void Flag(absl::string_view key, bool value, JsonWriter* json) {
  json->Key(key);
  json->Bool(value);
}

void Texts(absl::string_view key, const std::vector<std::string>& texts,
           JsonWriter* json) {
  json->Key(key);
  if (texts.empty()) return json->Null();
  json->Strings(texts);
}

void Map(absl::string_view key, const std::map<std::string, std::string>& map,
         JsonWriter* json) {
  json->Key(key);
  if (map.empty()) return json->Null();
  json->BeginObject();
  for (const auto& [name, value] : map) Text(name, value, json);
  json->EndObject();
}

void WriteService(const PreparedQuery& query, JsonWriter* json) {
  json->Key("Service");
  json->BeginObject();
  Text("Service", query.service, json);
  json->Key("Failover");
  json->BeginObject();
  json->Key("NearestN");
  json->Int(query.failover_nearest);
  Texts("Datacenters", query.failover_datacenters, json);
  json->EndObject();
  Flag("OnlyPassing", query.only_passing, json);
  Texts("IgnoreCheckIDs", query.ignore_check_ids, json);
  Text("Near", query.near, json);
  Texts("Tags", query.tags, json);
  Map("NodeMeta", query.node_meta, json);
  Map("ServiceMeta", query.service_meta, json);
  Flag("Connect", query.connect, json);
  json->EndObject();
}

}  // namespace

void WriteQuery(const RegisteredQuery& registered, ShownToken shown,
                JsonWriter* json) {
  const PreparedQuery& query = registered.stored.query;
  json->BeginObject();
  Text("ID", query.id, json);
  Text("Name", query.name, json);
  Text("Session", registered.stored.session, json);
  const bool hides = shown == ShownToken::kHidden && !query.token.empty();
  Text("Token", hides ? "<hidden>" : query.token, json);
  json->Key("Template");
  json->BeginObject();
  Text("Type", query.is_template ? "name_prefix_match" : "", json);
  Text("Regexp", query.regexp, json);
  Flag("RemoveEmptyTags", query.remove_empty_tags, json);
  json->EndObject();
  WriteService(query, json);
  json->Key("DNS");
  json->BeginObject();
  Text("TTL", query.ttl, json);
  json->EndObject();
  json->Key("CreateIndex");
  json->Uint(registered.stamp.create_index);
  json->Key("ModifyIndex");
  json->Uint(registered.stamp.modify_index);
  json->EndObject();
}

}  // namespace dnsd
