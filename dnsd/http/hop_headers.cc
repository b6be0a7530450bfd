#include "dnsd/http/hop_headers.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace dnsd {

HttpHeaders EndToEndHeaders(const HttpHeaders& headers) {
  std::vector<std::string> of_hop = {"connection", "keep-alive",
                                     "te",         "trailer",
                                     "upgrade",    "transfer-encoding"};
  for (const auto& [name, value] : headers) {
    if (name != "connection") continue;
    for (const absl::string_view option : absl::StrSplit(value, ',')) {
      of_hop.push_back(
          absl::AsciiStrToLower(absl::StripAsciiWhitespace(option)));
    }
  }
  HttpHeaders kept;
  for (const auto& header : headers) {
    if (absl::StartsWith(header.first, "proxy-") ||
        std::find(of_hop.begin(), of_hop.end(), header.first) != of_hop.end()) {
      continue;
    }
    kept.push_back(header);
  }
  return kept;
}

std::string GoHeaderName(absl::string_view name) {
  std::string spelled(name);
  bool first = true;
  for (char& c : spelled) {
    const auto byte = static_cast<unsigned char>(c);
    c = first ? absl::ascii_toupper(byte) : absl::ascii_tolower(byte);
    first = c == '-';
  }
  return spelled;
}

std::string JoinedHeader(const HttpHeaders& headers, absl::string_view name) {
  std::string joined;
  for (const auto& header : headers) {
    if (header.first != name || header.second.empty()) continue;
    absl::StrAppend(&joined, joined.empty() ? "" : ", ", header.second);
  }
  return joined;
}

}  // namespace dnsd
