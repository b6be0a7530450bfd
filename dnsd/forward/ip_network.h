// IpNetwork is a range of addresses: "10.0.0.0/8", "fc00::/7", "192.0.2.1".
//
// Threads: a value.
// Errors:  Parse() gives nothing for what is none; bits behind the prefix do
//          not matter.
#ifndef DNSD_DNSD_FORWARD_IP_NETWORK_H_
#define DNSD_DNSD_FORWARD_IP_NETWORK_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dnsd/socket_address.h"

namespace dnsd {

class IpNetwork {
 public:
  [[nodiscard]] static std::optional<IpNetwork> Parse(const std::string& text);

  [[nodiscard]] bool Contains(const SocketAddress& address) const;
  bool operator==(const IpNetwork&) const = default;

 private:
  bool is_v6_ = false;
  uint8_t bits_ = 0;
  std::array<uint8_t, 16> bytes_{};
};

[[nodiscard]] inline bool AnyContains(const std::vector<IpNetwork>& networks,
                                      const SocketAddress& address) {
  return std::any_of(
      networks.begin(), networks.end(),
      [&](const IpNetwork& network) { return network.Contains(address); });
}

// Who may ask for other people's names when the configuration does not say:
// this machine, private networks (RFC 1918, RFC 4193), link-local ones, and
// the shared space of carriers and clouds (RFC 6598).
[[nodiscard]] std::vector<IpNetwork> DefaultRecursionAllow();

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_IP_NETWORK_H_
