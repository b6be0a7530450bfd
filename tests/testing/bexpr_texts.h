// Filter expressions to try: a table of those that are worth it by hand, and
// random ones.
//
// Threads: any; no shared state.
#ifndef DNSD_TESTS_TESTING_BEXPR_TEXTS_H_
#define DNSD_TESTS_TESTING_BEXPR_TEXTS_H_

#include <string>
#include <vector>

#include "zones/random.h"

namespace dnsd::testing {

// Good and bad ones, with selectors of every kind of object.
[[nodiscard]] std::vector<std::string> BexprTable();

// Most are good where `selectors` are; some have wrong operators or values,
// and some are damaged. Groups nest little: Consul's parser takes exponential
// time.
[[nodiscard]] std::string RandomBexpr(const std::vector<std::string>& selectors,
                                      const std::vector<std::string>& values,
                                      Random* random);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_BEXPR_TEXTS_H_
