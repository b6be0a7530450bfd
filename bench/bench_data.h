// Catalogs and packets to measure with: the same ones every time.
//
// Threads: plain functions and values.
#ifndef DNSD_BENCH_BENCH_DATA_H_
#define DNSD_BENCH_BENCH_DATA_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "catalog/state.h"
#include "zones/policy.h"
#include "zones/view.h"

namespace dnsd::bench {

// "service-000042".
[[nodiscard]] std::string ServiceName(size_t index);

// Of the `index`-th node.
[[nodiscard]] std::string NodeName(size_t index);
[[nodiscard]] std::string NodeAddress(size_t index);

// One instance of a service, at the address of its node. Neighbouring
// instances are on different nodes; twenty share one.
struct Place {
  NodeKey node;
  size_t node_index = 0;
  ServiceInstance instance;
};
[[nodiscard]] Place MakePlace(size_t service, size_t instance,
                              size_t node_count);

struct CatalogSize {
  size_t services = 0;
  size_t instances = 0;  // of each service

  [[nodiscard]] size_t node_count() const {
    return services * instances / 20 + instances;
  }
};
// Applied in batches, as a source would.
void FillState(CatalogSize size, State* state);

[[nodiscard]] ZonePolicy MakePolicy(Compat compat);

struct QueryShape {
  std::string name;
  uint16_t type = 0;
  uint16_t edns_bytes = 0;  // 0: no OPT
};
// A query packet, as a stub resolver sends it.
[[nodiscard]] std::string MakeQuery(const QueryShape& shape);

}  // namespace dnsd::bench

#endif  // DNSD_BENCH_BENCH_DATA_H_
