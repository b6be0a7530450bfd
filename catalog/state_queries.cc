#include "catalog/state_queries.h"

#include "catalog/types.h"

namespace dnsd {

void StateQueries::Believe(const NameKey& key, std::set<NameKey>* dirty) {
  auto it = said_.find(key);
  bool is_gone = it == said_.end() || it->second.empty();
  if (!is_gone) {
    const PreparedQuery& query = it->second.begin()->second.query;
    if (believed_[key.first].Upsert(query)) dirty->insert(key);
    return;
  }
  if (it != said_.end()) said_.erase(it);
  auto set = believed_.find(key.first);
  if (set == believed_.end()) return;
  if (set->second.Remove(key.second)) dirty->insert(key);
  if (set->second.empty()) believed_.erase(set);
}

void StateQueries::Upsert(SourceId source, const UpsertQuery& change,
                          uint64_t seen, std::set<NameKey>* dirty) {
  NameKey key{change.datacenter, AsciiLower(change.query.id)};
  said_[key][source] = {change.query, seen};
  Believe(key, dirty);
}

void StateQueries::Remove(SourceId source, const RemoveQuery& change,
                          std::set<NameKey>* dirty) {
  NameKey key{change.datacenter, AsciiLower(change.id)};
  auto it = said_.find(key);
  if (it == said_.end() || it->second.erase(source) == 0) return;
  Believe(key, dirty);
}

void StateQueries::Sweep(SourceId source, uint64_t seen,
                         std::set<NameKey>* dirty) {
  std::vector<NameKey> gone;
  for (const auto& [key, said] : said_) {
    auto it = said.find(source);
    if (it != said.end() && it->second.seen != seen) gone.push_back(key);
  }
  for (const NameKey& key : gone) {
    said_[key].erase(source);
    Believe(key, dirty);
  }
}

std::optional<PreparedQuery> StateQueries::Find(const std::string& datacenter,
                                                absl::string_view name) const {
  auto it = believed_.find(datacenter);
  if (it == believed_.end()) return std::nullopt;
  return it->second.Find(name);
}

void StateQueries::ForEach(
    const std::string& datacenter,
    const std::function<void(const PreparedQuery&)>& visit) const {
  auto it = believed_.find(datacenter);
  if (it != believed_.end()) it->second.ForEach(visit);
}

std::vector<std::string> StateQueries::TemplatePrefixes(
    const std::string& datacenter) const {
  auto it = believed_.find(datacenter);
  if (it == believed_.end()) return {};
  return it->second.TemplatePrefixes();
}

std::set<NameKey> StateQueries::Keys() const {
  std::set<NameKey> keys;
  for (const auto& [key, said] : said_) keys.insert(key);
  return keys;
}

}  // namespace dnsd
