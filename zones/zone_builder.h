// ZoneBuilder makes a ZoneData of records in any order: it groups them into
// RRsets, checks what only the whole zone shows, adds empty non-terminals and
// marks delegations.
//
// Threads: one owner.
// Errors:  into Problems, "FILE:LINE: OWNER: what is wrong".
#ifndef DNSD_ZONES_ZONE_BUILDER_H_
#define DNSD_ZONES_ZONE_BUILDER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "catalog/base/problems.h"
#include "zones/zone_data.h"

namespace dnsd {

struct ZoneRecord {
  std::string owner;  // wire, lower case
  uint16_t type = 0;
  uint32_t ttl = 0;
  std::string rdata;      // wire, names as written
  std::string canonical;  // the same with names in lower case; empty: the same
  int line = 0;
};

// Whether the wire name is `ancestor` or below it. Both lower case.
[[nodiscard]] bool IsAtOrBelow(absl::string_view name,
                               absl::string_view ancestor);

// A wire name in master-file text, for messages.
[[nodiscard]] std::string ZoneNameText(absl::string_view wire);

class ZoneBuilder {
 public:
  // `apex` is wire, lower case; `file` is for messages.
  ZoneBuilder(std::string apex, std::string file, Problems* problems);

  // Takes a record whose owner is at or below the apex.
  void Add(ZoneRecord record) { records_.push_back(std::move(record)); }

  // The zone, or nullptr with the reasons in Problems. Call once.
  [[nodiscard]] std::shared_ptr<const ZoneData> Finish();

 private:
  using Records = absl::Span<const ZoneRecord>;

  void Error(const ZoneRecord& at, absl::string_view message);
  void AddOwner(Records records);
  void AddRrset(Records records, ZoneNode* node);
  // The rules about what may stand beside what, and where.
  void CheckOwner(Records records, const ZoneNode& node);
  void CheckApex();
  void AddEmptyNonTerminals();
  void PruneOccluded();

  std::string file_;
  Problems* problems_;
  std::vector<ZoneRecord> records_;
  std::shared_ptr<ZoneData> zone_;
};

}  // namespace dnsd

#endif  // DNSD_ZONES_ZONE_BUILDER_H_
