#include "catalog/registry/checks/alias_result.h"

#include "absl/strings/str_cat.h"
#include "catalog/registry/checks/go_text.h"
#include "catalog/registry/go_json.h"

namespace dnsd {

ProbeResult AliasResult(const AliasTarget& target, const std::string& node,
                        const std::string& service_id) {
  if (!target.exists) {
    return {.status = HealthStatus::kCritical,
            .output = absl::StrCat("Service ", service_id,
                                   " could not be found on node ", node)};
  }
  ProbeResult result{.status = HealthStatus::kPassing,
                     .output = "No checks found."};
  for (const Check& check : target.checks) {
    if (check.status == HealthStatus::kPassing) {
      if (result.status == HealthStatus::kPassing) {
        result.output = "All checks passing.";
      }
      continue;
    }
    result = {.status = check.status,
              .output = absl::StrCat("Aliased check ", GoQuoted(check.name),
                                     " failing: ", *check.output)};
    if (check.status == HealthStatus::kCritical) break;
  }
  return result;
}

}  // namespace dnsd
