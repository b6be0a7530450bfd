#include "catalog/registry/checks/output_tail.h"

#include "absl/strings/str_cat.h"

namespace dnsd {

void OutputTail::Append(absl::string_view bytes) {
  total_bytes_ += bytes.size();
  if (bytes.size() >= bytes_max_) {
    kept_.assign(bytes.data() + bytes.size() - bytes_max_, bytes_max_);
    return;
  }
  if (kept_.size() + bytes.size() > 2 * bytes_max_) {
    kept_.erase(0, kept_.size() - bytes_max_);
  }
  kept_.append(bytes.data(), bytes.size());
}

std::string OutputTail::Tail() const {
  return kept_.size() <= bytes_max_ ? kept_
                                    : kept_.substr(kept_.size() - bytes_max_);
}

std::string OutputTail::TailWithNote() const {
  if (total_bytes_ <= bytes_max_) return kept_;
  return absl::StrCat("Captured ", bytes_max_, " of ", total_bytes_,
                      " bytes\n...\n", Tail());
}

}  // namespace dnsd
