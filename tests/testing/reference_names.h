// The reference's reading of Consul's name grammar, straight from
// reference/consul.md sections 1.1 and 1.2. Slow and obvious on purpose.
//
// Tested by: reference_responder_test, scenario_test.
// Threads:   pure functions.
// Names:     text with the final dot, escaped as miekg/dns does it. A label
//            with an escape in it matches nothing a catalog can hold.
#ifndef DNSD_TESTS_TESTING_REFERENCE_NAMES_H_
#define DNSD_TESTS_TESTING_REFERENCE_NAMES_H_

#include <string>
#include <vector>

#include "zones/policy.h"

namespace dnsd::testing {

enum class RefZone { kNone, kArpa, kDomain };

struct RefName {
  RefZone zone = RefZone::kNone;
  std::string text;                 // as asked
  std::string domain_as_asked;      // Consul's "response domain": case kept
  std::string domain;               // policy.domain or policy.alt_domain
  std::vector<std::string> labels;  // lower case, left of the domain
};

// Splits "a\.b.c." to {"a\.b", "c"}.
[[nodiscard]] std::vector<std::string> SplitLabels(const std::string& text);

[[nodiscard]] std::string JoinLabels(const std::vector<std::string>& labels);

// Finds the longest of the two domains that `text` is in.
[[nodiscard]] RefName ReadName(const ZonePolicy& policy,
                               const std::string& text);

enum class RefKind {
  kNone,
  kService,
  kConnect,
  kVirtual,
  kIngress,
  kNode,
  kQuery,
  kAddr,
};

struct RefDispatch {
  RefKind kind = RefKind::kNone;
  bool short_form = false;            // found by its '_', without "service"
  std::vector<std::string> parts;     // left of the keyword
  std::vector<std::string> suffixes;  // right of it
};

// Scans from the right for the first keyword. `underscore` lets a label that
// starts with '_' stand for a service, as Consul does for SRV questions.
[[nodiscard]] RefDispatch Dispatch(const std::vector<std::string>& labels,
                                   bool underscore);

// What stands right of the keyword: nothing, "x", or pairs "x.dc", "x.peer".
struct RefLocality {
  bool valid = false;
  std::string datacenter;
  std::string peer;
  std::string peer_or_datacenter;

  [[nodiscard]] std::string EffectiveDatacenter(
      const std::string& local) const {
    if (!datacenter.empty()) return datacenter;
    return peer_or_datacenter.empty() ? local : peer_or_datacenter;
  }
};
[[nodiscard]] RefLocality ReadLocality(const std::vector<std::string>& labels);

// Service and tag, by the RFC 2782 rule or the standard one. `parts` is not
// empty.
struct RefServiceName {
  std::string service;
  std::string tag;
};
[[nodiscard]] RefServiceName ReadServiceName(
    const std::vector<std::string>& parts);

// 4 or 16 bytes, or "" when it is no address. A mapped IPv4 address is IPv4,
// as Go has it.
[[nodiscard]] std::string AddressBytes(const std::string& text);

// "4.3.2.1.in-addr.arpa." for an address; "" when it is none.
[[nodiscard]] std::string ReverseName(const std::string& address);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_REFERENCE_NAMES_H_
