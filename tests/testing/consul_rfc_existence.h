// Which names of a catalog exist though Consul says NXDOMAIN: empty
// non-terminals (RFC 8020), by the forms that names have and by what is
// registered.
//
// Threads: pure functions.
#ifndef DNSD_TESTS_TESTING_CONSUL_RFC_EXISTENCE_H_
#define DNSD_TESTS_TESTING_CONSUL_RFC_EXISTENCE_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/testing/consul_names.h"
#include "tests/testing/consul_rfc.h"

namespace dnsd::testing {

// Whether Consul has anything for these labels in front of the domain.
using HasAnswers =
    std::function<bool(const std::vector<std::string>& labels, uint16_t qtype)>;

// The row by which a name of a domain of ours exists, although Consul says
// NXDOMAIN; nothing if it does not.
[[nodiscard]] std::optional<RfcRow> ExistsBy(const RfcCatalog& catalog,
                                             const AskedName& name,
                                             const HasAnswers& has_answers);

// Whether `labels`, with "arpa" last, begin an address without being one.
[[nodiscard]] bool IsShortReverse(const std::vector<std::string>& labels);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CONSUL_RFC_EXISTENCE_H_
