// ParseZoneRdata() turns the text of a record's data into wire form through
// ldns, and says no where ldns would guess.
//
// Threads: any.
// Errors:  "" is success; otherwise what is wrong, without place or owner.
#ifndef DNSD_ZONES_ZONE_RDATA_H_
#define DNSD_ZONES_ZONE_RDATA_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "zones/zone_text.h"

namespace dnsd {

// "MX" or "TYPE15". False when it is unknown, or only for questions and
// transactions (RFC 6895 3.1: 0, OPT, 128 to 255).
[[nodiscard]] bool ParseZoneType(absl::string_view text, uint16_t* type);

// "MX", or "TYPE15" where it has no name.
[[nodiscard]] std::string TypeText(uint16_t type);

// A name relative to `origin` (wire), to wire form with its case kept.
[[nodiscard]] bool ParseZoneName(const ZoneToken& token,
                                 const std::string& origin, std::string* wire);

struct ZoneRdata {
  std::string wire;       // names uncompressed and as written
  std::string canonical;  // RFC 4034 6.2; empty: the same as `wire`
};

// Needs a type that ParseZoneType() accepted.
[[nodiscard]] std::string ParseZoneRdata(uint16_t type,
                                         absl::Span<const ZoneToken> tokens,
                                         const std::string& origin,
                                         ZoneRdata* rdata);

}  // namespace dnsd

#endif  // DNSD_ZONES_ZONE_RDATA_H_
