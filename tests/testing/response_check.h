// Does a response fit what the reference allows?
//
// Compared are: id, question bytes, flags, rcode, every record with its TTL,
// OPT. Not compared: the SOA's serial, the order of records, which of several
// answers Consul's shuffle picks. In kConsul the number of answers and
// whether OPT and TC are there must come out exactly as Consul's trimming
// has them; in kRfc every missing record must be one there was no room for.
//
// Threads: pure functions.
#ifndef DNSD_TESTS_TESTING_RESPONSE_CHECK_H_
#define DNSD_TESTS_TESTING_RESPONSE_CHECK_H_

#include <cstdint>
#include <span>
#include <string>

#include "tests/testing/reference_responder.h"

namespace dnsd::testing {

// "" when it fits, else what does not. An empty span is "nothing was sent".
[[nodiscard]] std::string CheckResponse(const ZonePolicy& policy,
                                        const ReferenceAnswer& reference,
                                        std::span<const uint8_t> response);

// The same for a message that was parsed already.
[[nodiscard]] std::string CheckMessage(const ZonePolicy& policy,
                                       const ReferenceAnswer& reference,
                                       const Message& message);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_RESPONSE_CHECK_H_
