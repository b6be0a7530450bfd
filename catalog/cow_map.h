// CowMap is one immutable version of a hash map; an update makes the next
// version, sharing all that did not change. HOT PATH
//
// Shape: a directory of shards, each an open-addressing array of (hash, item).
// The number of shards follows the square root of the number of items, so an
// update copies O(sqrt(n)) words: the directory and one shard per edit.
//
// Threads:   Find() on any thread while the version is alive; Apply() and
//            Destroy() on the writer's thread.
// Ownership: a version owns its directory only. Shards and items are shared
//            along the line of versions: Apply() retires to the Qsbr what the
//            new version no longer reaches, and Destroy() on the last version
//            frees the rest. T provides `static void Free(const T*)`.
// Cost:      Find() is two dependent loads before the item itself.
#ifndef DNSD_CATALOG_COW_MAP_H_
#define DNSD_CATALOG_COW_MAP_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "catalog/qsbr.h"

namespace dnsd {

template <typename T>
class CowMap {
 public:
  // Replaces old_item by new_item: insertion when old_item is nullptr,
  // removal when new_item is. Each item appears in at most one edit.
  struct Edit {
    uint64_t hash = 0;
    const T* old_item = nullptr;
    const T* new_item = nullptr;
  };

  CowMap() : shards_(1) {}
  CowMap(CowMap&&) noexcept = default;
  CowMap& operator=(CowMap&&) noexcept = default;

  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t shard_count() const { return shards_.size(); }

