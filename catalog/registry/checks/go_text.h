// Texts as Go's standard library writes them: what Consul's users and their
// scripts know from the output of checks.
//
// Threads: any; no shared state.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_GO_TEXT_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_GO_TEXT_H_

#include <chrono>
#include <string>

#include "absl/strings/string_view.h"

namespace dnsd {

// "1.5s", "300ms", "1m30s", "0s".
[[nodiscard]] std::string GoDuration(std::chrono::nanoseconds duration);

// ECONNREFUSED: "connection refused". Linux has these texts in lower case
// with Go.
[[nodiscard]] std::string GoErrno(int error);

// "127.0.0.1:80", "[::1]:80".
[[nodiscard]] std::string JoinHostPort(absl::string_view host,
                                       absl::string_view port);

// Splits "host:port" as net.SplitHostPort does. The error is Go's, else "".
[[nodiscard]] std::string SplitHostPort(absl::string_view address,
                                        std::string* host, std::string* port);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_GO_TEXT_H_
