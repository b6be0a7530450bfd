// What a proxy does to headers: those of one hop are not passed on.
//
// Threads: any; no shared state.
#ifndef DNSD_DNSD_HTTP_HOP_HEADERS_H_
#define DNSD_DNSD_HTTP_HOP_HEADERS_H_

#include <string>

#include "absl/strings/string_view.h"
#include "catalog/base/http_fetch.h"

namespace dnsd {

// The headers that are meant for who is at the other end (RFC 9110 7.6.1):
// without Connection and those it names, Keep-Alive, Proxy-..., TE, Trailer,
// Transfer-Encoding, Upgrade. Names must be in lower case, and are.
[[nodiscard]] HttpHeaders EndToEndHeaders(const HttpHeaders& headers);

// "x-consul-index" as Go, and so Consul, spells it: "X-Consul-Index".
[[nodiscard]] std::string GoHeaderName(absl::string_view name);

// All values of a header (lower case) as one list; empty without any.
[[nodiscard]] std::string JoinedHeader(const HttpHeaders& headers,
                                       absl::string_view name);

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_HOP_HEADERS_H_
