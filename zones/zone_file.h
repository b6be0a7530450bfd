// ReadZoneFile() parses an RFC 1035 master file through ldns into ZoneData.
// ldns stays in zone_rdata.cc, the only library file that includes it. Never on
// the hot path.
//
// Threads: any; it blocks on file I/O and CPU, keep big files off event loops.
// Errors:  kInvalidArgument/kNotFound/..., "FILE:LINE: what is wrong", one
//          line each for up to kZoneProblemsMax of them; those about a record
//          name its owner. A zone must have exactly one SOA at its apex and an
//          NS there; no owner outside the apex; class IN; no CNAME beside
//          other data (RFC 2181 10.1); one TTL per RRset (the smallest is
//          taken, RFC 2181 5.2).
// Format:  $ORIGIN (at first the apex) and $TTL; $INCLUDE and $GENERATE are
//          errors. A record without a TTL has $TTL's, else the one before it
//          (RFC 1035 5.1), and an SOA its MINIMUM. DNAME is ordinary data:
//          nothing is synthesised from it.
#ifndef DNSD_ZONES_ZONE_FILE_H_
#define DNSD_ZONES_ZONE_FILE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "zones/zone_data.h"

namespace dnsd {

// Ten million short records; in memory they take some 4 GiB.
inline constexpr size_t kZoneFileBytesMax = 256u << 20;

// More than a screen of errors is one error seen many times.
inline constexpr size_t kZoneProblemsMax = 20;

// `apex` is text, lower case, with the final dot.
[[nodiscard]] absl::StatusOr<std::shared_ptr<const ZoneData>> ReadZoneFile(
    const std::string& apex, const std::string& file);

// The same from memory; `file` is what messages call the text.
[[nodiscard]] absl::StatusOr<std::shared_ptr<const ZoneData>> ParseZone(
    const std::string& apex, const std::string& file, absl::string_view text);

}  // namespace dnsd

#endif  // DNSD_ZONES_ZONE_FILE_H_
