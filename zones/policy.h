// ZonePolicy is what decides answers besides the catalog's data: names, TTLs,
// filters and limits, as Consul's dns_config has them (consul.md section 2).
//
// Threads: a plain value; immutable once it is part of a View.
// Units:   TTLs and times in seconds, sizes in bytes.
#ifndef DNSD_ZONES_POLICY_H_
#define DNSD_ZONES_POLICY_H_

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "zones/siphash.h"
#include "zones/suffix_table.h"

namespace dnsd {

// kConsul: Consul answer for answer. kRfc: the same names, targets and TTLs,
// with what breaks real resolvers mended; zones/README.md has a row for each
// difference.
enum class Compat : uint8_t { kRfc, kConsul };

struct SoaPolicy {
  uint32_t refresh = 3600;
  uint32_t retry = 600;
  uint32_t expire = 86400;
  // Not given: 0 in kConsul (Consul's default), 5 in kRfc.
  std::optional<uint32_t> min_ttl;
};

// DNS cookies (RFC 7873).
enum class Cookies : uint8_t {
  kOff,
  kOn,        // answered; who shows a good one is known to be no forgery
  kRequired,  // over UDP, who shows a bad one gets BADCOOKIE and a good one
};

struct CookiePolicy {
  Cookies use = Cookies::kOff;
  SipKey secret;  // of the cookies made
  // Accepted too, until that Unix time (RFC 9018 section 5).
  std::optional<SipKey> previous;
  uint32_t previous_until = 0;
};

// A zone of others that has a rule about whom to ask.
struct ForwardZone {
  // Names that are ours are asked for too where our catalog has NXDOMAIN.
  bool is_fallthrough = false;
};

struct ZonePolicy {
  Compat compat = Compat::kRfc;
  std::string domain = "consul.";  // lower case, with the final dot
  std::string alt_domain;          // the same form, or empty
  std::string datacenter = "dc1";  // lower case
  std::string node_name;           // the local node, for NS when no server is
                                   // in the catalog

  uint32_t node_ttl = 0;
  // "web", "web*" or "*" to TTL; exact before longest prefix before "*".
  std::map<std::string, uint32_t> service_ttl;
  SoaPolicy soa;
  bool only_passing = false;
  bool enable_truncate = false;  // kRfc always sets TC when answers are missing
  bool disable_compression = false;
  // Not given: 3 in kConsul; no cap in kRfc.
  std::optional<int> udp_answer_limit;
  int a_record_limit = 0;  // 0: no cap
  bool enable_additional_node_meta_txt = true;
  bool translate_wan_addrs = false;
  bool recursion_available = false;  // there is somebody to forward to
  // Which names are forwarded; nullptr: all that are not ours. Shared, for a
  // policy is copied with each view.
  std::shared_ptr<const SuffixTable<ForwardZone>> forward_zones;
  // The catalog's zone is transferred: its SOA serial is the view's in both
  // modes.
  bool has_secondaries = false;

  CookiePolicy cookies;
  // ANY of a zone file's name is answered with one RRset over UDP (RFC 8482).
  bool minimal_any = false;

  // kRfc: the most a UDP answer may take whatever the client offers
  // (DNS flag day 2020), and the size our OPT advertises.
  uint16_t edns_udp_size = 1232;
};

// The TTL of a service's records, by Consul's precedence.
[[nodiscard]] uint32_t ServiceTtl(const ZonePolicy& policy,
                                  const std::string& service_lower);

// How many answers a response over UDP without EDNS has at most, in kConsul.
[[nodiscard]] inline uint32_t ConsulUdpAnswersMax(const ZonePolicy& policy) {
  constexpr uint32_t kUdpAnswersMax = 8;  // Consul's maxUDPAnswerLimit
  constexpr int kUdpAnswerLimitDefault = 3;
  return std::min(kUdpAnswersMax,
                  static_cast<uint32_t>(policy.udp_answer_limit.value_or(
                      kUdpAnswerLimitDefault)));
}

}  // namespace dnsd

#endif  // DNSD_ZONES_POLICY_H_
