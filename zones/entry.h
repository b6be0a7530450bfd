// Entry is one compiled name of the catalog (a service, a node, a reverse
// address): its records in wire form, ready to be copied. HOT PATH
//
// Shape: one block of memory,
//   Entry | key | EntrySet[set_count] | lists | index arrays | names | records
// where every "offset" counts bytes from the start of the block. Records are
// shared between the sets of an entry: a set, one per tag, is lists of record
// offsets, which sets share, too. Lists without records take no space. Owner
// names are the pointer C0 0C (the question's name), so a record serves every
// spelling of its name: tags, RFC 2782, datacenters, alt domain, letter case.
// Names in rdata that lie under our domain are stored without the domain, which
// is appended as the question spelled it.
//
// Threads:   immutable once made by EntryBuilder; any number of readers.
// Ownership: Free() by whoever holds it last (CowMap and Qsbr).
#ifndef DNSD_ZONES_ENTRY_H_
#define DNSD_ZONES_ENTRY_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace dnsd {

enum class EntryKind : uint8_t {
  kService,     // key: one label
  kConnect,     // key: the service's label
  kIngress,     // key: the service's label
  kVirtual,     // key: the service's label
  kNode,        // key: the node's labels
  kNodeSuffix,  // an empty non-terminal above dotted node names
  kReverse,     // key: 4 or 16 address bytes
  kServers,     // the NS set; empty key
  // Prepared queries; the key is the name's labels.
  kQuery,          // a name or id; without sets: no instance
  kQuerySuffix,    // an empty non-terminal above dotted query names
  kQueryTemplate,  // the id of a template, which cannot be asked for
};

enum ListKind : uint8_t {
  kListA,
  kListAaaa,
  kListAny,  // addresses for ANY (and TXT, as Consul answers it)
  kListSrv,  // also NS records of kServers
  kListTxt,  // also PTR records of kReverse
  kListCnameA,
  kListCnameAaaa,
  kListCnameAny,  // and every other type
  kListCount,
};

struct RrList {
  uint32_t offset = 0;  // of an array of uint32_t record offsets
  uint32_t count = 0;

  bool operator==(const RrList&) const = default;
};

struct EntrySet {
  uint32_t tag_hash = 0;      // TagHash() of the tag's labels
  uint32_t names_offset = 0;  // the tag's labels, lower case; the self name
  uint32_t lists_offset = 0;  // of an array of RrList
  // Four bits a kind, the first kind lowest: where in that array its list
  // stands, counted from 1; 0: it has no records.
  uint32_t list_places = 0;
  uint16_t tag_size = 0;  // 0: no tag asked
  // Not 0: the set is for questions whose name is exactly these wire bytes,
  // case included: instances whose address is that very name answer with
  // their node's address (Consul's self-alias rule).
  uint16_t self_size = 0;

  static constexpr uint32_t kPlaceBits = 4;
  [[nodiscard]] uint32_t Place(ListKind kind) const {
    return list_places >> (kPlaceBits * kind) & ((1u << kPlaceBits) - 1);
  }
};
static_assert(EntrySet::kPlaceBits * kListCount <= 32);
static_assert(kListCount < 1 << EntrySet::kPlaceBits);

// A record's header; its bytes follow. Bytes begin with the owner pointer.
struct RrRecord {
  enum Flags : uint8_t {
    kInDomain = 1,      // rdata ends in a name that lacks our domain
    kChase = 2,         // rdata ends in a full name that lies under our domain
    kNodeTarget = 4,    // kInDomain, as <node>.node.<dc>
    kAddrTarget = 8,    // kInDomain, as <hex>.addr.<dc>
    kLowerDomain = 16,  // the domain is appended in lower case (NS)
  };
  uint16_t size = 0;  // of the bytes
  uint8_t flags = 0;
  // kNodeTarget, kAddrTarget: bytes of the name before "node" or "addr".
  uint8_t split = 0;

  [[nodiscard]] const uint8_t* bytes() const {
    return reinterpret_cast<const uint8_t*>(this + 1);
  }
};

