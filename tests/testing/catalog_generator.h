// Seeded random catalogs, policies and questions: small worlds full of the
// corners that answers depend on.
//
// Threads: pure functions of the Random handed in; same seed, same result.
// Names:   only such as a question can spell without escapes.
#ifndef DNSD_TESTS_TESTING_CATALOG_GENERATOR_H_
#define DNSD_TESTS_TESTING_CATALOG_GENERATOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "catalog/change.h"
#include "tests/testing/rr_text.h"
#include "zones/policy.h"
#include "zones/random.h"
#include "zones/responder.h"

namespace dnsd::testing {

// What a catalog is made of, for asking about it.
struct GeneratedCatalog {
  std::vector<Change> changes;
  std::vector<std::string> nodes;     // names and ids
  std::vector<std::string> services;  // names, some without an instance
  std::vector<std::string> tags;
  std::vector<std::string> addresses;
  std::vector<std::string> queries;  // names and ids of prepared queries
};

// `big_count` is how many instances the largest service has.
[[nodiscard]] GeneratedCatalog GenerateCatalog(int big_count, Random* random);

[[nodiscard]] ZonePolicy GeneratePolicy(Compat compat, Random* random);

struct GeneratedQuery {
  std::string text;  // for failure reports
  std::string packet;
  Transport transport = Transport::kUdp;
};
[[nodiscard]] GeneratedQuery GenerateQuery(const GeneratedCatalog& catalog,
                                           const ZonePolicy& policy,
                                           Random* random);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CATALOG_GENERATOR_H_
