// How probes check the certificates of their targets: with OpenSSL, and with
// the words Go has for what is wrong with one.
//
// Threads: any; no shared state.
// Limits:  the system's authorities are read from their directory one by one
//          as they are needed; a file of them is read for each connection.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_PROBE_TLS_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_PROBE_TLS_H_

#include <openssl/ssl.h>

#include <string>

#include "catalog/base/http_fetch.h"

namespace dnsd {

// Of one connection; it outlives the SSL_CTX that it was given to.
struct TlsPeer {
  // What the certificate must be for: a name or an address.
  std::string name;
  bool verify = true;
  // Afterwards: "x509: certificate signed by unknown authority".
  std::string error;
};

// Makes `context` verify as `peer` says, with what `options` name.
void ConfigureTls(SSL_CTX* context, const TlsClientOptions& options,
                  TlsPeer* peer);

[[nodiscard]] bool IsIpAddress(const std::string& name);

// What OpenSSL has to say of the last failure on this thread.
[[nodiscard]] std::string TlsErrorText();

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_PROBE_TLS_H_
