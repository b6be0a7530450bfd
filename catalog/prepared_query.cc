#include "catalog/prepared_query.h"

#include <re2/re2.h>

#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "catalog/query_template.h"
#include "catalog/types.h"

namespace dnsd {
namespace {

struct Stored {
  PreparedQuery query;
  std::unique_ptr<const re2::RE2> regexp;  // nullptr: none
};

std::unique_ptr<const re2::RE2> CompileRegexp(const PreparedQuery& query) {
  if (!query.is_template || query.regexp.empty()) return nullptr;
  re2::RE2::Options options;
  options.set_log_errors(false);
  return std::make_unique<const re2::RE2>(query.regexp, options);
}

// The groups that match, or none when the expression does not.
std::vector<std::string> Matches(const re2::RE2& regexp,
                                 const std::string& name) {
  std::vector<re2::StringPiece> groups(
      static_cast<size_t>(regexp.NumberOfCapturingGroups()) + 1);
  if (!regexp.Match(name, 0, name.size(), re2::RE2::UNANCHORED, groups.data(),
                    static_cast<int>(groups.size()))) {
    return {};
  }
  std::vector<std::string> texts;
  for (const re2::StringPiece& group : groups) {
    texts.emplace_back(group.data() == nullptr ? "" : group.data(),
                       group.size());
  }
  return texts;
}

// Renders all texts that Consul does: those of the query's Service.
class Renderer {
 public:
  explicit Renderer(TemplateScope scope) : scope_(std::move(scope)) {}

  void Render(std::string* text) {
    std::optional<std::string> rendered = RenderTemplateText(*text, scope_);
    if (rendered) {
      *text = *std::move(rendered);
    } else {
      ok_ = false;
    }
  }
  void Render(std::vector<std::string>* texts) {
    for (std::string& text : *texts) Render(&text);
  }
  void Render(std::map<std::string, std::string>* pairs) {
    for (auto& [key, value] : *pairs) Render(&value);
  }

  [[nodiscard]] bool ok() const { return ok_; }

 private:
  TemplateScope scope_;
  bool ok_ = true;
};

std::optional<PreparedQuery> RenderTemplate(const Stored& stored,
                                            const std::string& name) {
  PreparedQuery query = stored.query;
  TemplateScope scope;
  scope.full = name;
  scope.prefix = query.name;
  // Consul compares the prefix without case, but cuts off the very text only.
  scope.suffix = absl::StartsWith(name, query.name)
                     ? name.substr(query.name.size())
                     : name;
  if (stored.regexp != nullptr) {
    if (!stored.regexp->ok()) return std::nullopt;
    scope.matches = Matches(*stored.regexp, name);
  }
  Renderer renderer(std::move(scope));
  renderer.Render(&query.service);
  renderer.Render(&query.failover_datacenters);
  renderer.Render(&query.ignore_check_ids);
  renderer.Render(&query.near);
  renderer.Render(&query.tags);
  renderer.Render(&query.node_meta);
  renderer.Render(&query.service_meta);
  if (!renderer.ok()) return std::nullopt;
  if (query.remove_empty_tags) std::erase(query.tags, "");
  return query;
}

}  // namespace

struct PreparedQuerySet::Impl {
  // Two queries of one name are a mistake that Consul does not let happen;
  // the smaller id answers.
  using Ids = std::set<std::string>;

  std::map<std::string, Stored> by_id;  // ids in lower case
  absl::flat_hash_map<std::string, Ids> by_name;
  std::map<std::string, Ids> by_prefix;  // templates

  void Index(const std::string& id, const PreparedQuery& query) {
    std::string name = AsciiLower(query.name);
    if (query.is_template) {
      by_prefix[name].insert(id);
    } else if (!name.empty()) {
      by_name[name].insert(id);
    }
  }
  template <typename Map>
  static void Erase(Map* map, const std::string& name, const std::string& id) {
    auto it = map->find(name);
    if (it == map->end()) return;
    it->second.erase(id);
    if (it->second.empty()) map->erase(it);
  }
  void Unindex(const std::string& id, const PreparedQuery& query) {
    std::string name = AsciiLower(query.name);
    if (query.is_template) {
      Erase(&by_prefix, name, id);
    } else {
      Erase(&by_name, name, id);
    }
  }

  // The template with the longest prefix, or nullptr.
  [[nodiscard]] const Stored* FindTemplate(const std::string& lower) const {
    if (by_prefix.empty()) return nullptr;
    for (size_t size = lower.size() + 1; size-- > 0;) {
      auto it = by_prefix.find(lower.substr(0, size));
      if (it != by_prefix.end()) return &by_id.at(*it->second.begin());
    }
    return nullptr;
  }
};

PreparedQuerySet::PreparedQuerySet() : impl_(std::make_unique<Impl>()) {}
PreparedQuerySet::~PreparedQuerySet() = default;
PreparedQuerySet::PreparedQuerySet(PreparedQuerySet&&) noexcept = default;
PreparedQuerySet& PreparedQuerySet::operator=(PreparedQuerySet&&) noexcept =
    default;

bool PreparedQuerySet::Upsert(const PreparedQuery& query) {
  std::string id = AsciiLower(query.id);
  auto it = impl_->by_id.find(id);
  if (it != impl_->by_id.end()) {
    if (it->second.query == query) return false;
    impl_->Unindex(id, it->second.query);
  }
  impl_->by_id[id] = {query, CompileRegexp(query)};
  impl_->Index(id, query);
  return true;
}

bool PreparedQuerySet::Remove(const std::string& id) {
  auto it = impl_->by_id.find(AsciiLower(id));
  if (it == impl_->by_id.end()) return false;
  impl_->Unindex(it->first, it->second.query);
  impl_->by_id.erase(it);
  return true;
}

std::optional<PreparedQuery> PreparedQuerySet::Find(
    absl::string_view name) const {
  std::string text(name);
  if (text.empty()) return std::nullopt;
  std::string lower = AsciiLower(text);
  auto id = impl_->by_id.find(lower);
  if (id != impl_->by_id.end()) {
    // Consul refuses to run a template by its id: there is no name to render.
    if (id->second.query.is_template) return std::nullopt;
    return id->second.query;
  }
  auto exact = impl_->by_name.find(lower);
  if (exact != impl_->by_name.end()) {
    return impl_->by_id.at(*exact->second.begin()).query;
  }
  const Stored* found = impl_->FindTemplate(lower);
  if (found == nullptr) return std::nullopt;
  return RenderTemplate(*found, text);
}

void PreparedQuerySet::ForEach(
    const std::function<void(const PreparedQuery&)>& visit) const {
  for (const auto& [id, stored] : impl_->by_id) visit(stored.query);
}

std::vector<std::string> PreparedQuerySet::TemplatePrefixes() const {
  std::vector<std::string> prefixes;
  for (const auto& [prefix, ids] : impl_->by_prefix) prefixes.push_back(prefix);
  return prefixes;
}

bool PreparedQuerySet::empty() const { return impl_->by_id.empty(); }
size_t PreparedQuerySet::size() const { return impl_->by_id.size(); }

}  // namespace dnsd
