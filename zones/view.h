// View is one immutable version of everything dnsd answers from: the policy,
// the compiled catalog and the zones from files. HOT PATH
//
// Threads:   made by ViewBuilder on the sync thread, read by every worker
//            through Published<View>.
// Ownership: owns its policy and zone list. The table's shards and entries
//            belong to the line of views (see CowMap); a view made on its own
//            by BuildView() frees them with itself.
#ifndef DNSD_ZONES_VIEW_H_
#define DNSD_ZONES_VIEW_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "catalog/cow_map.h"
#include "zones/entry.h"
#include "zones/name.h"
#include "zones/policy.h"
#include "zones/zone_data.h"

namespace dnsd {

// A domain the catalog is served under.
struct Domain {
  std::string wire;        // lower case, with the root label
  size_t label_count = 0;  // without the root label
};

// What answers about a datacenter are worth.
enum class DatacenterState : uint8_t {
  kReady,
  kStale,        // its source is away: answered, and said so (RFC 8914 code 3)
  kAwaited,      // not loaded yet: a question waits for it (kPending)
  kUnavailable,  // not loaded, and its source is away: SERVFAIL
};

// Names of prepared queries that begin so may be made up from a template, of
// which there are as many as names: asked for when they are (kPending).
struct QueryTemplate {
  uint8_t datacenter = 0;
  std::string prefix;  // lower case; may be empty
};

class View {
 public:
  static constexpr int kNoDatacenter = -1;

  View() = default;
  ~View();
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  [[nodiscard]] bool rfc() const { return policy.compat == Compat::kRfc; }

  [[nodiscard]] const Entry* Find(EntryKind kind, uint8_t dc,
                                  std::span<const uint8_t> key) const {
    uint64_t hash = EntryHash(seed, kind, dc, key);
    return table.Find(
        hash, [&](const Entry& entry) { return entry.Is(kind, dc, key); });
  }

  // The datacenter with this lower-case name, or kNoDatacenter.
  [[nodiscard]] int FindDatacenter(std::span<const uint8_t> label) const;

  // The longest of our catalog's domains that `name` is in, or nullptr.
  [[nodiscard]] const Domain* FindDomain(const Name& name) const;

  // The closest zone from a file that `name` without its first `skip` labels
  // is in, or nullptr; its apex begins at label *label of the name.
  [[nodiscard]] const ZoneData* FindZone(const Name& name, size_t skip,
                                         size_t* label) const;

  ZonePolicy policy;
  // The SOA serial in kRfc, and wherever the catalog's zone is transferred.
  uint32_t serial = 0;
  // Of the catalog's zone: another one, and only then, when records differ
  // (catalog_zone.h).
  uint64_t content = 0;
  uint32_t negative_ttl = 0;  // SOA minimum and TTL of negative answers
  uint64_t seed = 0;
  // Whether every datacenter is kReady: questions need not look further.
  bool all_ready = true;
  // True: more names than their source can watch one by one; it wants to know
  // which are asked for.
  bool wants_asked_names = false;
  std::vector<Domain> domains;                     // longest first
  size_t primary_domain = 0;                       // index of policy.domain
  std::vector<std::string> datacenters;            // [0] is the local one
  std::vector<DatacenterState> datacenter_states;  // as many
  std::vector<QueryTemplate> query_templates;
  CowMap<Entry> table;
  std::vector<std::shared_ptr<const ZoneData>> zones;
  absl::flat_hash_map<std::string, const ZoneData*> zone_by_apex;
  bool owns_table = false;
};

}  // namespace dnsd

#endif  // DNSD_ZONES_VIEW_H_
