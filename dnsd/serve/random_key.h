// RandomKey() is a key that nobody can guess.
//
// Threads: any.
// Errors:  none; the kernel's generator does not fail once it is seeded.
#ifndef DNSD_DNSD_SERVE_RANDOM_KEY_H_
#define DNSD_DNSD_SERVE_RANDOM_KEY_H_

#include <cstdint>
#include <cstring>

#include "catalog/base/uuid.h"
#include "zones/siphash.h"

namespace dnsd {

[[nodiscard]] inline SipKey RandomKey() {
  SipKey key;
  for (uint8_t* half : {key.bytes, key.bytes + sizeof(uint64_t)}) {
    const uint64_t random = RandomSeed();
    std::memcpy(half, &random, sizeof(random));
  }
  return key;
}

}  // namespace dnsd

#endif  // DNSD_DNSD_SERVE_RANDOM_KEY_H_
