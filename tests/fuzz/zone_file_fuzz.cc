// Zone files from anywhere: ParseZone() refuses them or gives a zone that
// keeps its promises, and LookupZone() finds in it what is there.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "catalog/base/check.h"
#include "zones/wire.h"
#include "zones/zone_builder.h"
#include "zones/zone_file.h"
#include "zones/zone_lookup.h"

namespace dnsd {
namespace {

// Looking everything up costs what the zone's size squared does at worst.
constexpr size_t kInputBytesMax = 1 << 16;

ZoneResult Lookup(const ZoneData& zone, const std::string& qname,
                  uint16_t qtype) {
  return LookupZone(zone, reinterpret_cast<const uint8_t*>(qname.data()),
                    qname.size(), qtype);
}

void CheckResult(const ZoneResult& result, const std::string& qname) {
  DNSD_CHECK((result.node == nullptr) ==
             (result.kind == ZoneAnswer::kNxdomain));
  DNSD_CHECK(result.cut_offset < qname.size());
  if (result.kind == ZoneAnswer::kDelegation) {
    DNSD_CHECK(result.rrset != nullptr && result.rrset->type == kTypeNs);
    DNSD_CHECK(result.node->is_cut);
  }
}

void CheckNode(const ZoneData& zone, const std::string& owner,
               const ZoneNode& node) {
  DNSD_CHECK(owner.size() <= kNameBytesMax);
  DNSD_CHECK(IsAtOrBelow(owner, zone.apex));
  if (owner != zone.apex) {
    absl::string_view parent =
        absl::string_view(owner).substr(1 + static_cast<uint8_t>(owner[0]));
    DNSD_CHECK(zone.nodes.contains(parent));
  }
  for (const ZoneRrset& rrset : node.rrsets) {
    DNSD_CHECK(!rrset.rdata.empty());
    DNSD_CHECK(node.Find(rrset.type) == &rrset);
    ZoneResult result = Lookup(zone, owner, rrset.type);
    CheckResult(result, owner);
    if (result.kind == ZoneAnswer::kAnswer) {
      DNSD_CHECK(result.rrset == &rrset);
    } else {
      DNSD_CHECK(result.kind == ZoneAnswer::kDelegation);
    }
    if (rrset.type == kTypeA) {
      DNSD_CHECK(FindGlue(zone, owner, kTypeA) == &rrset);
    }
  }
  for (const char* label : {"\1x", "\1*", "\1x\1y"}) {
    std::string name = label + owner;
    if (name.size() > kNameBytesMax) continue;
    CheckResult(Lookup(zone, name, kTypeTxt), name);
    CheckResult(Lookup(zone, name, kTypeDs), name);
    CheckResult(Lookup(zone, name, kTypeAny), name);
  }
}

}  // namespace
}  // namespace dnsd

// ldns forgets small things when it refuses a text (IPSECKEY, CERT, ...); a
// reload of a broken file costs that many bytes. What we forget of what ldns
// gave us is found by zone_file_test, which has no suppressions.
// Visible, or a shared sanitizer runtime does not find it.
extern "C" __attribute__((visibility("default"))) const char*
__lsan_default_suppressions() {
  return "leak:libldns\n";
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > dnsd::kInputBytesMax) return 0;
  absl::string_view text(reinterpret_cast<const char*>(data), size);
  auto zone = dnsd::ParseZone("example.", "z", text);
  if (!zone.ok()) {
    DNSD_CHECK(absl::StartsWith(zone.status().message(), "z:"));
    return 0;
  }
  for (const auto& [owner, node] : (*zone)->nodes) {
    dnsd::CheckNode(**zone, owner, node);
  }
  return 0;
}
