// OutputTail keeps the last bytes of what a check's target says, and counts
// all of them: an endless writer costs no memory.
//
// Threads: one owner.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_OUTPUT_TAIL_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_OUTPUT_TAIL_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace dnsd {

class OutputTail {
 public:
  explicit OutputTail(size_t bytes_max) : bytes_max_(bytes_max) {}

  void Append(absl::string_view bytes);
  [[nodiscard]] uint64_t total_bytes() const { return total_bytes_; }

  // What is kept.
  [[nodiscard]] std::string Tail() const;
  // The same, and how much is missing, in Consul's words for scripts.
  [[nodiscard]] std::string TailWithNote() const;

 private:
  const size_t bytes_max_;
  uint64_t total_bytes_ = 0;
  std::string kept_;  // at most twice bytes_max_
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_OUTPUT_TAIL_H_
