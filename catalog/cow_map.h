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

  static Shard MakeShard(const Items& items) {
    Shard shard;
    if (items.empty()) return shard;
    // At most two thirds full: probes stay short and an empty slot ends them.
    size_t slot_count = std::bit_ceil(items.size() + items.size() / 2 + 1);
    auto slots = std::make_unique<Slot[]>(slot_count);
    shard.mask = static_cast<uint32_t>(slot_count - 1);
    shard.count = static_cast<uint32_t>(items.size());
    for (const Slot& item : items) {
      uint64_t i = item.hash & shard.mask;
      while (slots[i].item != nullptr) i = (i + 1) & shard.mask;
      slots[i] = item;
    }
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

  void Copy(std::span<const Edit> edits, CowMap* next, Qsbr* qsbr) const {
    struct Touched {
      std::map<const T*, const T*> replaced;
      Items added;
    };
    std::map<size_t, Touched> touched;
    for (const Edit& edit : edits) {
      Touched& shard = touched[ShardOf(edit.hash)];
      if (edit.old_item != nullptr) {
        shard.replaced[edit.old_item] = edit.new_item;
      } else {
        shard.added.push_back({edit.hash, edit.new_item});
      }
    }
    next->shards_ = shards_;
    for (auto& [index, shard] : touched) {
      Items items = std::move(shard.added);
      Collect(shards_[index], shard.replaced, &items);
      next->shards_[index] = MakeShard(items);
      Retire(shards_[index], qsbr);
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
