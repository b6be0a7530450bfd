// Gzip compresses an answer (RFC 1952), by zlib at its fastest level: rows of
// JSON resemble each other so much that others gain little.
//
// Threads: any; no shared state.
// Cost:    some 150 MB of JSON a second, in one go.
#ifndef DNSD_DNSD_HTTP_GZIP_H_
#define DNSD_DNSD_HTTP_GZIP_H_

#include <string>

#include "absl/strings/string_view.h"

namespace dnsd {

[[nodiscard]] std::string Gzip(absl::string_view text);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_GZIP_H_
