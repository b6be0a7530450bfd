// ShrinkGuard holds back a catalog that came back absurdly small: services
// that register anew after a restart of Consul take a while.
//
// Threads: one owner. Time in milliseconds of any clock that does not go back.
#ifndef DNSD_CATALOG_CONSUL_SHRINK_GUARD_H_
#define DNSD_CATALOG_CONSUL_SHRINK_GUARD_H_

#include <cstddef>
#include <cstdint>

namespace dnsd {

class ShrinkGuard {
 public:
  enum class Verdict : uint8_t {
    kTake,       // it is as large as can be expected
    kHold,       // hold it back for left_ms() at most, looking again meanwhile
    kConfirmed,  // it stayed small for as long as the limit says: take it
  };

  // `limit_ms` 0: nothing is held back.
  explicit ShrinkGuard(int64_t limit_ms) : limit_ms_(limit_ms) {}

  Verdict Judge(size_t known, size_t loaded, int64_t now_ms) {
    const bool is_shrunken = loaded * 2 < known;
    if (!is_shrunken || limit_ms_ == 0) {
      held_ = false;
      return Verdict::kTake;
    }
    if (!held_) since_ms_ = now_ms;
    held_ = true;
    left_ms_ = since_ms_ + limit_ms_ - now_ms;
    if (left_ms_ > 0) return Verdict::kHold;
    held_ = false;
    return Verdict::kConfirmed;
  }

  [[nodiscard]] int64_t left_ms() const { return left_ms_; }

 private:
  const int64_t limit_ms_;
  bool held_ = false;
  int64_t since_ms_ = 0;
  int64_t left_ms_ = 0;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_SHRINK_GUARD_H_
