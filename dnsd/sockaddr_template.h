// ExpandAddressTemplate replaces go-sockaddr templates in an address setting:
// {{ GetPrivateIP }}, {{ GetPublicIP }} and {{ GetInterfaceIP "eth0" }}.
//
// Threads: any; ListInterfaceAddresses() asks the kernel (getifaddrs).
// Errors:  kInvalidArgument naming the template that is not understood or
//          finds no address. No interface counts as up when it is down.
#ifndef DNSD_DNSD_SOCKADDR_TEMPLATE_H_
#define DNSD_DNSD_SOCKADDR_TEMPLATE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace dnsd {

struct InterfaceAddress {
  std::string interface;
  std::string ip;  // as inet_ntop writes it
  bool loopback = false;
};

// Addresses of interfaces that are up, in the kernel's order; link-local ones
// are left out, because they cannot be used without a zone.
[[nodiscard]] std::vector<InterfaceAddress> ListInterfaceAddresses();

// RFC 1918, RFC 6598 (100.64/10) and RFC 4193 (fc00::/7).
[[nodiscard]] bool IsPrivateIp(const std::string& ip);

[[nodiscard]] absl::StatusOr<std::string> ExpandAddressTemplate(
    const std::string& text, const std::vector<InterfaceAddress>& addresses);

// What a node is known by when nothing is configured: the first private IPv4,
// else the first other IPv4 that is not loopback, else 127.0.0.1.
[[nodiscard]] std::string DefaultNodeIp(
    const std::vector<InterfaceAddress>& addresses);

}  // namespace dnsd

#endif  // DNSD_DNSD_SOCKADDR_TEMPLATE_H_
