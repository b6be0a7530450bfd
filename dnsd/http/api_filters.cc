#include "dnsd/http/api_filters.h"

#include <utility>
#include <vector>

#include "dnsd/http/bexpr.h"
#include "dnsd/http/bexpr_schemas.h"

namespace dnsd {
namespace {

CheckRow RowOf(const CheckView& view) {
  return {view.node, view.instance, view.check};
}

// Compiles for rows that `row_of` makes of what an endpoint lists.
template <typename Row, typename RowOfSubject>
absl::StatusOr<RowFilter> Compile(absl::string_view expression,
                                  const BexprSchema<Row>& schema,
                                  RowOfSubject row_of) {
  absl::StatusOr<Filter<Row>> filter = Filter<Row>::Compile(expression, schema);
  if (!filter.ok()) return filter.status();
  return RowFilter(
      [filter = *std::move(filter), row_of](const FilterSubject& subject) {
        return filter.Matches(row_of(subject));
      });
}

}  // namespace

absl::StatusOr<RowFilter> CompileRowFilter(FilterKind kind,
                                           absl::string_view expression) {
  switch (kind) {
    case FilterKind::kNone:
      break;
    case FilterKind::kNode:
    case FilterKind::kNodeInfo:
      return Compile(expression, kNodeFilter,
                     [](const FilterSubject& subject) -> const Node& {
                       return *subject.node;
                     });
    case FilterKind::kNodeService:
      return Compile(
          expression, kServiceFilter,
          [](const FilterSubject& subject) -> const ServiceInstance& {
            return *subject.instance;
          });
    case FilterKind::kServiceNode:
      return Compile(expression, kCatalogServiceFilter,
                     [](const FilterSubject& subject) {
                       return InstanceRow{subject.node, subject.instance, {}};
                     });
    case FilterKind::kHealthCheck:
      return Compile(
          expression, kCheckFilter,
          [](const FilterSubject& subject) { return RowOf(*subject.check); });
    case FilterKind::kHealthEntry: {
      absl::StatusOr<Filter<InstanceRow>> filter =
          Filter<InstanceRow>::Compile(expression, kHealthServiceFilter);
      if (!filter.ok()) return filter.status();
      return RowFilter(
          [filter = *std::move(filter)](const FilterSubject& subject) {
            std::vector<CheckRow> checks;
            for (const CheckView& view : *subject.checks) {
              checks.push_back(RowOf(view));
            }
            return filter.Matches({subject.node, subject.instance, checks});
          });
    }
  }
  return RowFilter();
}

absl::StatusOr<std::function<bool(const ServiceInstance&)>>
CompileAgentServiceFilter(absl::string_view expression) {
  absl::StatusOr<Filter<ServiceInstance>> filter =
      Filter<ServiceInstance>::Compile(expression, kServiceFilter);
  if (!filter.ok()) return filter.status();
  return [filter = *std::move(filter)](const ServiceInstance& instance) {
    return filter.Matches(instance);
  };
}

absl::StatusOr<std::function<bool(const Check&, const ServiceInstance*)>>
CompileAgentCheckFilter(const Node* node, absl::string_view expression) {
  absl::StatusOr<Filter<CheckRow>> filter =
      Filter<CheckRow>::Compile(expression, kCheckFilter);
  if (!filter.ok()) return filter.status();
  return [node, filter = *std::move(filter)](const Check& check,
                                             const ServiceInstance* instance) {
    return filter.Matches({node, instance, &check});
  };
}

}  // namespace dnsd
