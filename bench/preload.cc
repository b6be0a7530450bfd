#include "bench/preload.h"

#include <chrono>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "bench/register_load.h"

namespace dnsd::testing {

std::string CatalogBody(absl::string_view prefix, size_t i, size_t service) {
  return absl::StrCat(
      R"({"Node":")", prefix, "-n", i % 1000,
      R"(","Address":"10.1.0.1","SkipNodeUpdate":true,"Service":{"ID":")",
      prefix, i, R"(","Service":")", prefix, service,
      R"(","Tags":["v1","primary"],"Meta":{"version":"1.2.3"},"Address":"10.)",
      i / 65536 % 256, ".", i / 256 % 256, ".", i % 256,
      R"(","Port":8080},"Check":{"CheckID":"c)", prefix, i,
      R"(","Name":"health","Status":"passing","ServiceID":")", prefix, i,
      R"("}})");
}

absl::Status Preload(size_t instances, uint16_t http_port) {
  RegisterLoadOptions options;
  options.port = http_port;
  options.requests_max = instances;
  options.time_max = std::chrono::minutes(10);
  options.path = "/v1/catalog/register";
  options.body = [](size_t i) {
    return CatalogBody("pre", i, i / kPreloadedPerService);
  };
  const absl::StatusOr<RegisterLoadResult> result = RunRegisterLoad(options);
  if (!result.ok()) return result.status();
  if (result->answered < instances) {
    return absl::DeadlineExceededError(
        absl::StrCat(result->answered, " of ", instances, " registered"));
  }
  return absl::OkStatus();
}

}  // namespace dnsd::testing
