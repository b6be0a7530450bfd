#include "dnsd/config_addresses.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "catalog/registry/fields.h"
#include "catalog/types.h"
#include "dnsd/sockaddr_template.h"
#include "zones/name.h"

namespace dnsd {
namespace {

constexpr int kDnsPort = 8600;
constexpr int kHttpPort = 8500;
constexpr int kHttpsPort = -1;              // off, as for Consul
constexpr uint16_t kUpstreamTlsPort = 853;  // RFC 7858 section 3.1
constexpr absl::string_view kTlsScheme = "tls://";

bool IsIpv6(const std::string& ip) { return absl::StrContains(ip, ":"); }

class AddressReader {
 public:
  AddressReader(const Settings& settings, Problems* problems)
      : settings_(settings),
        problems_(problems),
        interfaces_(ListInterfaceAddresses()) {}

  [[nodiscard]] const std::vector<InterfaceAddress>& interfaces() const {
    return interfaces_;
  }

  // Templates replaced, split at spaces.
  std::vector<std::string> Words(const PlacedText& setting) {
    const absl::StatusOr<std::string> text =
        ExpandAddressTemplate(setting.text, interfaces_);
    if (!text.ok()) {
      problems_->Error(setting.place, text.status().message());
      return {};
    }
    return absl::StrSplit(*text, ' ', absl::SkipEmpty());
  }

  // The addresses of a setting, each once; `given` tells "none" from "bad".
  std::vector<std::string> Ips(const std::string& path, bool* given) {
    std::vector<std::string> ips;
    const Setting* setting = settings_.Find(path);
    *given = setting != nullptr && !setting->text.empty();
    if (!*given) return ips;
    for (const std::string& word : Words({setting->text, setting->place})) {
      const std::optional<std::string> ip = ParseIp(word);
      if (absl::StartsWith(word, "unix://")) {
        problems_->Error(setting->place, absl::StrCat(Quoted(word),
                                                      ": unix sockets are not "
                                                      "supported"));
      } else if (!ip) {
        problems_->Error(setting->place,
                         absl::StrCat("invalid ip address: ", Quoted(word)));
      } else if (std::find(ips.begin(), ips.end(), *ip) == ips.end()) {
        ips.push_back(*ip);
      }
    }
    return ips;
  }

  // The one address of a setting, or empty.
  std::string Ip(const std::string& path) {
    bool given = false;
    const std::vector<std::string> ips = Ips(path, &given);
    if (ips.size() > 1) {
      problems_->Error(settings_.Find(path)->place,
                       "cannot contain multiple addresses");
    }
    return ips.empty() ? "" : ips[0];
  }

  // As Ip(), for an address that others use to reach us.
  std::string AdvertisedIp(const std::string& path) {
    std::string ip = Ip(path);
    if (!IsWildcardIp(ip)) return ip;
    problems_->Error(settings_.Find(path)->place,
                     "an advertised address cannot be 0.0.0.0 or ::");
    return "";
  }

