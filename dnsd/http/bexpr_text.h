// Go's texts in filter expressions: how strconv quotes, unquotes and reads
// numbers, which is what values mean and what errors show.
//
// Threads: any; no shared state.
// Limits:  GoQuote() escapes the usual invisible code points of Unicode, not
//          Go's whole table of those that are not printable.
#ifndef DNSD_DNSD_HTTP_BEXPR_TEXT_H_
#define DNSD_DNSD_HTTP_BEXPR_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dnsd {

// One code point of UTF-8. `size` is 0 at the end of the text, and `rune` is
// kRuneError with `size` 1 for a byte that is not UTF-8.
inline constexpr uint32_t kRuneError = 0xFFFD;
struct Rune {
  uint32_t rune = kRuneError;
  size_t size = 0;
};
[[nodiscard]] Rune DecodeRune(absl::string_view text);
void AppendRune(uint32_t rune, std::string* out);

// As Go's %q.
[[nodiscard]] std::string GoQuote(absl::string_view text);

// What the literal stands for, given with its "" or ``; nothing when Go would
// refuse it.
[[nodiscard]] std::optional<std::string> GoUnquote(absl::string_view literal);

// strconv.ParseInt(text, 0, 64): "10", "-0x1f", "0o17", "017", "0b1", "1_000".
// Errors: kInvalidArgument with Go's text.
[[nodiscard]] absl::StatusOr<int64_t> GoParseInt(absl::string_view text);

// strconv.ParseBool. Errors: kInvalidArgument with Go's text.
[[nodiscard]] absl::StatusOr<bool> GoParseBool(absl::string_view text);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_BEXPR_TEXT_H_
