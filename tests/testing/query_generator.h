// Random prepared queries for a generated catalog.
//
// Threads: pure functions of their arguments and the random numbers.
#ifndef DNSD_TESTS_TESTING_QUERY_GENERATOR_H_
#define DNSD_TESTS_TESTING_QUERY_GENERATOR_H_

#include "tests/testing/catalog_generator.h"
#include "zones/random.h"

namespace dnsd::testing {

// Adds queries of its services and tags to two datacenters of the catalog,
// and their names and ids, and names that no query has, to `queries`.
void GenerateQueries(GeneratedCatalog* catalog, Random* random);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_QUERY_GENERATOR_H_
