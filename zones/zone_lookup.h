// LookupZone() finds what a zone from a file has to say about a name: the
// algorithm of RFC 1034 section 4.3.2 with wildcards as RFC 4592 and empty
// non-terminals as RFC 8020 have them. HOT PATH
//
// Threads: pure functions of an immutable zone; any number at once.
// Cost:    one hash lookup per label below the apex that exists, and one for
//          a wildcard. No allocation, no lock.
// Names:   wire form, lower case, complete with the root label. The caller
//          has checked them: LookupZone() needs one at or below the apex.
#ifndef DNSD_ZONES_ZONE_LOOKUP_H_
#define DNSD_ZONES_ZONE_LOOKUP_H_

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "zones/zone_data.h"

namespace dnsd {

enum class ZoneAnswer : uint8_t {
  kAnswer,      // `rrset` is of the type asked for, or ANY: all of `node`
  kCname,       // `rrset` is the name's CNAME, and another type was asked for
  kNodata,      // the name exists, or a wildcard covers it, without the type
  kNxdomain,    // the name does not exist
  kDelegation,  // `rrset` is the NS of the cut at or above the name
};

struct ZoneResult {
  ZoneAnswer kind = ZoneAnswer::kNxdomain;
  // Whose data it is: the name's, the wildcard's, the cut's. nullptr only for
  // kNxdomain.
  const ZoneNode* node = nullptr;
  // nullptr for kNodata, kNxdomain and kAnswer to ANY.
  const ZoneRrset* rrset = nullptr;
  // The data is a wildcard's; its records get the qname as owner.
  bool wildcard = false;
  // kDelegation: where in the qname the cut's name begins. Otherwise 0.
  size_t cut_offset = 0;
};

// `qtype` DS exactly at a cut is answered from this, the parent's, side
// (RFC 4035 3.1.4.1); DS at the apex is the parent zone's to answer, and the
// caller's to see.
[[nodiscard]] ZoneResult LookupZone(const ZoneData& zone, const uint8_t* qname,
                                    size_t qname_size, uint16_t qtype);

// The addresses (`type` A or AAAA) of a target of NS, MX or SRV, also at and
// below cuts, where they are glue. nullptr when the zone has none. Wildcards
// are left out: an additional record must not be made up.
[[nodiscard]] const ZoneRrset* FindGlue(const ZoneData& zone,
                                        absl::string_view name, uint16_t type);

}  // namespace dnsd

#endif  // DNSD_ZONES_ZONE_LOOKUP_H_
