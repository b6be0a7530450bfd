// ZoneImage is one version of a zone as the messages of an AXFR response
// (RFC 5936), but for what each client has of its own: id, the question's
// spelling and type, OPT and TSIG.
//
// Threads:   immutable once made; shared by the transfers of that version.
// Ownership: owns its messages and refers to no view.
// Limits:    messages are of kImageMessageBytes, a larger record aside, so that
//            pointers reach everywhere and TSIG finds its room.
#ifndef DNSD_DNSD_TRANSFER_ZONE_IMAGE_H_
#define DNSD_DNSD_TRANSFER_ZONE_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "zones/view.h"
#include "zones/zone_data.h"

namespace dnsd {

inline constexpr size_t kImageMessageBytes = 16 * 1024;

struct ZoneImage {
  std::string apex;  // wire, lower case
  uint32_t serial = 0;
  size_t record_count = 0;  // the SOA twice
  size_t bytes = 0;
  // Complete but for what is said above; the first one has the question.
  std::vector<std::string> messages;
};

// nullptr: the zone needs more than `bytes_max`, or has a record that no
// message holds.
[[nodiscard]] std::shared_ptr<const ZoneImage> MakeFileImage(
    const ZoneData& zone, size_t bytes_max);
[[nodiscard]] std::shared_ptr<const ZoneImage> MakeCatalogImage(
    const View& view, const Domain& domain, size_t bytes_max);

}  // namespace dnsd

#endif  // DNSD_DNSD_TRANSFER_ZONE_IMAGE_H_
