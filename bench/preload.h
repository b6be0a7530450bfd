// The catalog that whole servers are filled with over HTTP before or while they
// are measured: instances with tags, meta and a check, each.
//
// Threads: any; Preload() works in the calling thread.
#ifndef DNSD_BENCH_PRELOAD_H_
#define DNSD_BENCH_PRELOAD_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace dnsd::testing {

inline constexpr size_t kPreloadedPerService = 10;

// What PUT /v1/catalog/register takes: instance `i`, of 1,000 nodes, of
// "PREFIXservice".
[[nodiscard]] std::string CatalogBody(absl::string_view prefix, size_t i,
                                      size_t service);

// Registers so many instances with the agent on that port of 127.0.0.1, ten a
// service: "pre0", "pre1" … An error where one is refused, or ten minutes were
// not enough.
[[nodiscard]] absl::Status Preload(size_t instances, uint16_t http_port);

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_PRELOAD_H_
