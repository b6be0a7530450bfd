#include "dnsd/config_consul_address.h"

#include <algorithm>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "catalog/registry/fields.h"
#include "dnsd/config_addresses.h"

namespace dnsd {
namespace {

constexpr size_t kHostBytesMax = 253;
constexpr size_t kSocketPathBytesMax = 107;  // sun_path with its final 0
constexpr uint16_t kHttpPort = 80;
constexpr uint16_t kHttpsPort = 443;

absl::Status Invalid(const std::string& text, absl::string_view what) {
  // "user:password@host" and "host?token=": not for messages.
  if (text.find_first_of("@?") != std::string::npos) {
    return absl::InvalidArgumentError(
        "an address cannot have a user name, a password or a query; a token "
        "belongs into consul.token_file");
  }
  return absl::InvalidArgumentError(absl::StrCat(Quoted(text), " ", what));
}

bool IsHostName(absl::string_view host) {
  return !host.empty() && host.size() <= kHostBytesMax &&
         std::all_of(host.begin(), host.end(), [](char c) {
           return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
                  c == '-' || c == '.' || c == '_';
         });
}

// The path in front of Consul's own: "" or "/consul".
bool IsPathPrefix(absl::string_view path) {
  return std::all_of(path.begin(), path.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '/' ||
           c == '-' || c == '.' || c == '_' || c == '~';
  });
}

absl::StatusOr<ParsedConsulAddress> ParseSocket(const std::string& text,
                                                absl::string_view path,
                                                const SchemeRules& rules) {
  if (path.empty()) return Invalid(text, "names no socket");
  if (path.size() > kSocketPathBytesMax) {
    return Invalid(text, "is longer than the path of a socket can be");
  }
  ParsedConsulAddress parsed;
  parsed.address.unix_socket = std::string(path);
  parsed.address.url =
      rules.https_by_default ? "https://localhost" : "http://localhost";
  return parsed;
}

// "HOST", "HOST:PORT", "[::1]" or "[::1]:PORT".
absl::Status ParseHostPort(const std::string& text, absl::string_view authority,
                           ParsedConsulAddress* parsed) {
  absl::string_view host = authority;
  absl::string_view port;
  const size_t colon = authority.rfind(':');
  const bool bracketed = absl::StartsWith(authority, "[");
  if (colon != absl::string_view::npos &&
      (!bracketed || absl::StrContains(authority, "]:"))) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
    parsed->port_given = true;
  }
  if (!bracketed && absl::StrContains(host, ':')) {
    return Invalid(text, "must have an IPv6 address in brackets: [::1]:8500");
  }
  if (const std::optional<std::string> ip = ParseIp(std::string(host))) {
    parsed->host = *ip;
  } else if (!IsHostName(host)) {
    return Invalid(text, "is not HOST:PORT");
  } else {
    parsed->host = absl::AsciiStrToLower(host);
  }
  if (!parsed->port_given) return absl::OkStatus();
  uint32_t number = 0;
  const bool digits = std::all_of(port.begin(), port.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (!digits || !absl::SimpleAtoi(port, &number) || number == 0 ||
      number > 65535) {
    return Invalid(text, "has no port between 1 and 65535");
  }
  parsed->port = static_cast<uint16_t>(number);
  return absl::OkStatus();
}

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || absl::StartsWith(host, "127.");
}

}  // namespace

absl::StatusOr<ParsedConsulAddress> ParseConsulAddress(
    const std::string& text, const SchemeRules& rules) {
  absl::string_view rest = text;
  bool https = rules.https_by_default;
  if (absl::ConsumePrefix(&rest, "https://")) {
    https = true;
  } else if (absl::ConsumePrefix(&rest, "http://")) {
    https = rules.https_for_http;
  } else if (absl::ConsumePrefix(&rest, "unix://")) {
    return ParseSocket(text, rest, rules);
  } else if (absl::StrContains(text, "://")) {
    return Invalid(text, "must begin with http://, https:// or unix://");
  }
  const absl::string_view authority = rest.substr(0, rest.find('/'));
  absl::string_view path = rest.substr(authority.size());
  while (absl::ConsumeSuffix(&path, "/")) {
  }
  ParsedConsulAddress parsed;
  absl::Status status = ParseHostPort(text, authority, &parsed);
  if (!status.ok()) return status;
  if (!IsPathPrefix(path)) return Invalid(text, "is not HOST:PORT");
  const bool is_v6 = absl::StrContains(parsed.host, ':');
  parsed.address.url =
      absl::StrCat(https ? "https://" : "http://", is_v6 ? "[" : "",
                   parsed.host, is_v6 ? "]" : "");
  if (parsed.port_given) {
    absl::StrAppend(&parsed.address.url, ":", parsed.port);
  } else {
    parsed.port = https ? kHttpsPort : kHttpPort;
  }
  absl::StrAppend(&parsed.address.url, path);
  return parsed;
}

bool LeadsTo(const ParsedConsulAddress& address,
             const std::vector<Endpoint>& listeners,
             std::span<const std::string> own_ips) {
  if (!address.address.unix_socket.empty()) return false;
  const std::string& host = address.host;
  const bool own =
      IsLoopback(host) || IsWildcardIp(host) ||
      std::find(own_ips.begin(), own_ips.end(), host) != own_ips.end();
  return std::any_of(
      listeners.begin(), listeners.end(), [&](const Endpoint& listener) {
        if (listener.port != address.port) return false;
        if (listener.ip == host) return true;
        if (IsWildcardIp(listener.ip)) return own;
        // A connection to 0.0.0.0 or localhost goes to the loopback address.
        return (host == "localhost" || IsWildcardIp(host)) &&
               (listener.ip == "127.0.0.1" || listener.ip == "::1");
      });
}

}  // namespace dnsd
