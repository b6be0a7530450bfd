// What CatalogChurn does to prepared queries.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "catalog/base/json_read.h"
#include "catalog/base/value.h"
#include "tests/integration/catalog_churn.h"

namespace dnsd::testing {
namespace {

constexpr size_t kOldQueryIds = 8;

}  // namespace

CatalogChurn::Body CatalogChurn::QueryBody(const std::string& name) {
  const bool is_template = name.ends_with('-');
  Body body = absl::StrCat(
      "{", Pair("Name", name),
      is_template ? ",\"Template\":{\"Type\":\"name_prefix_match\"}" : "",
      ",\"Service\":{",
      Pair("Service", is_template ? "${name.suffix}" : OneOf(services_)),
      ",\"OnlyPassing\":", Chance(40) ? "true" : "false", ",\"Tags\":[");
  if (Chance(50)) {
    body += JsonQuoted((Chance(30) ? "!" : "") + OneOf(kTags));
  }
  absl::StrAppend(&body, "]}");
  if (Chance(40)) {
    absl::StrAppend(&body, ",\"DNS\":{",
                    Pair("TTL", absl::StrCat(1 + Below(9), "s")), "}");
  }
  return body + "}";
}

std::string CatalogChurn::ChangeQuery() {
  const std::string& name = OneOf(kQueryNames);
  const auto known =
      std::find_if(queries_.begin(), queries_.end(),
                   [&](const auto& item) { return item.second == name; });
  if (known == queries_.end()) {
    const ConsulReply reply = api_->Call("POST", "/v1/query", QueryBody(name));
    const auto answer = ParseJson(reply.body);
    if (reply.status != 200 || !answer.ok() || answer->members.size() != 1) {
      return absl::StrCat("POST /v1/query: ", reply.status, " ", reply.body);
    }
    queries_[answer->members[0].value.text] = name;
    return "";
  }
  const std::string path = "/v1/query/" + known->first;
  if (Chance(50)) return Send("PUT", path, QueryBody(name));
  old_query_ids_.push_back(known->first);
  if (old_query_ids_.size() > kOldQueryIds) {
    old_query_ids_.erase(old_query_ids_.begin());
  }
  queries_.erase(known);
  return Send("DELETE", path, "");
}

}  // namespace dnsd::testing
