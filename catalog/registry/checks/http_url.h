// The parts of an http or https URL that a check needs, found with libcurl's
// own parser.
//
// Threads: any; no shared state.
// Errors:  "" for what is no URL.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_HTTP_URL_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_HTTP_URL_H_

#include <string>

namespace dnsd {

// "example.com", "::1"
[[nodiscard]] std::string UrlHost(const std::string& url);
// As a Host header has it: "example.com:8080", "[::1]"
[[nodiscard]] std::string UrlHostPort(const std::string& url);
// With the port, always: "example.com:443"
[[nodiscard]] std::string UrlConnectTo(const std::string& url);

[[nodiscard]] std::string UrlWithHost(const std::string& url,
                                      const std::string& host);
[[nodiscard]] std::string UrlWithoutUser(const std::string& url);
// Where `location` leads, seen from `url`.
[[nodiscard]] std::string UrlResolved(const std::string& url,
                                      const std::string& location);

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_HTTP_URL_H_
