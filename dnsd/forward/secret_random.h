// SecretRandom gives bits that nobody can guess from earlier ones: ids and
// letter cases of queries to upstreams (RFC 5452 section 9.2).
//
// Threads: one owner.
// Errors:  none; the kernel's generator does not fail once it is seeded.
// Cost:    one getrandom() for 512 bytes.
#ifndef DNSD_DNSD_FORWARD_SECRET_RANDOM_H_
#define DNSD_DNSD_FORWARD_SECRET_RANDOM_H_

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "catalog/base/check.h"

namespace dnsd {

class SecretRandom {
 public:
  [[nodiscard]] uint64_t Next64() { return Take<uint64_t>(); }
  [[nodiscard]] uint16_t Next16() { return Take<uint16_t>(); }
  // In [0, bound), bound > 0; biased by less than 2^-32.
  [[nodiscard]] uint32_t Below(uint32_t bound) {
    return static_cast<uint32_t>(
        (static_cast<uint64_t>(Take<uint32_t>()) * bound) >> 32);
  }

 private:
  template <typename T>
  T Take() {
    if (left_ < sizeof(T)) {
      // Up to 256 bytes are never cut short; here a signal could.
      size_t have = 0;
      while (have < bytes_.size()) {
        const ssize_t got =
            getrandom(bytes_.data() + have, bytes_.size() - have, 0);
        DNSD_CHECK(got > 0 || errno == EINTR);
        if (got > 0) have += static_cast<size_t>(got);
      }
      left_ = bytes_.size();
    }
    left_ -= sizeof(T);
    T value;
    std::memcpy(&value, bytes_.data() + left_, sizeof(T));
    return value;
  }

  std::array<uint8_t, 512> bytes_{};
  size_t left_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_SECRET_RANDOM_H_
