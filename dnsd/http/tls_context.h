// TlsContext is what a TLS listener shows and asks for: certificate, key,
// whose clients it takes, versions and cipher suites. OpenSSL's SSL_CTX.
//
// Threads:   Create() any, it reads files; the result is immutable, and any
//            thread's sessions may use it.
// Ownership: shared by a server and its connections: one that began before a
//            reload goes on with what it began with.
// Errors:    all at once, each with the option it is about, the file and the
//            reason. Nothing is said of what a key file has in it.
// Rules:     as Consul: ca_file wins over ca_path, of which every file is read;
//            TLS 1.2 unless told otherwise. No renegotiation, no compression.
//            ALPN has "http/1.1" and refuses who wants something else only.
#ifndef DNSD_DNSD_HTTP_TLS_CONTEXT_H_
#define DNSD_DNSD_HTTP_TLS_CONTEXT_H_

#include <openssl/bio.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace dnsd {

enum class TlsVersion : uint8_t { k1_0, k1_1, k1_2, k1_3 };

struct TlsServerOptions {
  std::string cert_file;  // PEM, the chain behind it
  std::string key_file;
  std::string ca_file;
  std::string ca_path;
  bool verify_incoming = false;  // a client must have a certificate of theirs
  TlsVersion min_version = TlsVersion::k1_2;
  // IANA's names, or Go's ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"), for TLS
  // 1.2 and below. Empty: forward secret ones.
  std::vector<std::string> cipher_suites;
  bool prefer_server_cipher_suites = false;
};

struct TlsProblem {
  const char* option;  // "cert_file"
  std::string reason;  // "\"/etc/x.pem\": no such file or directory"
};

class TlsContext {
 public:
  // nullptr: there are problems.
  [[nodiscard]] static std::shared_ptr<const TlsContext> Create(
      const TlsServerOptions& options, std::vector<TlsProblem>* problems);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  [[nodiscard]] SSL_CTX* ssl() const { return ssl_.get(); }
  // When the certificate ends, seconds since 1970.
  [[nodiscard]] int64_t certificate_end() const;
  // How a session's bytes get in and out (tls_session.cc).
  [[nodiscard]] const BIO_METHOD* bio() const { return bio_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* ssl) const;
    void operator()(BIO_METHOD* bio) const;
  };

  TlsContext();

  std::unique_ptr<SSL_CTX, Free> ssl_;
  std::unique_ptr<BIO_METHOD, Free> bio_;
};

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_TLS_CONTEXT_H_
