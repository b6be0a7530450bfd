#include "dnsd/forward/forward_cache.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace dnsd {
namespace {

constexpr size_t kSlotsMin = 64;
// What malloc takes for a block besides its bytes, rounding included.
constexpr size_t kBlockBytes = 16;
constexpr uint8_t kFrequencyMax = 3;  // S3-FIFO's two bits
constexpr uint8_t kDueHits = 2;
constexpr uint32_t kDueTtlMin = 10;

struct KeptAnswer {
  ForwardQuestion question;
  UpstreamAnswer answer;
  uint64_t hash = 0;
  size_t bytes = 0;
  uint32_t stored_s = 0;
  uint32_t ttl = 0;
  uint8_t frequency = 0;  // hits, less one per round through the main queue
  uint8_t hits = 0;       // since stored, up to kDueHits
  bool said_due = false;
  bool in_main = false;
  KeptAnswer* older = nullptr;
  KeptAnswer* newer = nullptr;
};

// First in, first out, with a way out from the middle.
struct Fifo {
  KeptAnswer* oldest = nullptr;
  KeptAnswer* newest = nullptr;
  size_t bytes = 0;

  void Push(KeptAnswer* entry) {
    entry->older = newest;
    entry->newer = nullptr;
    (newest == nullptr ? oldest : newest->newer) = entry;
    newest = entry;
    bytes += entry->bytes;
  }
  void Remove(KeptAnswer* entry) {
    (entry->older == nullptr ? oldest : entry->older->newer) = entry->newer;
    (entry->newer == nullptr ? newest : entry->newer->older) = entry->older;
    bytes -= entry->bytes;
  }
};

// Open addressing, linear probing; the table owns the entries.
struct Slot {
  uint64_t hash = 0;
  std::unique_ptr<KeptAnswer> entry;
};

// A name that left the small queue; the array is indexed by the hash.
struct Ghost {
  uint32_t rest = 0;  // the bits of the hash that are no index
  uint32_t left = 0;  // number of leavings up to then; 0: nobody
};

size_t StringBytes(const std::string& text) {
  // Short ones lie in the object.
  return text.capacity() < sizeof(std::string) / 2
             ? 0
             : text.capacity() + 1 + kBlockBytes;
}

template <typename T>
size_t VectorBytes(const std::vector<T>& values) {
  return values.capacity() == 0 ? 0
                                : values.capacity() * sizeof(T) + kBlockBytes;
}

size_t BytesOf(const KeptAnswer& entry) {
  return sizeof(KeptAnswer) + kBlockBytes + StringBytes(entry.question.name) +
         StringBytes(entry.answer.bytes) + VectorBytes(entry.answer.ttl_at);
}

}  // namespace

struct ForwardCache::Impl {
  Impl(const ForwardCacheLimits& limits_in, uint64_t seed_in)
      : limits(limits_in), seed(seed_in) {
    Clear();
  }

  [[nodiscard]] uint64_t HashOf(const ForwardKey& key) const {
    const uint64_t rest =
        uint64_t{key.qtype} << 18 | uint64_t{key.qclass} << 2 |
        (key.dnssec_ok ? 2u : 0u) | (key.checking_disabled ? 1u : 0u);
    return XXH3_64bits_withSeed(key.name.data(), key.name.size(),
                                seed + rest * 0x9e3779b97f4a7c15u);
  }

  [[nodiscard]] size_t mask() const { return slots.size() - 1; }
  // Where the key is, or the free slot where it would be.
  [[nodiscard]] size_t SlotOf(const ForwardKey& key, uint64_t hash) const {
    size_t i = hash & mask();
    while (slots[i].entry != nullptr &&
           (slots[i].hash != hash ||
            ForwardKey(slots[i].entry->question) != key)) {
      i = (i + 1) & mask();
    }
    return i;
  }
  [[nodiscard]] size_t SlotOf(const KeptAnswer& entry) const {
    size_t i = entry.hash & mask();
    while (slots[i].entry.get() != &entry) i = (i + 1) & mask();
    return i;
  }

