// EntryBuilder lays out one Entry: add records, then sets of them, then
// Finish(). After Clear() it lays out another and uses its memory again.
//
// Threads:   one owner.
// Ownership: Finish() hands the Entry to the caller, who must Free() it.
// Limits:    256-byte keys, 64 KiB records, 4 GiB entries; the makers of names
//            and texts stay far below.
#ifndef DNSD_ZONES_ENTRY_BUILDER_H_
#define DNSD_ZONES_ENTRY_BUILDER_H_

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "zones/entry.h"

namespace dnsd {

class EntryBuilder {
 public:
  // A record added to the builder; 0 is "none".
  using Ref = uint32_t;
  using Lists = std::array<std::vector<Ref>, kListCount>;

  EntryBuilder();
  EntryBuilder(const EntryBuilder&) = delete;
  EntryBuilder& operator=(const EntryBuilder&) = delete;

  void Clear();

  // `bytes` begin with the owner pointer. Equal plain records are added once.
  Ref AddRecord(absl::string_view bytes, uint8_t flags = 0, uint8_t split = 0);
  // Equal records with equal references are added once. `target` is the name
  // in the rdata, or as much of it as tells it from others.
  Ref AddSrv(absl::string_view target, absl::string_view bytes, uint8_t flags,
             uint8_t split, Ref address, Ref texts);
  // `records` from the type on. Blocks of one owner are added once.
  // `datacenter` is the owner's.
  Ref AddTexts(const std::string& owner_labels,
               const std::vector<std::string>& records,
               const std::string& datacenter = "");

  // `tag` and `self` as EntrySet has them; empty for none. Sets with a self
  // name must be added last. Lists that the first set has stand in the entry
  // once.
  void AddSet(absl::string_view tag, absl::string_view self,
              const Lists& lists);

  [[nodiscard]] const Entry* Finish(EntryKind kind, uint8_t datacenter,
                                    const std::string& key,
                                    uint64_t hash) const;

 private:
  // As long as the entry is not placed, a set's offsets count in names_ and
  // lists_, and a list's in index_.
  using Set = EntrySet;

  // Where the parts of the block begin.
  struct Places {
    size_t lists = 0;
    size_t index = 0;
    size_t names = 0;
    size_t records = 0;

    // A record's offset in the block.
    [[nodiscard]] Ref Of(Ref ref) const {
      return ref == 0 ? 0 : static_cast<Ref>(records + ref - 1);
    }
  };

  // Records are equal when their bytes in records_ are, head included.
  template <typename Head>
  struct Bytes {
    const std::string* records;
    [[nodiscard]] absl::string_view Of(Ref ref) const;
    size_t operator()(Ref ref) const { return absl::HashOf(Of(ref)); }
    bool operator()(Ref a, Ref b) const { return Of(a) == Of(b); }
  };
  template <typename Head>
  using Refs = absl::flat_hash_set<Ref, Bytes<Head>, Bytes<Head>>;

  Ref Append(const void* head, size_t head_size, absl::string_view bytes);
  // The same, unless an equal one is there.
  template <typename Head>
  Ref AppendUnique(const Head& head, absl::string_view bytes, Refs<Head>* refs);
  [[nodiscard]] RrList ListOf(const Set& set, ListKind kind) const;
  [[nodiscard]] RrList AddList(const std::vector<Ref>& list, ListKind kind);
  void AddLists(const Lists& lists, Set* set);
  void PlaceSets(const Places& places, uint8_t* block) const;

  std::string records_;  // Ref is an offset in it, plus 1
  Refs<RrRecord> plain_;
  Refs<SrvRecord> srvs_;
  absl::flat_hash_map<std::string, uint16_t> target_ids_;
  std::map<std::pair<std::string, std::string>, Ref> texts_;
  std::vector<Set> sets_;
  std::vector<RrList> lists_;
  std::vector<Ref> index_;
  std::string names_;
};

}  // namespace dnsd

#endif  // DNSD_ZONES_ENTRY_BUILDER_H_
