// Prepared queries of the registry.
#include <utility>

#include "absl/strings/str_cat.h"
#include "catalog/base/uuid.h"
#include "catalog/registry/registry.h"

namespace dnsd {
namespace {

std::string QueryRecordKey(absl::string_view id) {
  return RecordKey({"query", id});
}

}  // namespace

absl::Status Registry::JudgeQuery(const StoredQuery& query) const {
  const std::string id = AsciiLower(query.query.id);
  const std::string name = AsciiLower(query.query.name);
  // Queries without a name are known by their ids; a template without one is
  // for every name.
  if (name.empty() && !query.query.is_template) return absl::OkStatus();
  for (const auto& [other_id, other] : queries_) {
    if (other_id == id) continue;
    if (name.empty()) {
      if (!other.stored.query.is_template || !other.stored.query.name.empty()) {
        continue;
      }
      return absl::InternalError(
          "a query template with an empty name already exists");
    }
    if (other_id == name) {
      return absl::InternalError(absl::StrCat(
          "name '", query.query.name, "' aliases an existing query ID"));
    }
    if (AsciiLower(other.stored.query.name) == name) {
      return absl::InternalError(absl::StrCat(
          "name '", query.query.name, "' aliases an existing query name"));
    }
  }
  return absl::OkStatus();
}

void Registry::PutQuery(StoredQuery query, Done done) {
  const absl::Status judged = JudgeQuery(query);
  if (!judged.ok()) return done(judged);
  const std::string id = AsciiLower(query.query.id);
  const uint64_t now = state_->index() + 1;
  const auto known = queries_.find(id);
  const Stamp guess{
      known == queries_.end() ? now : known->second.stamp.create_index, now};
  Writes writes{{QueryRecordKey(id), EncodeStamped(guess, EncodeQuery(query))}};
  auto apply = [this, id, query = std::move(query)] {
    Emit({UpsertQuery{definitions_.node.datacenter, query.query}});
    RegisteredQuery& registered = queries_[id];
    registered.stored = query;
    registered.stamp.modify_index = state_->index();
    if (registered.stamp.create_index == 0) {
      registered.stamp.create_index = state_->index();
    }
  };
  Submit(std::move(writes), std::move(apply), std::move(done));
}

void Registry::CreateQuery(
    StoredQuery query,
    std::function<void(const absl::Status&, std::string)> done) {
  std::string id = NewUuid();
  query.query.id = id;
  PutQuery(std::move(query),
           [id = std::move(id), done = std::move(done)](
               const absl::Status& status) { done(status, id); });
}

void Registry::UpdateQuery(StoredQuery query, Done done) {
  if (!queries_.contains(AsciiLower(query.query.id))) {
    return done(absl::InternalError(absl::StrCat(
        "Cannot modify non-existent prepared query: '", query.query.id, "'")));
  }
  PutQuery(std::move(query), std::move(done));
}

// Deleting what is not there is no error, as in Consul.
void Registry::DeleteQuery(const std::string& id, Done done) {
  const std::string key = AsciiLower(id);
  auto apply = [this, key, id] {
    queries_.erase(key);
    Emit({RemoveQuery{definitions_.node.datacenter, id}});
  };
  Submit({{QueryRecordKey(key), std::nullopt}}, std::move(apply),
         std::move(done));
}

}  // namespace dnsd
