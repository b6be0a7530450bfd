// Answers that are a random part of what there is: made comparable by what was
// seen before.
//
// Threads: pure functions.
#ifndef DNSD_TESTS_INTEGRATION_CONSUL_SAMPLES_H_
#define DNSD_TESTS_INTEGRATION_CONSUL_SAMPLES_H_

#include <set>
#include <string>

#include "tests/testing/rr_text.h"

namespace dnsd::testing {

// Texts of records.
using SeenRecords = std::set<std::string>;

void Remember(const Message& message, SeenRecords* seen);

// Records of a random choice replaced by those of another one, if there are
// as many and all of them are known.
[[nodiscard]] Message LikeSample(const Message& sample, const Message& got,
                                 const SeenRecords& seen);

// `full`, a random choice, as if it had been the one that `udp` was cut from.
[[nodiscard]] Message Resample(const Message& full, const Message& udp,
                               const SeenRecords& seen);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_INTEGRATION_CONSUL_SAMPLES_H_
