// ByteStream reads and writes a connected socket, with TLS or without.
//
// Threads:   the loop's thread only.
// Ownership: owns the socket. Not to be destroyed inside its callbacks.
// Errors:    on_end, once: Go's text, "EOF" when the peer has closed.
// Limits:    reads kReadsOfTurnMax times 16 KiB before others have their turn.
#ifndef DNSD_CATALOG_REGISTRY_CHECKS_BYTE_STREAM_H_
#define DNSD_CATALOG_REGISTRY_CHECKS_BYTE_STREAM_H_

#include <openssl/ssl.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "catalog/registry/checks/dialer.h"
#include "catalog/registry/checks/probe_tls.h"

namespace dnsd {

struct StreamTls {
  TlsClientOptions options;
  std::string name;  // SNI, and what the certificate is for
  bool verify = true;
  bool offer_http2 = false;  // by ALPN
};

class ByteStream {
 public:
  struct Callbacks {
    std::function<void()> on_open;  // connected, and TLS done
    std::function<void(absl::string_view)> on_bytes;
    std::function<void(const std::string&)> on_end;
  };

  // `tls` nullptr: none. Callbacks come from the loop, not from inside this.
  ByteStream(std::unique_ptr<PolledSocket> socket, const StreamTls* tls,
             Callbacks callbacks);
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // After on_open. What cannot be sent yet waits.
  void Write(absl::string_view bytes);

  // The handshake failed, rather than the connection.
  [[nodiscard]] bool failed_handshake() const { return failed_handshake_; }

 private:
  struct FreeContext {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  void StartTls(const StreamTls& tls);
  void OnEvent();
  void Shake();
  [[nodiscard]] bool TakeBytes(absl::string_view bytes);
  void Flush();
  void End(const std::string& error);

  const std::unique_ptr<PolledSocket> socket_;
  const std::string ends_;
  const Callbacks callbacks_;
  TlsPeer peer_;
  std::unique_ptr<SSL_CTX, FreeContext> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;  // nullptr: no TLS
  std::string unsent_;
  bool is_open_ = false;
  bool has_ended_ = false;
  bool failed_handshake_ = false;
};

}  // namespace dnsd

#endif  // DNSD_CATALOG_REGISTRY_CHECKS_BYTE_STREAM_H_
