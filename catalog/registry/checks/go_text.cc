#include "catalog/registry/checks/go_text.h"

#include <cstdint>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace dnsd {
namespace {

// `count` thousandths, millionths or billionths of `unit`, without zeros at
// the end.
std::string Fraction(int64_t whole, int64_t rest, int digits,
                     const char* unit) {
  std::string text = absl::StrCat(whole);
  if (rest > 0) {
    std::string decimals = absl::StrFormat("%0*d", digits, rest);
    while (decimals.back() == '0') decimals.pop_back();
    absl::StrAppend(&text, ".", decimals);
  }
  return absl::StrCat(text, unit);
}

}  // namespace

std::string GoDuration(std::chrono::nanoseconds duration) {
  const int64_t ns = duration.count();
  if (ns == 0) return "0s";
  if (ns < 0) return absl::StrCat("-", GoDuration(-duration));
  if (ns < 1'000) return absl::StrCat(ns, "ns");
  if (ns < 1'000'000) return Fraction(ns / 1'000, ns % 1'000, 3, "µs");
  if (ns < 1'000'000'000) {
    return Fraction(ns / 1'000'000, ns % 1'000'000, 6, "ms");
  }
  const int64_t minute = 60'000'000'000;
  std::string text;
  if (ns >= 60 * minute) absl::StrAppend(&text, ns / (60 * minute), "h");
  if (ns >= minute) absl::StrAppend(&text, ns / minute % 60, "m");
  const int64_t below = ns % minute;
  return absl::StrCat(
      text, Fraction(below / 1'000'000'000, below % 1'000'000'000, 9, "s"));
}

std::string GoErrno(int error) {
  std::string buffer(256, '\0');
  // GNU's: it may return a text of its own instead of filling the buffer.
  std::string text = strerror_r(error, buffer.data(), buffer.size());
  if (text.size() > 1 && absl::ascii_isupper(static_cast<uint8_t>(text[0])) &&
      !absl::ascii_isupper(static_cast<uint8_t>(text[1]))) {
    text[0] = absl::ascii_tolower(static_cast<uint8_t>(text[0]));
  }
  return text;
}

std::string JoinHostPort(absl::string_view host, absl::string_view port) {
  if (host.find(':') != host.npos) return absl::StrCat("[", host, "]:", port);
  return absl::StrCat(host, ":", port);
}

std::string SplitHostPort(absl::string_view address, std::string* host,
                          std::string* port) {
  const auto error = [&](absl::string_view why) {
    return absl::StrCat("address ", address, ": ", why);
  };
  const size_t colon = address.rfind(':');
  if (colon == address.npos) return error("missing port in address");
  if (!address.empty() && address[0] == '[') {
    const size_t end = address.find(']');
    if (end == address.npos) return error("missing ']' in address");
    if (end + 1 == address.size()) return error("missing port in address");
    if (end + 1 != colon) {
      return error(address[end + 1] == ':' ? "too many colons in address"
                                           : "missing port in address");
    }
    *host = std::string(address.substr(1, end - 1));
  } else {
    *host = std::string(address.substr(0, colon));
    if (host->find(':') != std::string::npos) {
      return error("too many colons in address");
    }
  }
  *port = std::string(address.substr(colon + 1));
  return "";
}

}  // namespace dnsd