 private:
  const Settings& settings_;
  Problems* problems_;
  std::vector<InterfaceAddress> interfaces_;
};

std::vector<Endpoint> ListenOn(const Settings& settings,
                               const std::string& which, int default_port,
                               const std::vector<std::string>& client_ips,
                               AddressReader* reader, Problems* problems) {
  std::vector<Endpoint> endpoints;
  // -1 is off; 0 lets the kernel choose.
  const int64_t port = settings.Int(absl::StrCat("ports.", which), -1, 65535,
                                    default_port, problems);
  bool given = false;
  std::vector<std::string> ips =
      reader->Ips(absl::StrCat("addresses.", which), &given);
  if (!given) ips = client_ips;
  if (port < 0) return endpoints;
  for (std::string& ip : ips) {
    endpoints.push_back({std::move(ip), static_cast<uint16_t>(port)});
  }
  return endpoints;
}

void ResolveListeners(const Settings& settings, AddressReader* reader,
                      Config* config, Problems* problems) {
  bool given = false;
  std::vector<std::string> client_ips = reader->Ips("client_addr", &given);
  if (!given) client_ips = {"127.0.0.1"};
  config->dns_listen =
      ListenOn(settings, "dns", kDnsPort, client_ips, reader, problems);
  config->http_listen =
      ListenOn(settings, "http", kHttpPort, client_ips, reader, problems);
  config->https_listen =
      ListenOn(settings, "https", kHttpsPort, client_ips, reader, problems);
  const auto clash = [&](const char* name, const char* path,
                         const std::vector<Endpoint>& wanted,
                         const char* taken_name,
                         const std::vector<Endpoint>& taken) {
    for (const Endpoint& endpoint : wanted) {
      if (endpoint.port == 0 ||
          std::find(taken.begin(), taken.end(), endpoint) == taken.end()) {
        continue;
      }
      problems->Error(
          settings.PlaceOf(path),
          absl::StrCat(name, " address ", endpoint.ip, ":", endpoint.port,
                       " already configured for ", taken_name));
    }
  };
  clash("HTTP", "ports.http", config->http_listen, "DNS", config->dns_listen);
  clash("HTTPS", "ports.https", config->https_listen, "DNS",
        config->dns_listen);
  clash("HTTPS", "ports.https", config->https_listen, "HTTP",
        config->http_listen);
}

// What the agent fills in for its node: the advertised addresses, by family.
void ResolveNode(const Settings& settings, AddressReader* reader,
                 Config* config) {
  const std::string bind = reader->Ip("bind_addr");
  std::string lan_v4 = reader->AdvertisedIp("advertise_addr_ipv4");
  std::string lan_v6 = reader->AdvertisedIp("advertise_addr_ipv6");
  std::string lan = reader->AdvertisedIp("advertise_addr");
  if (lan.empty() && !bind.empty() && !IsWildcardIp(bind)) lan = bind;
  if (lan.empty()) lan = lan_v4.empty() ? lan_v6 : lan_v4;
  if (lan.empty()) lan = DefaultNodeIp(reader->interfaces());
  std::string& lan_family = IsIpv6(lan) ? lan_v6 : lan_v4;
  if (lan_family.empty()) lan_family = lan;

  std::string wan_v4 = reader->AdvertisedIp("advertise_addr_wan_ipv4");
  std::string wan_v6 = reader->AdvertisedIp("advertise_addr_wan_ipv6");
  std::string wan = reader->AdvertisedIp("advertise_addr_wan");
  if (wan.empty()) wan = wan_v4.empty() ? wan_v6 : wan_v4;
  if (wan.empty()) wan = lan;
  std::string& wan_family = IsIpv6(wan) ? wan_v6 : wan_v4;
  if (wan_family.empty()) wan_family = wan;
  if (wan_v4.empty()) wan_v4 = lan_v4;
  if (wan_v6.empty()) wan_v6 = lan_v6;

  config->node.address = lan;
  config->node.has_tagged_addresses = true;
  config->node.has_meta = true;
  if (const Setting* tagged = settings.Find("tagged_addresses")) {
    for (const auto& [tag, address] : tagged->map) {
      config->node.tagged_addresses[tag] = address.text;
    }
  }
  for (const auto& [tag, address] :
       {std::pair{"lan", lan}, std::pair{"lan_ipv4", lan_v4},
        std::pair{"lan_ipv6", lan_v6}, std::pair{"wan", wan},
        std::pair{"wan_ipv4", wan_v4}, std::pair{"wan_ipv6", wan_v6}}) {
    if (!address.empty()) config->node.tagged_addresses[tag] = address;
  }
}

// Of letters, digits, '-' and '_', and no address: those are written before it.
bool IsHostName(const std::string& name) {
  std::string wire;
  return !name.empty() && name.back() != '.' && !ParseIp(name) &&
         NameToWire(name, &wire) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '-' || c == '_' || c == '.';
         });
}

// As ParseEndpoint(), or with "tls://" before it and perhaps "#dns.example"
// behind it. Nothing, and reported: it is neither. Messages call it `what`.
std::optional<UpstreamConfig> ReadUpstream(const std::string& text,
                                           const std::string& what,
                                           const Place& place,
                                           Problems* problems) {
  UpstreamConfig upstream;
  upstream.tls = absl::StartsWith(text, kTlsScheme);
  std::string address = text.substr(upstream.tls ? kTlsScheme.size() : 0);
  const size_t hash = upstream.tls ? address.find('#') : std::string::npos;
  if (hash != std::string::npos) {
    upstream.tls_name = AsciiLower(address.substr(hash + 1));
    address.resize(hash);
    if (absl::EndsWith(upstream.tls_name, ".")) upstream.tls_name.pop_back();
    if (!IsHostName(upstream.tls_name)) {
      problems->Error(
          place, absl::StrCat(what, ": what is behind # is not a host name"));
      return std::nullopt;
    }
  }
  const std::optional<Endpoint> endpoint =
      ParseEndpoint(address, upstream.tls ? kUpstreamTlsPort : kUpstreamPort);
  if (!endpoint) {
    problems->Error(
        place, absl::StrCat(what, upstream.tls
                                      ? " is not like tls://IP, tls://IP:port "
                                        "or tls://IP#name"
                                      : " is not an IP address or IP:port"));
    return std::nullopt;
  }
  upstream.endpoint = *endpoint;
  return upstream;
}

