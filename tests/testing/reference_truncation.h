// How Consul cuts a response down (reference/consul.md 1.9), and the message
// length it measures with: that of miekg/dns, names compressed except SRV
// targets, which later names may still point into.
//
// Tested by: reference_truncation_test.
// Threads:   pure functions.
// Sizes:     bytes.
#ifndef DNSD_TESTS_TESTING_REFERENCE_TRUNCATION_H_
#define DNSD_TESTS_TESTING_REFERENCE_TRUNCATION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/testing/rr_text.h"

namespace dnsd::testing {

// A response before it is packed. An OPT is an ordinary additional record.
struct RefPacket {
  std::string qname;  // wire
  bool compress = true;
  std::vector<Rr> answer;
  std::vector<Rr> authority;
  std::vector<Rr> additional;
};

[[nodiscard]] size_t PacketLength(const RefPacket& packet);

struct TrimResult {
  bool trimmed = false;  // what TC depends on
  bool synced = false;   // ADDITIONAL was rebuilt from SRV targets
};

// What the newest Consul takes off the client's UDP size.
inline constexpr size_t kConsulUdpHeaderBytes = 8;

// `edns_size` is what the query's OPT says, if it has one.
TrimResult ConsulTrimUdp(std::optional<uint16_t> edns_size,
                         int udp_answer_limit, RefPacket* packet,
                         size_t udp_header_bytes = kConsulUdpHeaderBytes);
TrimResult ConsulTrimTcp(uint16_t qtype, RefPacket* packet);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_REFERENCE_TRUNCATION_H_
