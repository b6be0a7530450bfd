// ReadZoneFile() parses an RFC 1035 master file through ldns into ZoneData.
// The only library file that includes ldns; never on the hot path.
//
// Threads: any; it blocks on file I/O and CPU, keep big files off event loops.
// Errors:  kInvalidArgument/kNotFound/..., "FILE:LINE: what is wrong"; every
//          check below names the owner. A zone must have exactly one SOA at
//          its apex and an NS there; no owner outside the apex; no CNAME
//          beside other data (RFC 2181 10.1); one TTL per RRset (the smallest
//          is taken, RFC 2181 5.2).
#ifndef DNSD_ZONES_ZONE_FILE_H_
#define DNSD_ZONES_ZONE_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "zones/zone_data.h"

namespace dnsd {

// `apex` is text, lower case, with the final dot.
[[nodiscard]] absl::StatusOr<std::shared_ptr<const ZoneData>> ReadZoneFile(
    const std::string& apex, const std::string& file);

}  // namespace dnsd

#endif  // DNSD_ZONES_ZONE_FILE_H_
