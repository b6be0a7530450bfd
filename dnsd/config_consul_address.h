// ParseConsulAddress reads where a Consul is, as Consul's own commands read
// CONSUL_HTTP_ADDR: "HOST:PORT", "http://HOST:PORT", "https://HOST:PORT" or
// "unix://PATH".
//
// Threads: any; no I/O.
// Errors:  kInvalidArgument; the message quotes the address, unless that may
//          have a password in it.
#ifndef DNSD_DNSD_CONFIG_CONSUL_ADDRESS_H_
#define DNSD_DNSD_CONFIG_CONSUL_ADDRESS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "catalog/consul/consul_options.h"
#include "dnsd/config.h"

namespace dnsd {

// What an address that says nothing, or http://, is taken for.
struct SchemeRules {
  bool https_by_default = false;
  bool https_for_http = false;
};

struct ParsedConsulAddress {
  ConsulAddress address;
  std::string host;   // an IP address in its usual form, without brackets
  uint16_t port = 0;  // of unix sockets 0
  bool port_given = false;
};

[[nodiscard]] absl::StatusOr<ParsedConsulAddress> ParseConsulAddress(
    const std::string& text, const SchemeRules& rules);

// Whether a connection to the address ends at one of the listeners.
// `own_ips` are this machine's.
[[nodiscard]] bool LeadsTo(const ParsedConsulAddress& address,
                           const std::vector<Endpoint>& listeners,
                           std::span<const std::string> own_ips);

}  // namespace dnsd

#endif  // DNSD_DNSD_CONFIG_CONSUL_ADDRESS_H_
