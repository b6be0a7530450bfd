#include "dnsd/cli/printable.h"

#include "absl/strings/str_format.h"

namespace dnsd {

std::string Printable(absl::string_view text) {
  std::string printable;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      printable.push_back(c);
    } else {
      absl::StrAppendFormat(&printable, "\\x%02x", byte);
    }
  }
  return printable;
}

}  // namespace dnsd
