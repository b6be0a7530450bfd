// What Consul cuts off an answer for UDP, by the rules of its release, and the
// comparison of what is left with what was sent.
//
// Threads: pure functions.
#ifndef DNSD_TESTS_TESTING_CONSUL_TRIM_H_
#define DNSD_TESTS_TESTING_CONSUL_TRIM_H_

#include <cstdint>
#include <optional>
#include <string>

#include "tests/testing/consul_release.h"
#include "tests/testing/rr_text.h"

namespace dnsd::testing {

// The last is the newest release with what 1.8.7 takes off the UDP size: to
// see whether that makes a difference.
enum class Release : uint8_t { k187, kNewest, kNewestBut187Header };

// What `full`, an untrimmed reply of this release, becomes over UDP when the
// shuffle put the answers of `like` first. Nothing when `full` lacks one of
// those. `large_first` orders the others.
[[nodiscard]] std::optional<Message> TrimForUdp(const ReleaseConfig& config,
                                                Release release,
                                                const Message& full,
                                                const Message& like,
                                                bool large_first);

// Sections without order, SOA serials masked; "" when they say the same.
[[nodiscard]] std::string Compare(const Message& expected, const Message& got);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CONSUL_TRIM_H_
