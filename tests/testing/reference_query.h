// The reference's reading of prepared queries: which one a name means, and
// what it finds. Templates are left to prepared_query_test and to the
// comparison with the real Consul.
//
// Tested by: responder_diff_test, prepared_query_diff_test.
// Threads:   pure functions.
// Cost:      every call walks the whole catalog.
#ifndef DNSD_TESTS_TESTING_REFERENCE_QUERY_H_
#define DNSD_TESTS_TESTING_REFERENCE_QUERY_H_

#include <string>
#include <vector>

#include "catalog/state.h"
#include "tests/testing/reference_records.h"
#include "zones/policy.h"

namespace dnsd::testing {

// The name left of "query", by the RFC 2782 rule or as it stands. `parts` is
// not empty.
[[nodiscard]] std::string ReadQueryName(const std::vector<std::string>& parts);

// Runs the query of that name or id; no instances when there is none.
[[nodiscard]] RefLookup RunQuery(const State& state, const ZonePolicy& policy,
                                 const std::string& datacenter,
                                 const std::string& name);

// Whether a query's name ends in these labels, below others.
[[nodiscard]] bool HasQueryBelow(const State& state,
                                 const std::string& datacenter,
                                 const std::string& labels);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_REFERENCE_QUERY_H_