// An SRV or NS record; RrRecord's bytes follow the references.
struct SrvRecord {
  uint32_t address = 0;    // offset of the target's address record, or 0
  uint32_t texts = 0;      // offset of the node's TextBlock, or 0
  uint16_t target_id = 0;  // equal targets of an entry have equal ids
  uint16_t reserved = 0;
  RrRecord rr;
};
static_assert(sizeof(SrvRecord) == 16, "rr's bytes follow it");

// The TXT records of a node, for ADDITIONAL: node labels follow, then the name
// of its datacenter, then per record its size (2 bytes, host order) and its
// bytes from the type on.
struct TextBlock {
  uint16_t owner_size = 0;  // node labels, without "node.<dc>.<domain>"
  uint16_t count = 0;
  uint16_t id = 0;  // different blocks of an entry have different ids
  // The node's, which may be another than the entry's: prepared queries look
  // elsewhere. Its bytes follow the owner's.
  uint16_t datacenter_size = 0;

  [[nodiscard]] const uint8_t* owner() const {
    return reinterpret_cast<const uint8_t*>(this + 1);
  }
  [[nodiscard]] std::span<const uint8_t> datacenter() const {
    return {owner() + owner_size, datacenter_size};
  }
  // The first record's size.
  [[nodiscard]] const uint8_t* records() const {
    return owner() + owner_size + datacenter_size;
  }
};

// The name rdata of these types starts this far into RrRecord's bytes.
inline constexpr size_t kRdataOffset = 12;  // CNAME, PTR, NS
inline constexpr size_t kSrvTargetOffset = 12 + 6;

struct Entry {
  uint64_t hash = 0;
  uint32_t size = 0;  // of the whole block
  uint32_t sets_offset = 0;
  uint32_t set_count = 0;  // one per tag: 16 bits could be too few
  uint8_t key_size = 0;
  EntryKind kind = EntryKind::kService;
  uint8_t datacenter = 0;  // index in View
  // Sets with self_size come after the others.
  bool has_self_sets : 1 = false;
  bool has_texts : 1 = false;  // there are TextBlocks
  uint8_t reserved : 6 = 0;    // equal entries have equal bytes

  template <typename T>
  [[nodiscard]] const T* At(uint32_t offset) const {
    return reinterpret_cast<const T*>(reinterpret_cast<const uint8_t*>(this) +
                                      offset);
  }
  [[nodiscard]] const uint8_t* key() const {
    return reinterpret_cast<const uint8_t*>(this + 1);
  }
  [[nodiscard]] std::span<const EntrySet> sets() const {
    return {At<EntrySet>(sets_offset), set_count};
  }
  [[nodiscard]] std::span<const uint8_t> Tag(const EntrySet& set) const {
    return {At<uint8_t>(set.names_offset), set.tag_size};
  }
  [[nodiscard]] std::span<const uint8_t> Self(const EntrySet& set) const {
    return {At<uint8_t>(set.names_offset) + set.tag_size, set.self_size};
  }
  [[nodiscard]] RrList List(const EntrySet& set, ListKind which) const {
    const uint32_t place = set.Place(which);
    return place == 0 ? RrList() : At<RrList>(set.lists_offset)[place - 1];
  }
  // Of an entry whose sets are one.
  [[nodiscard]] RrList List(ListKind which) const {
    return List(sets().front(), which);
  }
  [[nodiscard]] const uint32_t* Index(RrList list) const {
    return At<uint32_t>(list.offset);
  }
  [[nodiscard]] bool Is(EntryKind wanted, uint8_t dc,
                        std::span<const uint8_t> wanted_key) const {
    return kind == wanted && datacenter == dc &&
           key_size == wanted_key.size() &&
           (wanted_key.empty() ||
            std::memcmp(key(), wanted_key.data(), wanted_key.size()) == 0);
  }

  static void Free(const Entry* entry);
};
static_assert(sizeof(Entry) == 24, "no padding");

// Seeded, so that nobody can choose names that collide.
[[nodiscard]] uint64_t EntryHash(uint64_t seed, EntryKind kind, uint8_t dc,
                                 std::span<const uint8_t> key);
[[nodiscard]] uint32_t TagHash(std::span<const uint8_t> tag);

}  // namespace dnsd

#endif  // DNSD_ZONES_ENTRY_H_