  [[nodiscard]] size_t bytes() const {
    return small.bytes + main.bytes + sizeof(Impl) +
           slots.size() * (sizeof(Slot) + sizeof(Ghost));
  }
  [[nodiscard]] size_t small_bytes_max() const { return limits.bytes_max / 10; }
  [[nodiscard]] bool IsOver(const KeptAnswer& entry, uint32_t now_s) const {
    return now_s - entry.stored_s >= uint64_t{entry.ttl} + limits.stale_max_s;
  }
  [[nodiscard]] uint32_t TtlOf(const UpstreamAnswer& answer) const {
    if (answer.ttl == 0) return 0;
    uint32_t ttl = std::max(answer.ttl, limits.ttl_min_s);
    if (answer.is_negative) ttl = std::min(ttl, limits.negative_ttl_max_s);
    return std::min(ttl, limits.ttl_max_s);
  }

  Fifo& QueueOf(const KeptAnswer& entry) {
    return entry.in_main ? main : small;
  }
  void Clear();
  void Remove(KeptAnswer* entry);
  void Grow();
  void Remember(uint64_t hash);
  [[nodiscard]] bool Remembers(uint64_t hash) const;
  void Evict(uint32_t now_s);
  void EvictFromSmall(uint32_t now_s);
  void EvictFromMain(uint32_t now_s);

  ForwardCacheLimits limits;
  const uint64_t seed;
  std::vector<Slot> slots;    // a power of two, at most three quarters in use
  std::vector<Ghost> ghosts;  // as many
  uint32_t left_count = 0;
  size_t entry_count = 0;
  Fifo small;
  Fifo main;
  uint64_t evictions = 0;
};

void ForwardCache::Impl::Clear() {
  slots = std::vector<Slot>(kSlotsMin);
  ghosts = std::vector<Ghost>(kSlotsMin);
  left_count = 0;
  entry_count = 0;
  small = main = Fifo();
}

void ForwardCache::Impl::Remove(KeptAnswer* entry) {
  size_t hole = SlotOf(*entry);
  QueueOf(*entry).Remove(entry);
  slots[hole].entry.reset();
  --entry_count;
  // Those behind it move up, unless they would pass the slot of their hash.
  for (size_t i = (hole + 1) & mask(); slots[i].entry != nullptr;
       i = (i + 1) & mask()) {
    const size_t home = slots[i].hash & mask();
    if (((i - home) & mask()) < ((i - hole) & mask())) continue;
    slots[hole] = std::move(slots[i]);
    hole = i;
  }
}

void ForwardCache::Impl::Grow() {
  std::vector<Slot> old(slots.size() * 2);
  old.swap(slots);
  for (Slot& slot : old) {
    if (slot.entry == nullptr) continue;
    size_t i = slot.hash & mask();
    while (slots[i].entry != nullptr) i = (i + 1) & mask();
    slots[i] = std::move(slot);
  }
  // Who is forgotten here only begins again in the small queue.
  ghosts = std::vector<Ghost>(slots.size());
}

void ForwardCache::Impl::Remember(uint64_t hash) {
  if (++left_count == 0) left_count = 1;
  ghosts[hash & mask()] = {static_cast<uint32_t>(hash >> 32), left_count};
}

// As many as there are entries, and not those that left long ago.
bool ForwardCache::Impl::Remembers(uint64_t hash) const {
  const Ghost& ghost = ghosts[hash & mask()];
  return ghost.left != 0 && ghost.rest == static_cast<uint32_t>(hash >> 32) &&
         left_count - ghost.left <= entry_count;
}

void ForwardCache::Impl::EvictFromSmall(uint32_t now_s) {
  KeptAnswer* entry = small.oldest;
  if (entry->frequency > 0 && !IsOver(*entry, now_s)) {
    small.Remove(entry);
    entry->in_main = true;
    entry->frequency = 0;
    main.Push(entry);
    return;
  }
  Remember(entry->hash);
  Remove(entry);
  ++evictions;
}

void ForwardCache::Impl::EvictFromMain(uint32_t now_s) {
  KeptAnswer* entry = main.oldest;
  if (entry->frequency > 0 && !IsOver(*entry, now_s)) {
    main.Remove(entry);
    --entry->frequency;
    main.Push(entry);
    return;
  }
  Remove(entry);
  ++evictions;
}

// Ends: every step takes an entry away, a queue further or a hit off.
void ForwardCache::Impl::Evict(uint32_t now_s) {
  while (bytes() > limits.bytes_max && entry_count != 0) {
    if (main.oldest == nullptr ||
        (small.oldest != nullptr && small.bytes > small_bytes_max())) {
      EvictFromSmall(now_s);
    } else {
      EvictFromMain(now_s);
    }
  }
}

