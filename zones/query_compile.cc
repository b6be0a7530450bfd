#include "zones/query_compile.h"

#include <memory>
#include <utility>

#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "catalog/query_execute.h"
#include "catalog/types.h"
#include "zones/entry_builder.h"
#include "zones/name.h"

namespace dnsd {
namespace {

// What Consul's DNS library puts a backslash before.
bool IsEscaped(char c) {
  constexpr char kSpecial[] = {'.', ' ', '\'', '@', ';', '(', ')', '"', '\\'};
  for (char special : kSpecial) {
    if (c == special) return true;
  }
  return false;
}

// The labels that are asked for with this text; false when none are.
bool QueryLabels(const std::string& text, std::string* labels) {
  return LabelsToWire(text, labels) &&
         QueryNameText(WireBytes(*labels)) == text;
}

// The query's own TTL, or that of its service. Consul looks the service up as
// the query spells it.
uint32_t QueryTtl(const ZonePolicy& policy, const PreparedQuery& query) {
  if (query.ttl.empty()) return ServiceTtl(policy, query.service);
  absl::Duration ttl;
  if (!absl::ParseDuration(query.ttl, &ttl) || ttl < absl::ZeroDuration()) {
    return 0;
  }
  // RFC 2181 section 8: a TTL has 31 bits.
  int64_t seconds = absl::ToInt64Seconds(ttl);
  return seconds > INT32_MAX ? INT32_MAX : static_cast<uint32_t>(seconds);
}

// What the query finds of what its own token may see, or who asks.
std::vector<InstanceView> VisibleInstances(const CompileContext& context,
                                           const std::string& datacenter,
                                           const PreparedQuery& query) {
  std::shared_ptr<const CatalogRights> rights = context.rights.asker;
  if (!query.token.empty() && context.rights.of_token) {
    rights = context.rights.of_token(query.token);
    if (rights == nullptr) return {};
  }
  return ExecuteQuery(context.state, datacenter, query, rights.get()).instances;
}

const Entry* MakeMark(const CompileContext& context, EntryKind kind,
                      const EntryPlace& place) {
  return EntryBuilder().Finish(
      kind, place.datacenter, place.key,
      EntryHash(context.seed, kind, place.datacenter, WireBytes(place.key)));
}

}  // namespace

std::string QueryNameText(std::span<const uint8_t> labels) {
  std::string text;
  for (size_t at = 0; at < labels.size();) {
    size_t end = at + 1 + labels[at];
    if (!text.empty()) text.push_back('.');
    for (++at; at < end && at < labels.size(); ++at) {
      uint8_t byte = labels[at];
      if (byte < ' ' || byte > '~') {
        text.push_back('\\');
        for (int scale : {100, 10, 1}) {
          text.push_back(static_cast<char>('0' + byte / scale % 10));
        }
      } else {
        auto c = static_cast<char>(byte);
        if (IsEscaped(c)) text.push_back('\\');
        text.push_back(c);
      }
    }
  }
  return text;
}

bool QueryCompiler::Ask(const std::string& datacenter,
                        std::span<const uint8_t> labels) {
  if (labels.empty() || !placed_.contains(datacenter)) return false;
  NameKey name{datacenter, QueryNameText(labels)};
  auto known = asked_of_.find(name);
  if (known != asked_of_.end()) {
    asked_.splice(asked_.begin(), asked_, known->second);
    return dirty_names_.contains(name);
  }
  if (asked_.size() >= asked_max_) {
    dirty_names_.insert(asked_.back().name);
    asked_of_.erase(asked_.back().name);
    asked_.pop_back();
  }
  asked_.push_front({name, std::string(labels.begin(), labels.end())});
  asked_of_[name] = asked_.begin();
  if (compiled_.contains(name)) return false;
  dirty_names_.insert(name);
  return true;
}

// Counts the names below the empty non-terminals above a dotted name.
void QueryCompiler::CountSuffixes(const CompileContext& context,
                                  const NameKey& name, int step,
                                  const Put& put) {
  EntryPlace place{context.datacenter_index(name.first), ""};
  if (!QueryLabels(name.second, &place.key)) return;
  while (true) {
    place.key.erase(0, 1u + static_cast<uint8_t>(place.key[0]));
    if (place.key.empty()) return;
    NameKey suffix{name.first, place.key};
    size_t& count = suffixes_[suffix];
    count += static_cast<size_t>(step);
    if (count == 0) {
      suffixes_.erase(suffix);
      put(EntryKind::kQuerySuffix, place, nullptr);
    } else if (count == 1 && step == 1) {
      put(EntryKind::kQuerySuffix, place,
          MakeMark(context, EntryKind::kQuerySuffix, place));
    }
  }
}

// The names that the definition answers, or may have answered.
void QueryCompiler::MarkDefinition(const std::string& datacenter,
                                   const Definition& definition) {
  for (const std::string& name : definition.names) {
    dirty_names_.insert({datacenter, name});
  }
  if (!definition.is_template) return;
  for (auto it = asked_of_.lower_bound({datacenter, definition.prefix});
       it != asked_of_.end() && it->first.first == datacenter &&
       absl::StartsWith(it->first.second, definition.prefix);
       ++it) {
    dirty_names_.insert(it->first);
  }
}

void QueryCompiler::DropDefinition(const CompileContext& context,
                                   const NameKey& key, const Put& put) {
  auto it = definitions_.find(key);
  if (it == definitions_.end()) return;
  const Definition& definition = it->second;
  MarkDefinition(key.first, definition);
  for (const std::string& text : definition.names) {
    NameKey name{key.first, text};
    if (--claims_[name] == 0) claims_.erase(name);
    CountSuffixes(context, name, -1, put);
  }
  if (!definition.id_labels.empty()) {
    put(EntryKind::kQueryTemplate,
        {context.datacenter_index(key.first), definition.id_labels}, nullptr);
  }
  definitions_.erase(it);
}

void QueryCompiler::ReadDefinition(const CompileContext& context,
                                   const std::string& datacenter,
                                   const PreparedQuery& query, const Put& put) {
  std::string id = AsciiLower(query.id);
  std::string name = AsciiLower(query.name);
  std::string labels;
  Definition definition;
  definition.is_template = query.is_template;
  if (query.is_template) {
    definition.prefix = name;
    if (QueryLabels(id, &labels)) {
      EntryPlace place{context.datacenter_index(datacenter), labels};
      put(EntryKind::kQueryTemplate, place,
          MakeMark(context, EntryKind::kQueryTemplate, place));
      definition.id_labels = labels;
    }
  } else {
    if (QueryLabels(id, &labels)) definition.names.push_back(id);
    if (name != id && QueryLabels(name, &labels)) {
      definition.names.push_back(name);
    }
  }
  for (const std::string& text : definition.names) {
    ++claims_[{datacenter, text}];
    CountSuffixes(context, {datacenter, text}, 1, put);
  }
  MarkDefinition(datacenter, definition);
  definitions_[{datacenter, id}] = std::move(definition);
}

void QueryCompiler::ReadDefinitions(const CompileContext& context,
                                    const std::set<NameKey>& keys,
                                    const Put& put) {
  std::set<std::string> datacenters;
  for (const NameKey& key : keys) {
    if (!placed_.contains(key.first)) continue;
    DropDefinition(context, key, put);
    datacenters.insert(key.first);
  }
  for (const std::string& datacenter : datacenters) {
    context.state.ForEachQuery(datacenter, [&](const PreparedQuery& query) {
      if (!keys.contains({datacenter, AsciiLower(query.id)})) return;
      ReadDefinition(context, datacenter, query, put);
    });
  }
}

// Takes the names of datacenters out that lost their place in the View, and
// those of new ones in.
void QueryCompiler::MoveDatacenters(const CompileContext& context,
                                    const std::set<std::string>& placed,
                                    const Put& put) {
  std::set<NameKey> moved;
  for (const auto& [key, definition] : definitions_) {
    if (!placed.contains(key.first)) moved.insert(key);
  }
  for (const NameKey& key : moved) DropDefinition(context, key, put);
  for (auto it = asked_.begin(); it != asked_.end();) {
    if (placed.contains(it->name.first)) {
      ++it;
      continue;
    }
    dirty_names_.insert(it->name);
    asked_of_.erase(it->name);
    it = asked_.erase(it);
  }
  for (const std::string& datacenter : placed) {
    if (placed_.contains(datacenter)) continue;
    context.state.ForEachQuery(datacenter, [&](const PreparedQuery& query) {
      ReadDefinition(context, datacenter, query, put);
    });
  }
  placed_ = placed;
}

void QueryCompiler::MarkEverything() {
  for (const auto& [name, count] : claims_) dirty_names_.insert(name);
  for (const AskedName& asked : asked_) dirty_names_.insert(asked.name);
}

void QueryCompiler::Unlink(const NameKey& name) {
  auto it = compiled_.find(name);
  if (it == compiled_.end()) return;
  for (const NameKey& service : it->second.services) {
    auto names = names_of_service_.find(service);
    names->second.erase(name);
    if (names->second.empty()) names_of_service_.erase(names);
  }
  compiled_.erase(it);
}

void QueryCompiler::CompileName(const CompileContext& context,
                                const NameKey& name, const Put& put) {
  auto old = compiled_.find(name);
  auto asked = asked_of_.find(name);
  if (!claims_.contains(name) && asked == asked_of_.end()) {
    if (old == compiled_.end()) return;
    put(EntryKind::kQuery, old->second.place, nullptr);
    return Unlink(name);
  }
  Unlink(name);
  Compiled compiled;
  compiled.place.datacenter = context.datacenter_index(name.first);
  if (asked != asked_of_.end()) {
    compiled.place.key = asked->second->labels;
  } else if (!QueryLabels(name.second, &compiled.place.key)) {
    return;
  }
  std::optional<PreparedQuery> query =
      context.state.FindQuery(name.first, name.second);
  const Entry* entry = nullptr;
  if (query) {
    std::string service = AsciiLower(query->service);
    for (const std::string& datacenter :
         QueryDatacenters(context.state, name.first, *query)) {
      compiled.services.insert({datacenter, service});
      names_of_service_[{datacenter, service}].insert(name);
    }
    entry = CompileInstances(context, EntryKind::kQuery, compiled.place,
                             QueryTtl(context.policy, *query),
                             VisibleInstances(context, name.first, *query));
  } else {
    // Somebody asked: it is known that there is nothing.
    entry = MakeMark(context, EntryKind::kQuery, compiled.place);
  }
  put(EntryKind::kQuery, compiled.place, entry);
  compiled_[name] = std::move(compiled);
}

void QueryCompiler::Compile(const CompileContext& context, const Dirty& dirty,
                            const std::set<std::string>& placed,
                            bool everything, const Put& put) {
  bool has_moved = placed != placed_;
  ReadDefinitions(context, dirty.queries, put);
  if (has_moved) MoveDatacenters(context, placed, put);
  std::vector<std::string> present = context.state.Datacenters();
  if (everything || present != present_) MarkEverything();
  present_ = std::move(present);
  for (const NameKey& service : dirty.services) {
    auto names = names_of_service_.find(service);
    if (names == names_of_service_.end()) continue;
    dirty_names_.insert(names->second.begin(), names->second.end());
  }
  for (const NameKey& name : dirty_names_) CompileName(context, name, put);
  dirty_names_.clear();
  if (!has_moved && dirty.queries.empty()) return;
  templates_.clear();
  for (const std::string& datacenter : placed_) {
    for (std::string& prefix : context.state.TemplatePrefixes(datacenter)) {
      templates_.push_back(
          {context.datacenter_index(datacenter), std::move(prefix)});
    }
  }
}

}  // namespace dnsd
