// The catalog that mirror_delay fills a Consul with: services of a few
// instances each, spread over nodes, each with an address and a check.
//
// Threads: any.
#ifndef DNSD_BENCH_MIRROR_CATALOG_H_
#define DNSD_BENCH_MIRROR_CATALOG_H_

#include <cstddef>
#include <string>

#include "tests/testing/consul_api.h"

namespace dnsd::testing {

inline constexpr size_t kInstances = 3;  // of each service

[[nodiscard]] std::string ServiceName(size_t service);

// One instance of one of `services`.
[[nodiscard]] ConsulInstance MakeInstance(size_t services, size_t service,
                                          size_t instance);

// Registers all of them; false when Consul refuses, having said why.
[[nodiscard]] bool FillCatalog(size_t services, const std::string& url);

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_MIRROR_CATALOG_H_
