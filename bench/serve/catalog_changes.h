// CatalogChanges keeps changing a server's catalog by its HTTP API as long as
// it lives, at a fixed rate: the ports of instances, so that answers stay as
// many and as long.
//
// Threads: one owner; it works in a thread of its own.
// Errors:  what the server refuses or is too slow for is not in count().
#ifndef DNSD_BENCH_SERVE_CATALOG_CHANGES_H_
#define DNSD_BENCH_SERVE_CATALOG_CHANGES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>

#include "bench/serve/serve_catalog.h"

namespace dnsd::testing {

class CatalogChanges {
 public:
  CatalogChanges(const ServeCatalog& catalog, uint16_t http_port,
                 double per_second);
  ~CatalogChanges();
  CatalogChanges(const CatalogChanges&) = delete;
  CatalogChanges& operator=(const CatalogChanges&) = delete;

  // How many were acknowledged.
  [[nodiscard]] size_t count() const { return count_.load(); }

 private:
  void Run(const ServeCatalog& catalog, uint16_t http_port, double per_second);

  std::atomic<bool> ends_ = false;
  std::atomic<size_t> count_ = 0;
  std::thread thread_;
};

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_SERVE_CATALOG_CHANGES_H_
