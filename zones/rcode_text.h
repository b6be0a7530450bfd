// RCODEs as words: "NXDOMAIN".
//
// Threads: any; pure functions.
#ifndef DNSD_ZONES_RCODE_TEXT_H_
#define DNSD_ZONES_RCODE_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"

namespace dnsd {

// "RCODE11" for those that dnsd never sends.
[[nodiscard]] std::string RcodeText(uint32_t rcode);

// The word, in any letter case; nullopt: it is none that RcodeText() has.
[[nodiscard]] std::optional<uint16_t> RcodeOfWord(absl::string_view word);

}  // namespace dnsd

#endif  // DNSD_ZONES_RCODE_TEXT_H_
