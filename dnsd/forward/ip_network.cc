#include "dnsd/forward/ip_network.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace dnsd {

std::optional<IpNetwork> IpNetwork::Parse(const std::string& text) {
  IpNetwork network;
  const size_t slash = text.find('/');
  const std::string ip = text.substr(0, slash);
  network.is_v6_ = ip.find(':') != std::string::npos;
  const int family = network.is_v6_ ? AF_INET6 : AF_INET;
  if (inet_pton(family, ip.c_str(), network.bytes_.data()) != 1) {
    return std::nullopt;
  }
  const uint32_t bits_max = network.is_v6_ ? 128 : 32;
  uint32_t bits = bits_max;
  if (slash != std::string::npos) {
    const std::string prefix = text.substr(slash + 1);
    // SimpleAtoi() takes signs and spaces too.
    if (!std::all_of(prefix.begin(), prefix.end(), absl::ascii_isdigit) ||
        !absl::SimpleAtoi(prefix, &bits) || bits > bits_max) {
      return std::nullopt;
    }
  }
  network.bits_ = static_cast<uint8_t>(bits);
  return network;
}

bool IpNetwork::Contains(const SocketAddress& address) const {
  if (address.is_v6() != is_v6_) return false;
  std::array<uint8_t, 16> bytes{};
  if (is_v6_) {
    std::memcpy(bytes.data(), &address.v6.sin6_addr, 16);
  } else {
    std::memcpy(bytes.data(), &address.v4.sin_addr, 4);
  }
  const size_t whole = bits_ / 8;
  if (std::memcmp(bytes.data(), bytes_.data(), whole) != 0) return false;
  if (bits_ % 8 == 0) return true;
  const int shift = 8 - bits_ % 8;
  return bytes[whole] >> shift == bytes_[whole] >> shift;
}

std::vector<IpNetwork> DefaultRecursionAllow() {
  std::vector<IpNetwork> networks;
  for (const char* text : {"127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12",
                           "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10",
                           "::1/128", "fc00::/7", "fe80::/10"}) {
    networks.push_back(*IpNetwork::Parse(text));
  }
  return networks;
}

}  // namespace dnsd
