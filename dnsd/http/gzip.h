// Gzip compresses an answer (RFC 1952), by zlib at its fastest level: rows of
// JSON resemble each other so much that others gain little.
//
// Threads: any; no shared state.
// Cost:    some 150 MB of JSON a second, in one go.
#ifndef DNSD_DNSD_HTTP_GZIP_H_
#define DNSD_DNSD_HTTP_GZIP_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "dnsd/http/http_message.h"

namespace dnsd {

// Below it compression gains nothing: the answer is one packet anyway. Consul
// compresses two bytes to 27.
inline constexpr size_t kGzipBytesMin = 1024;

[[nodiscard]] std::string Gzip(absl::string_view text);

// The quality that Accept-Encoding gives to gzip is not zero.
[[nodiscard]] bool TakesGzip(const HttpRequest& request);

// Compresses the body where that gains something and nobody has done it.
void GzipBody(HttpResponse* response);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_GZIP_H_
