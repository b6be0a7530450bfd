// Go's duration text; the rules of time.ParseDuration.
#include <cstddef>
#include <cstdint>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "catalog/registry/definition.h"

namespace dnsd {
namespace {

// One more than the largest duration: "-9223372036854775808ns" is one.
constexpr uint64_t kMagnitudeMax = uint64_t{1} << 63;

struct Unit {
  const char* name;
  uint64_t nanoseconds;
};

// Longer names first, so that "ms" is not read as "m".
constexpr Unit kUnits[] = {
    {"ns", 1},
    {"us", 1'000},
    {"\xc2\xb5s", 1'000},  // U+00B5, the micro sign
    {"\xce\xbcs", 1'000},  // U+03BC, the letter mu
    {"ms", 1'000'000},
    {"s", 1'000'000'000},
    {"m", 60'000'000'000},
    {"h", 3'600'000'000'000},
};

bool IsDigit(absl::string_view text, size_t at) {
  return at < text.size() &&
         absl::ascii_isdigit(static_cast<unsigned char>(text[at]));
}

// Reads "1.5h" from the front of `text` and adds it to `total`.
bool ReadPart(absl::string_view* text, uint64_t* total) {
  size_t at = 0;
  uint64_t whole = 0;
  for (; IsDigit(*text, at); ++at) {
    if (whole > kMagnitudeMax / 10) return false;
    whole = whole * 10 + static_cast<uint64_t>((*text)[at] - '0');
    if (whole > kMagnitudeMax) return false;
  }
  bool any_digit = at > 0;
  double fraction = 0;
  if (at < text->size() && (*text)[at] == '.') {
    double scale = 1;
    for (++at; IsDigit(*text, at); ++at) {
      any_digit = true;
      scale /= 10;
      fraction += scale * ((*text)[at] - '0');
    }
  }
  if (!any_digit) return false;
  text->remove_prefix(at);
  for (const Unit& unit : kUnits) {
    const absl::string_view name = unit.name;
    if (text->substr(0, name.size()) != name) continue;
    text->remove_prefix(name.size());
    if (whole > kMagnitudeMax / unit.nanoseconds) return false;
    uint64_t part = whole * unit.nanoseconds;
    // Half a nanosecond mends decimal digits that binary cannot hold.
    part += static_cast<uint64_t>(
        fraction * static_cast<double>(unit.nanoseconds) + 0.5e-3);
    if (part > kMagnitudeMax || *total > kMagnitudeMax - part) return false;
    *total += part;
    return true;
  }
  return false;
}

}  // namespace

bool ParseGoDuration(const std::string& text,
                     std::chrono::nanoseconds* duration) {
  int64_t integer = 0;
  // SimpleAtoi() would forgive spaces.
  if (!text.empty() &&
      !absl::ascii_isspace(static_cast<unsigned char>(text.front())) &&
      !absl::ascii_isspace(static_cast<unsigned char>(text.back())) &&
      absl::SimpleAtoi(text, &integer)) {
    *duration = std::chrono::nanoseconds(integer);
    return true;
  }
  absl::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (rest.empty()) return false;
  uint64_t total = 0;
  while (!rest.empty()) {
    if (!ReadPart(&rest, &total)) return false;
  }
  if (total == kMagnitudeMax) {
    if (!negative) return false;
    *duration = std::chrono::nanoseconds(std::numeric_limits<int64_t>::min());
    return true;
  }
  const auto magnitude = static_cast<int64_t>(total);
  *duration = std::chrono::nanoseconds(negative ? -magnitude : magnitude);
  return true;
}

}  // namespace dnsd
