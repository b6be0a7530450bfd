#include "dnsd/sockaddr_template.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace dnsd {
namespace {

bool ParseIpv4(const std::string& ip, uint32_t* host_order) {
  in_addr address;
  if (inet_pton(AF_INET, ip.c_str(), &address) != 1) return false;
  *host_order = ntohl(address.s_addr);
  return true;
}

bool InPrefix(uint32_t address, uint32_t prefix, int bits) {
  return (address >> (32 - bits)) == (prefix >> (32 - bits));
}

bool IsLinkLocal(const std::string& ip) {
  uint32_t v4 = 0;
  if (ParseIpv4(ip, &v4)) return InPrefix(v4, 0xa9fe0000, 16);
  in6_addr v6;
  return inet_pton(AF_INET6, ip.c_str(), &v6) == 1 &&
         IN6_IS_ADDR_LINKLOCAL(&v6);
}

bool IsIpv4(const std::string& ip) {
  uint32_t ignored = 0;
  return ParseIpv4(ip, &ignored);
}

// The first address that `wanted` accepts, IPv4 before IPv6, or empty.
template <typename Wanted>
std::string FirstIp(const std::vector<InterfaceAddress>& addresses,
                    Wanted wanted) {
  std::string first_v6;
  for (const InterfaceAddress& address : addresses) {
    if (!wanted(address)) continue;
    if (IsIpv4(address.ip)) return address.ip;
    if (first_v6.empty()) first_v6 = address.ip;
  }
  return first_v6;
}

absl::StatusOr<std::string> Evaluate(
    absl::string_view body, const std::vector<InterfaceAddress>& addresses) {
  const absl::string_view expression = absl::StripAsciiWhitespace(body);
  const std::string shown = absl::StrCat("{{ ", expression, " }}");
  const std::vector<std::string> words =
      absl::StrSplit(expression, ' ', absl::SkipEmpty());
  std::string ip;
  if (words.size() == 1 && words[0] == "GetPrivateIP") {
    ip = FirstIp(addresses, [](const InterfaceAddress& a) {
      return !a.loopback && IsPrivateIp(a.ip);
    });
  } else if (words.size() == 1 && words[0] == "GetPublicIP") {
    ip = FirstIp(addresses, [](const InterfaceAddress& a) {
      return !a.loopback && !IsPrivateIp(a.ip);
    });
  } else if (words.size() == 2 && words[0] == "GetInterfaceIP") {
    absl::string_view name = words[1];
    if (!absl::ConsumePrefix(&name, "\"") ||
        !absl::ConsumeSuffix(&name, "\"")) {
      return absl::InvalidArgumentError(
          absl::StrCat(shown, ": the interface must be in quotes"));
    }
    ip = FirstIp(addresses, [name](const InterfaceAddress& a) {
      return a.interface == name;
    });
  } else {
    return absl::InvalidArgumentError(absl::StrCat(
        "unsupported template ", shown,
        ", use GetPrivateIP, GetPublicIP or GetInterfaceIP \"name\""));
  }
  if (ip.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(shown, " finds no address on this machine"));
  }
  return ip;
}

}  // namespace

std::vector<InterfaceAddress> ListInterfaceAddresses() {
  std::vector<InterfaceAddress> addresses;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return addresses;
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list,
                                                               &freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) {
      continue;
    }
    const void* bytes = nullptr;
    const int family = entry->ifa_addr->sa_family;
    if (family == AF_INET) {
      bytes = &reinterpret_cast<const sockaddr_in*>(entry->ifa_addr)->sin_addr;
    } else if (family == AF_INET6) {
      bytes =
          &reinterpret_cast<const sockaddr_in6*>(entry->ifa_addr)->sin6_addr;
    } else {
      continue;
    }
    char text[INET6_ADDRSTRLEN];
    if (inet_ntop(family, bytes, text, sizeof(text)) == nullptr ||
        IsLinkLocal(text)) {
      continue;
    }
    addresses.push_back(
        {entry->ifa_name, text, (entry->ifa_flags & IFF_LOOPBACK) != 0});
  }
  return addresses;
}

bool IsPrivateIp(const std::string& ip) {
  uint32_t v4 = 0;
  if (ParseIpv4(ip, &v4)) {
    return InPrefix(v4, 0x0a000000, 8) || InPrefix(v4, 0xac100000, 12) ||
           InPrefix(v4, 0xc0a80000, 16) || InPrefix(v4, 0x64400000, 10);
  }
  in6_addr v6;
  return inet_pton(AF_INET6, ip.c_str(), &v6) == 1 &&
         (v6.s6_addr[0] & 0xfe) == 0xfc;
}

absl::StatusOr<std::string> ExpandAddressTemplate(
    const std::string& text, const std::vector<InterfaceAddress>& addresses) {
  std::string expanded;
  absl::string_view rest = text;
  while (true) {
    const size_t begin = rest.find("{{");
    if (begin == absl::string_view::npos) break;
    absl::StrAppend(&expanded, rest.substr(0, begin));
    rest.remove_prefix(begin + 2);
    const size_t end = rest.find("}}");
    if (end == absl::string_view::npos) {
      return absl::InvalidArgumentError("\"{{\" without \"}}\"");
    }
    absl::StatusOr<std::string> ip = Evaluate(rest.substr(0, end), addresses);
    if (!ip.ok()) return ip.status();
    absl::StrAppend(&expanded, *ip);
    rest.remove_prefix(end + 2);
  }
  absl::StrAppend(&expanded, rest);
  return expanded;
}

std::string DefaultNodeIp(const std::vector<InterfaceAddress>& addresses) {
  std::string other;
  for (const InterfaceAddress& address : addresses) {
    if (address.loopback || !IsIpv4(address.ip)) continue;
    if (IsPrivateIp(address.ip)) return address.ip;
    if (other.empty()) other = address.ip;
  }
  return other.empty() ? "127.0.0.1" : other;
}

}  // namespace dnsd
