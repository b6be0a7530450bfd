// ParseQuery() reads a packet as a DNS query: header, question, EDNS. HOT PATH
//
// Threads: pure function.
// Errors:  by value; what each means for the response is the responder's.
// Limits:  sections are walked once, bounded by the packet's size.
#ifndef DNSD_ZONES_QUERY_H_
#define DNSD_ZONES_QUERY_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "zones/name.h"
#include "zones/wire.h"

namespace dnsd {

enum class ParseResult : uint8_t {
  kOk,
  kDropShort,     // no header to answer to
  kDropResponse,  // QR=1
  kNotImp,        // an opcode other than QUERY (and NOTIFY, see is_notify)
  kFormErr,
  kCookieOnly,  // no question but a COOKIE option: asks for a server cookie
};

struct Query {
  const uint8_t* packet = nullptr;
  size_t packet_size = 0;
  uint16_t flags = 0;  // the header's, as received
  uint16_t qtype = 0;
  uint16_t qclass = 0;
  bool has_question = false;  // qname, qtype and qclass are valid
  bool is_notify = false;     // opcode NOTIFY, which Consul answers
  bool has_opt = false;       // the EDNS fields are valid
  bool dnssec_ok = false;
  bool trailing = false;  // bytes after the last record
  bool has_tsig = false;  // signed (RFC 8945), rightly or not
  uint8_t edns_version = 0;
  uint16_t udp_size = 0;    // as the client's OPT says
  uint16_t ecs_offset = 0;  // of the ECS option in the packet; 0: none
  uint16_t ecs_size = 0;    // with its 4-byte option header
  uint16_t cookie_at = 0;   // of the first COOKIE option's data; 0: none
  uint16_t cookie_size = 0;
  bool asks_keepalive = false;
  // What our OPT says in return, kCookieBytes; nullptr: nothing.
  const uint8_t* cookie_reply = nullptr;
  Name qname;

  [[nodiscard]] uint8_t opcode() const {
    return static_cast<uint8_t>((flags & kOpcodeMask) >> kOpcodeShift);
  }
  [[nodiscard]] size_t question_size() const { return qname.size + 4u; }
};

// Fills `query` as far as the packet could be read.
[[nodiscard]] ParseResult ParseQuery(std::span<const uint8_t> packet,
                                     Query* query);

}  // namespace dnsd

#endif  // DNSD_ZONES_QUERY_H_
