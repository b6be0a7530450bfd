// UpstreamAddress is where an upstream is asked, and how: over UDP and TCP, or
// over TLS only (RFC 7858), with what its certificate must show.
//
// Threads: a value.
#ifndef DNSD_DNSD_FORWARD_UPSTREAM_ADDRESS_H_
#define DNSD_DNSD_FORWARD_UPSTREAM_ADDRESS_H_

#include <string>
#include <utility>

#include "dnsd/socket_address.h"

namespace dnsd {

struct UpstreamAddress {
  UpstreamAddress() = default;
  // NOLINTNEXTLINE(google-explicit-constructor): over UDP and TCP.
  UpstreamAddress(const SocketAddress& address) : socket(address) {}
  // Over TLS; see tls_name.
  UpstreamAddress(const SocketAddress& address, std::string name)
      : socket(address), tls(true), tls_name(std::move(name)) {}

  bool operator==(const UpstreamAddress&) const = default;

  SocketAddress socket;
  bool tls = false;
  // The host name that the certificate must be for, without a final dot; empty:
  // it must be for the IP address.
  std::string tls_name;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_UPSTREAM_ADDRESS_H_
