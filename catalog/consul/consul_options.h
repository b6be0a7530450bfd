// What a mirror of a Consul is told by configuration.
//
// Threads: a plain value.
#ifndef DNSD_CATALOG_CONSUL_CONSUL_OPTIONS_H_
#define DNSD_CATALOG_CONSUL_CONSUL_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "catalog/base/http_fetch.h"

namespace dnsd {

// Where a Consul's HTTP API is.
struct ConsulAddress {
  std::string url;          // "http://127.0.0.1:8500", no final slash
  std::string unix_socket;  // not empty: connect there

  bool operator==(const ConsulAddress&) const = default;
};

struct ConsulOptions {
  // Tried in turn. Empty: nothing is mirrored.
  std::vector<ConsulAddress> addresses;
  std::string token;
  std::string token_file;  // read again when Consul refuses the token
  TlsClientOptions tls;
  // Lower case. These are mirrored from the start; others that Consul knows,
  // from when somebody first asks for a name in them. "*": all.
  std::vector<std::string> datacenters;
  // Any server may answer, not the leader only.
  bool stale = true;
  // Connections to Consul at most, of its 200 per client (plain HTTP).
  size_t connections_max = 150;
  // Services with a watch of their own at most. 0: what connections_max
  // allows over plain HTTP, 1000 over TLS.
  size_t watches_max = 0;
  // Of a blocking query. What we leave behind when we end stays with Consul
  // for so long, and counts against its connections.
  int64_t wait_ms = 60'000;
  // Without word from Consul for so long, answers are called stale.
  int64_t stale_after_ms = 15'000;
  // How long a catalog that lost more than half of its instances across a
  // restart or a loss of contact is held back. 0: not at all.
  int64_t hold_ms = 120'000;
  // "": nothing is kept on disk.
  std::string data_dir;

  bool operator==(const ConsulOptions&) const = default;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_CONSUL_CONSUL_OPTIONS_H_
