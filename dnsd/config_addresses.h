// The part of the configuration that is addresses: what the node is known
// by, where we listen, and how others' are written.
//
// Threads: one; asks the kernel for the interfaces' addresses.
// Errors:  go to Problems with the place of the setting and the value.
#ifndef DNSD_DNSD_CONFIG_ADDRESSES_H_
#define DNSD_DNSD_CONFIG_ADDRESSES_H_

#include <optional>
#include <string>
#include <vector>

#include "catalog/base/problems.h"
#include "dnsd/config.h"
#include "dnsd/config_settings.h"

namespace dnsd {

// Fills config->dns_listen, http_listen, https_listen and the node's addresses.
void ResolveAddresses(const Settings& settings, Config* config,
                      Problems* problems);

// The addresses of resolvers to ask, each once: none of ours, which must be
// resolved. Messages call one a `noun`.
[[nodiscard]] std::vector<UpstreamConfig> ReadUpstreams(
    const std::vector<PlacedText>& written, const char* noun,
    const Settings& settings, const Config& config, Problems* problems);

// Of resolvers, where no other is written.
inline constexpr uint16_t kUpstreamPort = 53;

// "8.8.8.8", "8.8.8.8:54", "::1", "[::1]" or "[::1]:54".
[[nodiscard]] std::optional<Endpoint> ParseEndpoint(const std::string& text,
                                                    uint16_t port_otherwise);
// A list of networks like 10.0.0.0/8; those that are none are left out.
[[nodiscard]] std::vector<IpNetwork> ReadNetworks(const Setting& setting,
                                                  Problems* problems);
// The canonical text of an IP address, with or without brackets.
[[nodiscard]] std::optional<std::string> ParseIp(std::string text);
// 0.0.0.0 or ::.
[[nodiscard]] bool IsWildcardIp(const std::string& ip);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_ADDRESSES_H_
