// The words of a scenario line, and what they mean for catalog, policy and
// query. The grammar is in scenario.h.
//
// Threads: pure functions.
// Errors:  each reader returns "" or what is wrong.
#ifndef DNSD_TESTS_TESTING_SCENARIO_WORDS_H_
#define DNSD_TESTS_TESTING_SCENARIO_WORDS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "catalog/change.h"
#include "tests/testing/rr_text.h"
#include "zones/policy.h"
#include "zones/responder.h"

namespace dnsd::testing {

[[nodiscard]] std::vector<std::string> SplitWords(const std::string& line);

[[nodiscard]] std::string ReadPolicyWords(const std::vector<std::string>& words,
                                          ZonePolicy* policy);

// `words` starts with node, service or check.
[[nodiscard]] std::string ReadCatalogWords(
    const std::vector<std::string>& words, const std::string& datacenter,
    std::vector<Change>* changes);

// `raw` takes the bytes of +raw.
[[nodiscard]] std::string ReadQueryOption(const std::string& word,
                                          QueryOptions* options,
                                          Transport* transport,
                                          std::string* raw);

[[nodiscard]] std::string ReadRcode(const std::string& word, uint16_t* rcode);

[[nodiscard]] std::string ReadFlags(const std::vector<std::string>& words,
                                    std::optional<uint16_t>* flags);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_SCENARIO_WORDS_H_
