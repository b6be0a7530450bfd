#include "bench/serve/catalog_changes.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "tests/testing/consul_api.h"

namespace dnsd::testing {

CatalogChanges::CatalogChanges(const ServeCatalog& catalog, uint16_t http_port,
                               double per_second)
    : thread_([this, &catalog, http_port, per_second] {
        Run(catalog, http_port, per_second);
      }) {}

CatalogChanges::~CatalogChanges() {
  ends_ = true;
  thread_.join();
}

void CatalogChanges::Run(const ServeCatalog& catalog, uint16_t http_port,
                         double per_second) {
  using Clock = std::chrono::steady_clock;
  ConsulApi api(absl::StrCat("http://127.0.0.1:", http_port));
  const auto step = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(1 / per_second));
  Clock::time_point due = Clock::now();
  for (size_t i = 0; !ends_; ++i) {
    // Far apart, so that no two changes are of one service.
    const size_t index = i * 7919 % catalog.instance_count();
    if (api.Put("/v1/catalog/register",
                catalog.Registration(index, /*port_offset=*/1 + i % 2)) ==
        200) {
      ++count_;
    }
    due += step;
    std::this_thread::sleep_until(due);
  }
}

}  // namespace dnsd::testing
