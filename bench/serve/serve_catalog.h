// ServeCatalog is what all servers of the serving benchmark serve: services of
// instances on nodes, as registrations for those who take them, and as a zone
// file for those who take that.
//
// Threads: const; any.
#ifndef DNSD_BENCH_SERVE_SERVE_CATALOG_H_
#define DNSD_BENCH_SERVE_SERVE_CATALOG_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "bench/bench_data.h"
#include "tests/testing/dns_client.h"

namespace dnsd::testing {

class ServeCatalog {
 public:
  explicit ServeCatalog(bench::CatalogSize size) : size_(size) {}

  [[nodiscard]] size_t instance_count() const {
    return size_.services * size_.instances;
  }
  // Of the `index`-th instance, for /v1/catalog/register, with another port
  // than its own for a `port_offset`.
  [[nodiscard]] std::string Registration(size_t index,
                                         size_t port_offset) const;

  // All, to the HTTP API of 127.0.0.1:`http_port`.
  [[nodiscard]] absl::Status Register(uint16_t http_port) const;

  // The zone "consul" with the answers that dnsd gives and the SOA record that
  // it has.
  [[nodiscard]] std::string ZoneText(const std::string& soa) const;

  // "": the server's answers to some questions are those of this catalog.
  [[nodiscard]] std::string ProblemOf(const DnsServer& server) const;

 private:
  [[nodiscard]] std::string ProblemOf(const DnsServer& server,
                                      size_t service) const;

  bench::CatalogSize size_;
};

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_SERVE_SERVE_CATALOG_H_
