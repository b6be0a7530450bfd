#include "zones/rcode_text.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "zones/wire.h"

namespace dnsd {
namespace {

struct RcodeWord {
  const char* word;
  Rcode rcode;
};

constexpr RcodeWord kWords[] = {
    {"NOERROR", kNoError},   {"FORMERR", kFormErr}, {"SERVFAIL", kServFail},
    {"NXDOMAIN", kNxDomain}, {"NOTIMP", kNotImp},   {"REFUSED", kRefused},
    {"NOTAUTH", kNotAuth},   {"BADVERS", kBadVers}, {"BADCOOKIE", kBadCookie},
};

}  // namespace

std::string RcodeText(uint32_t rcode) {
  for (const RcodeWord& known : kWords) {
    if (known.rcode == rcode) return known.word;
  }
  return absl::StrCat("RCODE", rcode);
}

std::optional<uint16_t> RcodeOfWord(absl::string_view word) {
  for (const RcodeWord& known : kWords) {
    if (absl::EqualsIgnoreCase(known.word, word)) return known.rcode;
  }
  return std::nullopt;
}

}  // namespace dnsd