  // The item with this hash for which `equal(item)` holds, or nullptr.
  template <typename Equal>
  [[nodiscard]] const T* Find(uint64_t hash, Equal equal) const {
    const Shard& shard = shards_[ShardOf(hash)];
    if (shard.slots == nullptr) return nullptr;
    for (uint64_t i = hash & shard.mask;; i = (i + 1) & shard.mask) {
      const Slot& slot = shard.slots[i];
      if (slot.item == nullptr) return nullptr;
      if (slot.hash != hash) continue;
      Prefetch(slot.item);
      if (equal(*slot.item)) return slot.item;
    }
  }

  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const Shard& shard : shards_) {
      for (uint64_t i = 0; shard.slots != nullptr && i <= shard.mask; ++i) {
        if (shard.slots[i].item != nullptr) visit(*shard.slots[i].item);
      }
    }
  }

  // The next version. Shards and items it drops are retired to `qsbr`; this
  // version stays readable until it is retired itself.
  [[nodiscard]] CowMap Apply(std::span<const Edit> edits, Qsbr* qsbr) const {
    CowMap next;
    next.size_ = size_;
    for (const Edit& edit : edits) {
      if (edit.old_item == nullptr) ++next.size_;
      if (edit.new_item == nullptr) --next.size_;
    }
    next.bits_ = bits_;
    size_t per_shard = next.size_ >> bits_;
    bool reshard = per_shard > (kGrowth << bits_) ||
                   (bits_ > 0 && per_shard * kGrowth * 4 < (1ull << bits_));
    if (reshard) next.bits_ = BitsFor(next.size_);
    next.shards_.assign(size_t{1} << next.bits_, Shard{});
    if (reshard) {
      Rebuild(edits, &next, qsbr);
    } else {
      Copy(edits, &next, qsbr);
    }
    for (const Edit& edit : edits) {
      if (edit.old_item != nullptr) {
        qsbr->RetireWith(edit.old_item, [](const void* item) {
          T::Free(static_cast<const T*>(item));
        });
      }
    }
    return next;
  }

  // Frees every shard and item. Only for the last version, when no reader is
  // left.
  void Destroy() {
    for (Shard& shard : shards_) {
      std::unique_ptr<const Slot[]> slots(shard.slots);
      for (uint64_t i = 0; slots != nullptr && i <= shard.mask; ++i) {
        if (slots[i].item != nullptr) T::Free(slots[i].item);
      }
      shard = Shard{};
    }
    size_ = 0;
  }

 private:
  // Shards are split when they hold more than kGrowth times as many items as
  // there are shards, so resharding is rare and amortised.
  static constexpr uint64_t kGrowth = 4;

  struct Slot {
    uint64_t hash = 0;
    const T* item = nullptr;
  };
  struct Shard {
    const Slot* slots = nullptr;
    uint32_t mask = 0;
    uint32_t count = 0;
  };
  using Items = std::vector<Slot>;

  // Fetches the item's first lines together instead of one after another: a
  // reader needs most of them, and among many items none is in a cache.
  static void Prefetch(const T* item) {
    constexpr size_t kLineBytes = 64;
    constexpr size_t kLines = 9;
    const char* at = reinterpret_cast<const char*>(item);
    for (size_t i = 0; i < kLines; ++i) {
      __builtin_prefetch(at + i * kLineBytes);
    }
  }

  static uint32_t BitsFor(size_t size) {
    return size < 2 ? 0 : static_cast<uint32_t>(std::bit_width(size - 1)) / 2;
  }
  // The top bits choose the shard, the bottom bits the slot.
  [[nodiscard]] size_t ShardOf(uint64_t hash) const {
    return bits_ == 0 ? 0 : static_cast<size_t>(hash >> (64 - bits_));
  }

  // At most two thirds full: probes stay short and an empty slot ends them.
  static size_t SlotCount(size_t items) {
    return std::bit_ceil(items + items / 2 + 1);
  }

  static Shard MakeShard(const Items& items) {
    Shard shard;
    if (items.empty()) return shard;
    shard.mask = static_cast<uint32_t>(SlotCount(items.size()) - 1);
    shard.count = static_cast<uint32_t>(items.size());
    auto slots = std::make_unique<Slot[]>(shard.mask + 1);
    for (const Slot& item : items) Insert(slots.get(), shard.mask, item);
    shard.slots = slots.release();
    return shard;
  }

  static void Retire(const Shard& shard, Qsbr* qsbr) {
    if (shard.slots == nullptr) return;
    qsbr->RetireWith(shard.slots, [](const void* slots) {
      std::unique_ptr<const Slot[]>(static_cast<const Slot*>(slots));
    });
  }

  // The shard's items after its edits.
  static void Collect(const Shard& shard,
                      const std::map<const T*, const T*>& replaced,
                      Items* items) {
    for (uint64_t i = 0; shard.slots != nullptr && i <= shard.mask; ++i) {
      const Slot& slot = shard.slots[i];
      if (slot.item == nullptr) continue;
      auto it = replaced.find(slot.item);
      if (it == replaced.end()) {
        items->push_back(slot);
      } else if (it->second != nullptr) {
        items->push_back({slot.hash, it->second});
      }
    }
  }

  static void Insert(Slot* slots, uint32_t mask, const Slot& slot) {
    uint64_t i = slot.hash & mask;
    while (slots[i].item != nullptr) i = (i + 1) & mask;
    slots[i] = slot;
  }

  // Whoever was pushed past the place that becomes free moves up, so that
  // probes still end at the first empty slot.
  static void Erase(Slot* slots, uint32_t mask, uint64_t free) {
    for (uint64_t i = free;;) {
      i = (i + 1) & mask;
      if (slots[i].item == nullptr) break;
      const uint64_t pushed = (i - slots[i].hash) & mask;
      if (pushed < ((i - free) & mask)) continue;
      slots[free] = slots[i];
      free = i;
    }
    slots[free] = Slot{};
  }

  static uint64_t PlaceOf(const Slot* slots, uint32_t mask, const Edit& edit) {
    uint64_t i = edit.hash & mask;
    while (slots[i].item != edit.old_item) i = (i + 1) & mask;
    return i;
  }

  // The shard after its edits, which are `count` from `edits` on.
  static Shard Edited(const Shard& shard, const Edit* const* edits,
                      size_t count) {
    Shard next;
    next.count = shard.count;
    for (size_t i = 0; i < count; ++i) {
      if (edits[i]->old_item == nullptr) ++next.count;
      if (edits[i]->new_item == nullptr) --next.count;
    }
    if (next.count == 0) return {};
    next.mask = static_cast<uint32_t>(SlotCount(next.count) - 1);
    // What goes is taken out first, and what comes put in last: in between
    // there is never more than before, or than after.
    const size_t before = shard.slots == nullptr ? 0 : shard.mask + 1;
    auto slots = std::make_unique_for_overwrite<Slot[]>(before);
    std::copy_n(shard.slots, before, slots.get());
    for (size_t i = 0; i < count; ++i) {
      if (edits[i]->old_item == nullptr) continue;
      const uint64_t at = PlaceOf(slots.get(), shard.mask, *edits[i]);
      if (edits[i]->new_item != nullptr) {
        slots[at].item = edits[i]->new_item;
      } else {
        Erase(slots.get(), shard.mask, at);
      }
    }
    if (next.mask != shard.mask || before == 0) {
      auto other = std::make_unique<Slot[]>(next.mask + 1);
      for (size_t i = 0; i < before; ++i) {
        if (slots[i].item != nullptr) Insert(other.get(), next.mask, slots[i]);
      }
      slots = std::move(other);
    }
    for (size_t i = 0; i < count; ++i) {
      if (edits[i]->old_item != nullptr) continue;
      Insert(slots.get(), next.mask, {edits[i]->hash, edits[i]->new_item});
    }
    next.slots = slots.release();
    return next;
  }

  void Copy(std::span<const Edit> edits, CowMap* next, Qsbr* qsbr) const {
    std::vector<const Edit*> sorted;
    sorted.reserve(edits.size());
    for (const Edit& edit : edits) sorted.push_back(&edit);
    std::sort(sorted.begin(), sorted.end(),
              [](const Edit* a, const Edit* b) { return a->hash < b->hash; });
    next->shards_ = shards_;
    for (size_t from = 0; from < sorted.size();) {
      const size_t index = ShardOf(sorted[from]->hash);
      size_t to = from + 1;
      while (to < sorted.size() && ShardOf(sorted[to]->hash) == index) ++to;
      next->shards_[index] =
          Edited(shards_[index], sorted.data() + from, to - from);
      Retire(shards_[index], qsbr);
      from = to;
    }
  }

  void Rebuild(std::span<const Edit> edits, CowMap* next, Qsbr* qsbr) const {
    std::map<const T*, const T*> replaced;
    std::vector<Items> items(next->shards_.size());
    for (const Edit& edit : edits) {
      if (edit.old_item != nullptr) {
        replaced[edit.old_item] = edit.new_item;
      } else {
        items[next->ShardOf(edit.hash)].push_back({edit.hash, edit.new_item});
      }
    }
    Items kept;
    for (const Shard& shard : shards_) {
      Collect(shard, replaced, &kept);
      Retire(shard, qsbr);
    }
    for (const Slot& slot : kept) {
      items[next->ShardOf(slot.hash)].push_back(slot);
    }
    for (size_t i = 0; i < items.size(); ++i) {
      next->shards_[i] = MakeShard(items[i]);
    }
  }

  std::vector<Shard> shards_;  // 2^bits_ of them
  uint32_t bits_ = 0;
  size_t size_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_COW_MAP_H_
