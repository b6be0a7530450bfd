// The catalog's domain as an ordinary zone: every record of the names that a
// view answers by itself, for transfers to secondaries. What is in it and what
// is not: dnsd/transfer/README.md.
//
// Threads: pure functions of an immutable view, which must stay alive.
// Names:   owners in lower case, wire form, uncompressed; rdata too.
#ifndef DNSD_ZONES_CATALOG_ZONE_H_
#define DNSD_ZONES_CATALOG_ZONE_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "zones/entry.h"
#include "zones/view.h"

namespace dnsd {

// One record; the bytes are good for the call.
struct ZoneRecordView {
  std::span<const uint8_t> owner;
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::span<const uint8_t> rdata;
};
using RecordVisitor = std::function<void(const ZoneRecordView&)>;

// Whether the local datacenter's catalog is there to be shown.
[[nodiscard]] bool HasCatalogZone(const View& view);

// The rdata of the zone's SOA record (RFC 1035 3.3.13), as DNS answers it.
[[nodiscard]] std::string CatalogSoa(const View& view, const Domain& domain);

// Calls `visit` for every record but the SOA, in no particular order; no
// record comes twice.
void ForEachCatalogRecord(const View& view, const Domain& domain,
                          const RecordVisitor& visit);

// A number that changes when the zone does: the sum of it over the entries,
// which an update can carry on. 0 for entries that the zone does not show.
[[nodiscard]] uint64_t ZoneContent(const Entry& entry);
// The same for what the zone has besides entries.
[[nodiscard]] uint64_t ZoneContent(const ZonePolicy& policy,
                                   uint32_t negative_ttl);

}  // namespace dnsd

#endif  // DNSD_ZONES_CATALOG_ZONE_H_
