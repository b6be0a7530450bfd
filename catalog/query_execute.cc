#include "catalog/query_execute.h"

#include <algorithm>
#include <set>

#include "catalog/types.h"

namespace dnsd {
namespace {

bool HasMeta(const std::map<std::string, std::string>& meta,
             const std::map<std::string, std::string>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& pair) {
    auto it = meta.find(pair.first);
    return it != meta.end() && it->second == pair.second;
  });
}

// The query's filters, made ready once.
class Filter {
 public:
  Filter(const State& state, const PreparedQuery& query,
         const CatalogRights* rights)
      : state_(state),
        query_(query),
        rights_(rights),
        ignored_(query.ignore_check_ids.begin(), query.ignore_check_ids.end()) {
    for (const std::string& tag : query.tags) {
      if (!tag.empty() && tag[0] == '!') {
        forbidden_.push_back(AsciiLower(tag.substr(1)));
      } else {
        required_.push_back(AsciiLower(tag));
      }
    }
  }

  [[nodiscard]] QueryVerdict Judge(const InstanceView& view) const {
    HealthStatus health = JudgedHealth(view);
    if (health == HealthStatus::kCritical) return QueryVerdict::kCritical;
    if (query_.only_passing && health != HealthStatus::kPassing) {
      return QueryVerdict::kNotPassing;
    }
    if (!MaySee(rights_, view)) return QueryVerdict::kHidden;
    if (!HasMeta(view.node->meta, query_.node_meta)) {
      return QueryVerdict::kNodeMeta;
    }
    if (!HasMeta(view.instance->meta, query_.service_meta)) {
      return QueryVerdict::kServiceMeta;
    }
    return HasTags(*view.instance) ? QueryVerdict::kTaken : QueryVerdict::kTags;
  }

 private:
  [[nodiscard]] HealthStatus JudgedHealth(const InstanceView& view) const {
    if (ignored_.empty()) return view.health;
    HealthStatus worst = HealthStatus::kPassing;
    state_.ForEachCheckOnNode(
        {view.node->datacenter, AsciiLower(view.node->name)},
        [&](const CheckView& judging) {
          const Check& check = *judging.check;
          bool is_ours =
              check.service_id.empty() || check.service_id == view.instance->id;
          if (is_ours && !ignored_.contains(check.id)) {
            worst = std::max(worst, check.status);
          }
        });
    return worst;
  }

  [[nodiscard]] bool HasTags(const ServiceInstance& instance) const {
    if (required_.empty() && forbidden_.empty()) return true;
    std::set<std::string> tags;
    for (const std::string& tag : instance.tags) tags.insert(AsciiLower(tag));
    auto has = [&](const std::string& tag) { return tags.contains(tag); };
    return std::all_of(required_.begin(), required_.end(), has) &&
           std::none_of(forbidden_.begin(), forbidden_.end(), has);
  }

  const State& state_;
  const PreparedQuery& query_;
  const CatalogRights* const rights_;
  std::set<std::string> ignored_;
  std::vector<std::string> required_;
  std::vector<std::string> forbidden_;
};

using Visit = std::function<void(const InstanceView&, QueryVerdict)>;

void JudgeAll(const State& state, const std::string& datacenter,
              const PreparedQuery& query, const Filter& filter,
              const Visit& visit) {
  NameKey key{datacenter, AsciiLower(query.service)};
  auto judge = [&](const InstanceView& view) {
    if (query.connect && view.instance->kind == ServiceKind::kIngressGateway) {
      return;
    }
    visit(view, filter.Judge(view));
  };
  if (query.connect) {
    state.ForEachMeshInstance(key, judge);
  } else {
    state.ForEachInstance(key, judge);
  }
}

}  // namespace

void ForEachJudged(const State& state, const std::string& datacenter,
                   const PreparedQuery& query, const CatalogRights* rights,
                   const Visit& visit) {
  JudgeAll(state, datacenter, query, Filter(state, query, rights), visit);
}

std::vector<std::string> QueryDatacenters(const State& state,
                                          const std::string& datacenter,
                                          const PreparedQuery& query) {
  std::vector<std::string> others = state.Datacenters();
  std::erase(others, datacenter);
  std::vector<std::string> places{datacenter};
  int nearest = std::max(query.failover_nearest, 0);
  size_t nearest_count = std::min(static_cast<size_t>(nearest), others.size());
  places.insert(places.end(), others.begin(),
                others.begin() + static_cast<std::ptrdiff_t>(nearest_count));
  for (const std::string& name : query.failover_datacenters) {
    auto it = std::find(others.begin(), others.end(), name);
    // Those among the nearest have been tried.
    if (it != others.end() &&
        static_cast<size_t>(it - others.begin()) >= nearest_count) {
      places.push_back(name);
    }
  }
  return places;
}

QueryResult ExecuteQuery(const State& state, const std::string& datacenter,
                         const PreparedQuery& query,
                         const CatalogRights* rights) {
  QueryResult result;
  Filter filter(state, query, rights);
  int tried = 0;
  for (const std::string& place : QueryDatacenters(state, datacenter, query)) {
    result.datacenter = place;
    result.failover_count = tried++;
    JudgeAll(state, place, query, filter,
             [&](const InstanceView& view, QueryVerdict verdict) {
               if (verdict == QueryVerdict::kTaken) {
                 result.instances.push_back(view);
               }
             });
    if (!result.instances.empty()) break;
  }
  return result;
}

}  // namespace dnsd
