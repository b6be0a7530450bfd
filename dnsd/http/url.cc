#include "dnsd/http/url.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace dnsd {
namespace {

// -1 for what is no hexadecimal digit.
int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> PercentDecode(absl::string_view text,
                                         bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (text.size() - i < 3) return std::nullopt;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

std::optional<UrlTarget> ParseTarget(absl::string_view target) {
  if (target.empty()) return std::nullopt;
  if (target[0] != '/' && target != "*") {
    // RFC 9112 3.2.2: a server must take the absolute form too.
    const size_t scheme_end = target.find("://");
    if (scheme_end == absl::string_view::npos) return std::nullopt;
    target.remove_prefix(scheme_end + 3);
    const size_t authority_end = target.find_first_of("/?");
    if (authority_end == 0 || target.empty()) return std::nullopt;
    target.remove_prefix(std::min(authority_end, target.size()));
  }
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(target, absl::MaxSplits('?', 1));
  std::optional<std::string> path = PercentDecode(parts.first, false);
  if (!path) return std::nullopt;
  if (path->empty()) path->push_back('/');
  return UrlTarget{*std::move(path), std::string(parts.second)};
}

std::string EscapePath(absl::string_view path) {
  static constexpr absl::string_view kSafe = "-_.~$&+,/:;=@";
  static constexpr absl::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || kSafe.find(c) != kSafe.npos) {
      out.push_back(c);
    } else {
      out.push_back('%');
      out.push_back(kHex[byte >> 4]);
      out.push_back(kHex[byte & 15]);
    }
  }
  return out;
}

std::string CleanPath(absl::string_view path) {
  std::vector<absl::string_view> segments;
  for (const absl::string_view segment : absl::StrSplit(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment == "..") {
      if (!segments.empty()) segments.pop_back();
    } else {
      segments.push_back(segment);
    }
  }
  if (segments.empty()) return "/";
  const absl::string_view end = !path.empty() && path.back() == '/' ? "/" : "";
  return absl::StrCat("/", absl::StrJoin(segments, "/"), end);
}

std::vector<std::pair<std::string, std::string>> QueryPairs(
    absl::string_view query) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const absl::string_view pair : absl::StrSplit(query, '&')) {
    if (pair.empty()) continue;
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(pair, absl::MaxSplits('=', 1));
    std::optional<std::string> name = PercentDecode(parts.first, true);
    std::optional<std::string> value = PercentDecode(parts.second, true);
    if (name && value) pairs.emplace_back(*std::move(name), *std::move(value));
  }
  return pairs;
}

std::optional<std::string> QueryValue(absl::string_view query,
                                      absl::string_view name) {
  for (auto& [key, value] : QueryPairs(query)) {
    if (key == name) return std::move(value);
  }
  return std::nullopt;
}

}  // namespace dnsd