// Whether we would ask ourselves.
bool IsOurs(const Endpoint& upstream, const Config& config,
            const AddressReader& reader) {
  return std::any_of(config.dns_listen.begin(), config.dns_listen.end(),
                     [&](const Endpoint& listen) {
                       if (listen.port != upstream.port) return false;
                       if (listen.ip == upstream.ip) return true;
                       if (!IsWildcardIp(listen.ip) ||
                           IsIpv6(listen.ip) != IsIpv6(upstream.ip)) {
                         return false;
                       }
                       const auto& all = reader.interfaces();
                       return absl::StartsWith(upstream.ip, "127.") ||
                              upstream.ip == "::1" ||
                              std::any_of(all.begin(), all.end(),
                                          [&](const InterfaceAddress& address) {
                                            return address.ip == upstream.ip;
                                          });
                     });
}

}  // namespace

std::optional<std::string> ParseIp(std::string text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
    if (!IsIpv6(text)) return std::nullopt;
  }
  in6_addr bytes;
  const int family = IsIpv6(text) ? AF_INET6 : AF_INET;
  if (inet_pton(family, text.c_str(), &bytes) != 1) return std::nullopt;
  char canonical[INET6_ADDRSTRLEN];
  if (inet_ntop(family, &bytes, canonical, sizeof(canonical)) == nullptr) {
    return std::nullopt;
  }
  return canonical;
}

std::optional<Endpoint> ParseEndpoint(const std::string& text,
                                      uint16_t port_otherwise) {
  if (const std::optional<std::string> ip = ParseIp(text)) {
    return Endpoint{*ip, port_otherwise};
  }
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  const std::string host = text.substr(0, colon);
  if (IsIpv6(host) && host.front() != '[') return std::nullopt;
  const std::optional<std::string> ip = ParseIp(host);
  uint32_t port = 0;
  if (!ip || !absl::SimpleAtoi(text.substr(colon + 1), &port) || port == 0 ||
      port > 65535) {
    return std::nullopt;
  }
  return Endpoint{*ip, static_cast<uint16_t>(port)};
}

std::vector<UpstreamConfig> ReadUpstreams(
    const std::vector<PlacedText>& written, const char* noun,
    const Settings& settings, const Config& config, Problems* problems) {
  std::vector<UpstreamConfig> upstreams;
  if (written.empty()) return upstreams;
  AddressReader reader(settings, problems);
  for (const PlacedText& text : written) {
    for (const std::string& word : reader.Words(text)) {
      const std::string what = absl::StrCat(noun, " ", Quoted(word));
      const std::optional<UpstreamConfig> upstream =
          ReadUpstream(word, what, text.place, problems);
      if (!upstream) continue;
      if (IsWildcardIp(upstream->endpoint.ip)) {
        problems->Error(text.place,
                        absl::StrCat(what, " cannot be 0.0.0.0, :: or [::]"));
      } else if (IsOurs(upstream->endpoint, config, reader)) {
        problems->Error(
            text.place,
            absl::StrCat(what, " is an address that this agent listens on"));
      } else if (std::find(upstreams.begin(), upstreams.end(), *upstream) ==
                 upstreams.end()) {
        upstreams.push_back(*upstream);
      }
    }
  }
  return upstreams;
}

std::vector<IpNetwork> ReadNetworks(const Setting& setting,
                                    Problems* problems) {
  std::vector<IpNetwork> networks;
  for (const PlacedText& text : setting.list) {
    const std::optional<IpNetwork> network = IpNetwork::Parse(text.text);
    if (network) {
      networks.push_back(*network);
    } else {
      problems->Error(
          text.place,
          absl::StrCat(Quoted(text.text), " is not a network like 10.0.0.0/8"));
    }
  }
  return networks;
}

bool IsWildcardIp(const std::string& ip) {
  return ip == "0.0.0.0" || ip == "::";
}

void ResolveAddresses(const Settings& settings, Config* config,
                      Problems* problems) {
  AddressReader reader(settings, problems);
  ResolveListeners(settings, &reader, config, problems);
  ResolveNode(settings, &reader, config);
}

}  // namespace dnsd
