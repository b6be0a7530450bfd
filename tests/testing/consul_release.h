// What the newest Consul answers, worked out from what 1.8.7 answers: the
// differences between the two that reference/consul.md 1.14 lists, two more
// that follow from them (kTrimAll, kWholeChain: trimming moved to where the
// message is complete), those where dnsd departs from both on purpose ("ours"),
// and no other. So any difference to 1.8.7 is a row here or a mistake of ours.
//
// Not here, because nothing in a configuration makes them show: RFC 2782
// names of prepared queries, and peers.
//
// Threads: plain values and pure functions.
#ifndef DNSD_TESTS_TESTING_CONSUL_RELEASE_H_
#define DNSD_TESTS_TESTING_CONSUL_RELEASE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/testing/rr_text.h"

namespace dnsd::testing {

enum class ReleaseRow : uint8_t {
  kAddrType,         // <hex>.addr of the other family: ADDITIONAL, not ANSWER
  kAddrLength,       // <hex>.addr of a bad length: NXDOMAIN, not empty
  kAltNames,         // names under the alt domain, not the primary one
  kSuffixCase,       // the domain of targets is spelt as asked
  kReverseNotFound,  // NXDOMAIN, not SERVFAIL
  kDatacenterPair,   // "dc1.dc" is a datacenter
  kVirtual,          // a name form of its own
  kOptLost,          // a trimmed answer has no OPT
  kUdpHeader,        // the UDP size less 8
  kAltSoa,           // SOA of the alt domain
  kTrimAll,          // every answer is trimmed, not those of services only
  kWholeChain,       // what a CNAME leads to is not trimmed by itself
  kAddressKept,      // ours: a target of a trimmed answer keeps its address
  kNodeIdPrefix,     // ours: a node has its whole id for a name, no start of it
  kReverseTooLong,   // ours: up to three digits more than an address has
  kCount,
};
[[nodiscard]] const char* RowName(ReleaseRow row);

// How often each row made a difference.
using RowCounts = std::map<ReleaseRow, int>;

// What the configuration of both servers says.
struct ReleaseConfig {
  std::string domain = "consul.";
  std::string alt_domain = "alt.test.";
  std::string datacenter = "dc1";
  std::string node_id;         // lower case
  size_t node_text_count = 5;  // TXT of the node with an SRV answer
  // dnsd knows the meta data that a Consul agent adds to its node. They are
  // one of node_text_count then.
  bool mirrored = false;
  bool enable_truncate = false;
  int udp_answer_limit = 3;
  bool compress = true;
};

// The name that 1.8.7 has for what the newest release calls `qname`; nothing
// when the two agree.
[[nodiscard]] std::optional<std::string> NameIn187(const ReleaseConfig& config,
                                                   const std::string& qname,
                                                   uint16_t qtype);

// The answers of 1.8.7 over TCP to ANY for a name.
using AskAny = std::function<std::vector<Rr>(const std::string& qname)>;

// `reply` is what 1.8.7 said over TCP, where nothing is trimmed, to `qname`
// (to NameIn187() where there is such a name). `soa` is any SOA that it
// gave. Returns what the newest release says over TCP.
[[nodiscard]] Message Modernize(const ReleaseConfig& config,
                                const std::string& qname, const Rr& soa,
                                const Message& reply, const AskAny& ask_any,
                                RowCounts* counts);

// Whether 1.8.7 trims answers to this question.
[[nodiscard]] bool IsTrimmedBy187(const ReleaseConfig& config,
                                  const Message& question);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CONSUL_RELEASE_H_
