// UpstreamAnswer is what an upstream resolver said to one question, checked,
// and cut down to what was asked for. It is written for one client after
// another, each with its own id, letter case, size and EDNS.
//
// Threads: values; pure functions.
// Errors:  by ReplyVerdict; a reply that is not kAnswer leaves nothing behind.
// Limits:  a message of 65,535 bytes, walked once.
#ifndef DNSD_DNSD_FORWARD_UPSTREAM_ANSWER_H_
#define DNSD_DNSD_FORWARD_UPSTREAM_ANSWER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "zones/query.h"
#include "zones/random.h"
#include "zones/responder.h"

namespace dnsd {

// What is asked. Answers to different ones are never mixed: two clients of
// which one wants signatures (DO), or no validation (CD), ask different things.
struct ForwardQuestion {
  std::string name;  // wire form with the root label, in lower case
  uint16_t qtype = 0;
  uint16_t qclass = 0;
  bool dnssec_ok = false;
  bool checking_disabled = false;

  bool operator==(const ForwardQuestion&) const = default;
  template <typename H>
  friend H AbslHashValue(H hash, const ForwardQuestion& q) {
    return H::combine(std::move(hash), q.name, q.qtype, q.qclass, q.dnssec_ok,
                      q.checking_disabled);
  }
};

// The same with a borrowed name: of a question, of a query that ParseQuery()
// has read and that has one, or of what we ask ourselves (in class IN, `name`
// in lower case).
struct ForwardKey {
  // NOLINTNEXTLINE(google-explicit-constructor): either is one.
  ForwardKey(const ForwardQuestion& question);
  // NOLINTNEXTLINE(google-explicit-constructor)
  ForwardKey(const Query& query);
  ForwardKey(std::span<const uint8_t> own_name, uint16_t own_qtype);

  bool operator==(const ForwardKey& other) const {
    return name.size() == other.name.size() && qtype == other.qtype &&
           qclass == other.qclass && dnssec_ok == other.dnssec_ok &&
           checking_disabled == other.checking_disabled &&
           std::memcmp(name.data(), other.name.data(), name.size()) == 0;
  }
  [[nodiscard]] ForwardQuestion Kept() const;

  std::span<const uint8_t> name;
  uint16_t qtype;
  uint16_t qclass;
  bool dnssec_ok;
  bool checking_disabled;
};

// What was sent to an upstream, to hold its reply against.
struct SentQuery {
  ForwardQuestion question;
  uint16_t id = 0;
  // As sent, letters mixed (draft-vixie-dnsext-dns0x20); empty: not mixed.
  std::string spelled_name;
  uint16_t udp_size = 0;  // of our EDNS; 0: without, as some do not know it
  // With EDNS: its size is a multiple of 128 (RFC 8467 section 4.1), so that
  // who sees it encrypted learns little.
  bool is_padded = false;
};

// The query to send, with RD, AD (RFC 6840 5.7), CD and DO as asked.
[[nodiscard]] std::string WriteUpstreamQuery(const SentQuery& sent);

struct UpstreamAnswer {
  // Header, question, ANSWER from the question's name along its aliases, and
  // for negative answers the SOA of AUTHORITY; with DO their signatures and
  // proofs too. No OPT, nothing else. Names may be compressed.
  std::string bytes;
  std::vector<uint16_t> ttl_at;  // where the TTLs are, in order
  // Addresses that may be written from any of them on; below two: there are
  // none.
  struct Rotation {
    uint16_t first_rdata_at = 0;
    uint16_t stride = 0;  // from one rdata to the next
    uint16_t count = 0;
    uint16_t rdata_size = 0;
  };
  Rotation rotation;
  uint8_t rcode = 0;         // the lower four bits
  bool is_negative = false;  // NXDOMAIN, or NODATA
  // Left out of ANSWER, for the question does not lead to their names.
  uint16_t foreign_records = 0;
  // Seconds it may be kept: the smallest TTL, for negative ones as RFC 2308
  // section 5 says. 0: it may not.
  uint32_t ttl = 0;
};

enum class ReplyVerdict : uint8_t {
  kAnswer,
  kTruncated,     // TC: to be asked again over TCP
  kNotOurs,       // another id or question, not a response: keep waiting
  kWrongCase,     // ours but for the letters: a forgery, or an upstream that
                  // does not keep them
  kNoEdns,        // FORMERR or NOTIMP to a query with EDNS (RFC 6891 7)
  kServerFailed,  // SERVFAIL, REFUSED, NOTIMP...: another may know
  kMalformed,     // ours, but it cannot be read: another may do better
};

// Judges a reply and, for kAnswer, fills `answer`. `over_tcp`: TC means
// nothing. Names of the answer that end like the question point to it; other
// letters stay as the upstream has them.
[[nodiscard]] ReplyVerdict ReadReply(std::span<const uint8_t> reply,
                                     const SentQuery& sent, bool over_tcp,
                                     UpstreamAnswer* answer);

// A TTL after so many seconds; past its time it is 30 (RFC 8767 section 4).
[[nodiscard]] inline uint32_t TtlLeft(uint32_t ttl, uint32_t age_s,
                                      bool is_stale) {
  if (is_stale) return 30;
  return ttl > age_s ? ttl - age_s : 0;
}

// How an answer is written.
struct ClientAnswerOptions {
  uint32_t age_s = 0;  // taken off every TTL
  uint32_t ttl_cap = UINT32_MAX;
  // Past its time (RFC 8767): TTLs are 30 and, where the client has EDNS,
  // "Stale Answer" (RFC 8914 4.4) is said.
  bool is_stale = false;
  uint16_t udp_size_max = 1232;  // what we say in our OPT, and never exceed
};

// Writes it for the client of `query`: its id, question, RD and CD, RA set, AA
// not, AD as the upstream said for those that understand it (RFC 6840 5.8);
// OPT if it has one, TC over UDP when it is too large for it. `query` asks what
// the answer was asked for, and `out` has kResponseBytesMax. Returns the size.
// HOT PATH
[[nodiscard]] size_t WriteForClient(const UpstreamAnswer& answer,
                                    const Query& query, Transport transport,
                                    const ClientAnswerOptions& options,
                                    Random* random, uint8_t* out);

// The same without an answer: SERVFAIL or REFUSED, with RA.
[[nodiscard]] size_t WriteFailure(const Query& query, uint8_t rcode,
                                  const ClientAnswerOptions& options,
                                  uint8_t* out);

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_UPSTREAM_ANSWER_H_