ForwardCache::ForwardCache(const ForwardCacheLimits& limits, uint64_t seed)
    : impl_(std::make_unique<Impl>(limits, seed)) {}

ForwardCache::~ForwardCache() = default;

ForwardCache::Hit ForwardCache::Find(const ForwardKey& key, uint32_t now_s) {
  KeptAnswer* entry =
      impl_->slots[impl_->SlotOf(key, impl_->HashOf(key))].entry.get();
  Hit hit;
  if (entry == nullptr || impl_->IsOver(*entry, now_s)) return hit;
  if (entry->frequency < kFrequencyMax) ++entry->frequency;
  if (entry->hits < kDueHits) ++entry->hits;
  hit.answer = &entry->answer;
  hit.age_s = now_s - entry->stored_s;
  hit.is_stale = hit.age_s >= entry->ttl;
  if (!hit.is_stale && !entry->said_due && entry->hits == kDueHits &&
      entry->ttl >= kDueTtlMin &&
      uint64_t{entry->ttl - hit.age_s} * 10 < entry->ttl) {
    hit.is_due = entry->said_due = true;
  }
  return hit;
}

void ForwardCache::Store(const ForwardQuestion& question, UpstreamAnswer answer,
                         uint32_t now_s) {
  const ForwardKey key(question);
  const uint64_t hash = impl_->HashOf(key);
  std::unique_ptr<KeptAnswer>& old =
      impl_->slots[impl_->SlotOf(key, hash)].entry;
  auto entry = std::make_unique<KeptAnswer>();
  entry->ttl = impl_->TtlOf(answer);
  entry->question = question;
  entry->answer = std::move(answer);
  entry->hash = hash;
  entry->stored_s = now_s;
  entry->bytes = BytesOf(*entry);
  if (entry->ttl == 0 || entry->bytes > impl_->small_bytes_max()) {
    if (old != nullptr) impl_->Remove(old.get());
    return;
  }
  if (old != nullptr) {
    // It goes to the end of its queue, with what is known of its use.
    entry->in_main = old->in_main;
    entry->frequency = old->frequency;
    impl_->QueueOf(*old).Remove(old.get());
    old = std::move(entry);
    impl_->QueueOf(*old).Push(old.get());
  } else {
    if ((impl_->entry_count + 1) * 4 > impl_->slots.size() * 3) impl_->Grow();
    entry->in_main = impl_->Remembers(hash);
    impl_->QueueOf(*entry).Push(entry.get());
    Slot& slot = impl_->slots[impl_->SlotOf(key, hash)];
    slot.hash = hash;
    slot.entry = std::move(entry);
    ++impl_->entry_count;
  }
  impl_->Evict(now_s);
}

void ForwardCache::SetLimits(const ForwardCacheLimits& limits, uint32_t now_s) {
  impl_->limits = limits;
  impl_->Evict(now_s);
}

void ForwardCache::Flush() { impl_->Clear(); }

size_t ForwardCache::EraseIf(
    absl::FunctionRef<bool(const ForwardQuestion&)> is_wrong) {
  std::vector<KeptAnswer*> found;
  for (const Slot& slot : impl_->slots) {
    if (slot.entry != nullptr && is_wrong(slot.entry->question)) {
      found.push_back(slot.entry.get());
    }
  }
  for (KeptAnswer* entry : found) impl_->Remove(entry);
  return found.size();
}

void ForwardCache::ForEach(absl::FunctionRef<bool(const Row&)> visit,
                           uint32_t now_s) const {
  for (const Slot& slot : impl_->slots) {
    const KeptAnswer* entry = slot.entry.get();
    if (entry == nullptr || impl_->IsOver(*entry, now_s)) continue;
    const uint32_t age_s = now_s - entry->stored_s;
    const uint32_t left_s = age_s < entry->ttl ? entry->ttl - age_s : 0;
    if (!visit({entry->question, entry->answer, left_s, entry->bytes})) return;
  }
}

ForwardCacheStats ForwardCache::stats() const {
  return {impl_->entry_count, impl_->bytes(), impl_->evictions};
}

}  // namespace dnsd
