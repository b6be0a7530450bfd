// EntryBuilder lays out one Entry: add records, then sets of them, then
// Finish().
//
// Threads:   one owner; the sync thread in the server.
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

#include "zones/entry.h"

namespace dnsd {

class EntryBuilder {
 public:
  // A record added to the builder; 0 is "none".
  using Ref = uint32_t;
  using Lists = std::array<std::vector<Ref>, kListCount>;

  // `bytes` begin with the owner pointer. Equal plain records are added once.
  Ref AddRecord(const std::string& bytes, uint8_t flags = 0, uint8_t split = 0);
  // Equal records with equal references are added once. `target` is the name
  // in the rdata, or as much of it as tells it from others.
  Ref AddSrv(const std::string& target, const std::string& bytes, uint8_t flags,
             uint8_t split, Ref address, Ref texts);
  // `records` from the type on. Blocks of one owner are added once.
  // `datacenter` is the owner's.
  Ref AddTexts(const std::string& owner_labels,
               const std::vector<std::string>& records,
               const std::string& datacenter = "");

  // `tag` and `self` as EntrySet has them; empty for none. Sets with a self
  // name must be added last.
  void AddSet(const std::string& tag, const std::string& self, Lists lists);

  [[nodiscard]] const Entry* Finish(EntryKind kind, uint8_t datacenter,
                                    const std::string& key,
                                    uint64_t hash) const;

 private:
  struct Set {
    std::string tag;
    std::string self;
    Lists lists;
  };
  struct Fixup {
    size_t at;  // in records_, of a Ref to be moved
  };

  // Where the parts of the block begin.
  struct Places {
    size_t index = 0;
    size_t names = 0;
    size_t records = 0;

    // A record's offset in the block.
    [[nodiscard]] Ref Of(Ref ref) const {
      return ref == 0 ? 0 : static_cast<Ref>(records + ref - 1);
    }
  };

  void AppendSets(const Places& places, std::string* block) const;
  Ref Append(const void* head, size_t head_size, const std::string& bytes);

  std::string records_;  // Ref is an offset in it, plus 1
  std::vector<Fixup> fixups_;
  std::map<std::string, Ref> plain_;
  std::map<std::string, Ref> srvs_;
  std::map<std::string, uint16_t> target_ids_;
  std::map<std::pair<std::string, std::string>, Ref> texts_;
  std::vector<Set> sets_;
};

}  // namespace dnsd

#endif  // DNSD_ZONES_ENTRY_BUILDER_H_
