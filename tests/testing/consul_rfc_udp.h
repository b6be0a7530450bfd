// What dnsd with compat = "rfc" may leave out of an answer over UDP: no more
// than the client's size makes it, ADDITIONAL first, and never silently.
//
// Threads: pure functions.
// Sizes:   bytes.
#ifndef DNSD_TESTS_TESTING_CONSUL_RFC_UDP_H_
#define DNSD_TESTS_TESTING_CONSUL_RFC_UDP_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "tests/testing/consul_rfc.h"
#include "tests/testing/rr_text.h"

namespace dnsd::testing {

// What a record takes in a packet, by its text.
using RecordSizes = std::map<std::string, size_t>;

// Of the records of `message`, which was read from `packet`.
[[nodiscard]] RecordSizes ReadRecordSizes(std::span<const uint8_t> packet,
                                          const Message& message);

// The most that a UDP answer to a question with these options may take.
[[nodiscard]] size_t RfcUdpBytesMax(const RfcConfig& config,
                                    const QueryOptions& options);

// "" when `udp` is `full`, or as much of it as there is room for. `sizes` are
// those of the records of `full`.
[[nodiscard]] std::string CheckRfcUdp(const RfcConfig& config,
                                      const QueryOptions& options,
                                      const Message& full,
                                      const RecordSizes& sizes,
                                      const Message& udp);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CONSUL_RFC_UDP_H_
