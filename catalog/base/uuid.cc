#include "catalog/base/uuid.h"

#include <sys/random.h>

#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "catalog/base/check.h"

namespace dnsd {

std::string NewUuid() {
  std::array<char, 16> bytes;
  const ssize_t got = getrandom(bytes.data(), bytes.size(), 0);
  DNSD_CHECK(got == static_cast<ssize_t>(bytes.size()));
  const std::string hex =
      absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
  return absl::StrCat(hex.substr(0, 8), "-", hex.substr(8, 4), "-",
                      hex.substr(12, 4), "-", hex.substr(16, 4), "-",
                      hex.substr(20));
}

}  // namespace dnsd
