#include "zones/entry.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <memory>

namespace dnsd {

void Entry::Free(const Entry* entry) {
  // Made by EntryBuilder::Finish() as an array of words.
  std::unique_ptr<const uint64_t[]>(reinterpret_cast<const uint64_t*>(entry));
}

uint64_t EntryHash(uint64_t seed, EntryKind kind, uint8_t dc,
                   std::span<const uint8_t> key) {
  uint64_t mixed = seed + ((static_cast<uint64_t>(kind) << 8) | dc);
  return XXH3_64bits_withSeed(key.data(), key.size(), mixed);
}

uint32_t TagHash(std::span<const uint8_t> tag) {
  return static_cast<uint32_t>(XXH3_64bits(tag.data(), tag.size()));
}

}  // namespace dnsd
