// ZoneData is one zone from a master file, ready to be answered from: an
// immutable tree of owner names with wire-format RRsets.
//
// Threads:   built on any thread, immutable afterwards; any number of readers.
// Ownership: owns all names and rdata.
// Names:     wire form, lower case, uncompressed.
#ifndef DNSD_ZONES_ZONE_DATA_H_
#define DNSD_ZONES_ZONE_DATA_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace dnsd {

// One RRset: rdata in wire form, names in it uncompressed and as written.
struct ZoneRrset {
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::vector<std::string> rdata;
};

// What stands at one owner name. An empty `rrsets` is an empty non-terminal.
struct ZoneNode {
  std::vector<ZoneRrset> rrsets;  // sorted by type
  bool is_cut = false;            // NS below the apex: a delegation

  [[nodiscard]] const ZoneRrset* Find(uint16_t type) const {
    for (const ZoneRrset& rrset : rrsets) {
      if (rrset.type == type) return &rrset;
    }
    return nullptr;
  }
};

struct ZoneData {
  std::string apex;  // wire, lower case
  uint32_t serial = 0;
  // By owner name; empty non-terminals are present, so a name that is absent
  // has nothing below it (RFC 8020). Looked up by absl::string_view.
  absl::flat_hash_map<std::string, ZoneNode> nodes;
};

}  // namespace dnsd

#endif  // DNSD_ZONES_ZONE_DATA_H_
