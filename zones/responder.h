// Respond() turns a query packet into a response packet. HOT PATH
//
// A pure function of the packet, the view, the time and the random number:
// no I/O, no clock, no allocation, no lock. Tests, fuzzers and benchmarks
// drive exactly this.
//
// Threads: any number at once on one View; a RespondContext has one owner.
// Errors:  a packet that must not be answered (QR set, shorter than a
//          header) is dropped; every other one gets a response.
#ifndef DNSD_ZONES_RESPONDER_H_
#define DNSD_ZONES_RESPONDER_H_

#include <cstddef>
#include <cstdint>
#include <span>

#include "zones/cookie.h"
#include "zones/external_names.h"
#include "zones/random.h"
#include "zones/wire.h"

namespace dnsd {

class View;
struct Entry;

enum class Transport : uint8_t { kUdp, kTcp };

// Why a response is what it is, counted per worker.
enum class Outcome : uint8_t {
  kAnswered,  // from the catalog or a zone file, positive
  kNodata,    // NOERROR without an answer
  kNxdomain,
  kTruncated,  // answered, but not all of it fitted (TC or silent)
  kRefused,    // outside our zones, or another class
  kServfail,
  kFormErr,          // malformed: dropped question, lying counts, bad OPT
  kNotImp,           // opcode or AXFR
  kBadVers,          // EDNS version above 0 (RFC 6891 6.1.3)
  kBadCookie,        // no good cookie where one is required (RFC 7873 5.2.3)
  kDroppedShort,     // shorter than a header
  kDroppedResponse,  // QR=1: answering it could loop
  kForward,          // outside our zones, and forwarding is on: nothing
                     // written
  kTransfer,         // signed, or asks for a zone, and others take that:
                     // nothing written
  kPending,          // not known yet, nothing written: ask again with the
                     // next view, having told the sync thread of
                     // RespondContext::asked, which is kDatacenter or kQuery;
                     // or, for kExternal, when that name is known
  kCount,
};

// What a query was about, for who feeds the catalog.
struct AskedKey {
  enum Kind : uint8_t {
    kNothing,
    kService,     // `entry`, when the view wants_asked_names
    kDatacenter,  // kPending: this datacenter is not loaded
    kQuery,       // kPending: name of a prepared query, see `name`
    kOthers,      // kForward: not ours; nothing else is told
    kExternal,    // kPending: `name` with the root, `qtype` A or AAAA, is what
                  // ExternalNames has not yet
    kTransfer,    // kTransfer; nothing else is told
  };
  Kind kind = kNothing;
  uint8_t datacenter = 0;        // index in View::datacenters
  const Entry* entry = nullptr;  // as long as the view
  uint16_t qtype = 0;
  // kQuery: labels in lower case, in wire form without the root.
  uint8_t name_size = 0;
  uint8_t name[kNameBytesMax];
};

// The part of the question's name that a response is counted for where the
// rate of equal ones is limited: the name, or the zone where a client could
// make up names without end. Size 0: the name does not matter.
struct CountedName {
  uint16_t at = 0;  // in the packet; ends where the name does
  uint16_t size = 0;
};

struct RespondContext {
  Random random{0};
  uint32_t unix_time = 0;  // seconds, for Consul's SOA serial; set per batch
  // Who asks, in network order; empty: not known, so there are no cookies.
  std::span<const uint8_t> client;
  // How long idle TCP connections are kept, in units of 100 ms (RFC 7828); 0:
  // clients are not told.
  uint16_t tcp_keepalive = 0;
  // nullptr: CNAMEs and targets outside our zones are left to the client.
  ExternalNames* external = nullptr;
  // Whether there is somebody for signed questions and for AXFR and IXFR
  // (Outcome::kTransfer).
  bool leaves_transfers = false;

  // Set by every Respond().
  uint16_t qtype = 0;  // of the question; 0: there is none to read
  AskedKey asked;
  CookieState cookie = CookieState::kNone;
  CountedName counted;
};

struct Response {
  Outcome outcome = Outcome::kDroppedShort;
  size_t size = 0;  // bytes written to `out`; 0: send nothing
};

// The room `out` must have, whatever the transport.
inline constexpr size_t kResponseBytesMax = 65535;

// Writes the response to `packet` into `out` (at least kResponseBytesMax).
[[nodiscard]] Response Respond(std::span<const uint8_t> packet,
                               Transport transport, const View& view,
                               RespondContext* context, uint8_t* out);

// Writes SERVFAIL to a query that nobody can answer in time: what Consul says
// when its servers are away. Returns its size; 0 when Respond() would drop the
// packet.
[[nodiscard]] size_t ServfailResponse(std::span<const uint8_t> packet,
                                      const View& view,
                                      const RespondContext& context,
                                      uint8_t* out);

// Writes an empty response with TC, by which a client learns to ask by TCP.
// Returns as ServfailResponse().
[[nodiscard]] size_t TruncatedResponse(std::span<const uint8_t> packet,
                                       const View& view,
                                       const RespondContext& context,
                                       uint8_t* out);

}  // namespace dnsd

#endif  // DNSD_ZONES_RESPONDER_H_
