// The parts of a URL that a server handles: escapes, paths, query parameters.
//
// Threads: any; no shared state.
// Errors:  nullopt for a broken escape ("%4", "%zz").
#ifndef DNSD_DNSD_HTTP_URL_H_
#define DNSD_DNSD_HTTP_URL_H_

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace dnsd {

// A request target split as HttpRequest has it. Takes "/path?query", "*" and
// "http://host/path?query".
struct UrlTarget {
  std::string path;   // percent-decoded
  std::string query;  // raw, without '?'
};
[[nodiscard]] std::optional<UrlTarget> ParseTarget(absl::string_view target);

// "%2F" becomes "/"; with `plus_is_space`, as in a query, "+" becomes " ".
[[nodiscard]] std::optional<std::string> PercentDecode(absl::string_view text,
                                                       bool plus_is_space);

// Escapes what may not stand in a URL's path. The result has no line ends.
[[nodiscard]] std::string EscapePath(absl::string_view path);

// Resolves "." and "..", joins repeated slashes, and keeps a final slash.
[[nodiscard]] std::string CleanPath(absl::string_view path);

// The first value of a query parameter, decoded; empty for "?name" alone and
// nullopt when it is missing. Pairs with broken escapes are skipped, as Go
// does.
[[nodiscard]] std::optional<std::string> QueryValue(absl::string_view query,
                                                    absl::string_view name);

// All parameters, decoded, in order; broken ones are skipped as above.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> QueryPairs(
    absl::string_view query);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_URL_H_
