// TlsTrust is what TLS to every upstream has in common: whose certificates are
// good, and how it is spoken. OpenSSL's SSL_CTX.
//
// Threads:   Create() any; the result is immutable, and any thread's streams
//            may use it.
// Ownership: shared by a configuration and its streams: one that began before
//            a reload goes on with what it began with.
// Rules:     TLS 1.2 or 1.3 (RFC 9325). A certificate counts by its subject
//            alternative names only (RFC 8310 section 8.1), and must lead to
//            an authority or be one of the given ones itself.
#ifndef DNSD_DNSD_FORWARD_TLS_TRUST_H_
#define DNSD_DNSD_FORWARD_TLS_TRUST_H_

#include <openssl/bio.h>
#include <openssl/types.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace dnsd {

class TlsTrust {
 public:
  // The certificates are copied by reference.
  [[nodiscard]] static std::shared_ptr<const TlsTrust> Create(
      const std::vector<X509*>& authorities);

  ~TlsTrust();
  TlsTrust(const TlsTrust&) = delete;
  TlsTrust& operator=(const TlsTrust&) = delete;

  // Whether it trusts the same.
  bool operator==(const TlsTrust& other) const {
    return digests_ == other.digests_;
  }

  [[nodiscard]] SSL_CTX* ssl() const { return ssl_.get(); }
  // How a stream's bytes get in and out (tls_stream.cc).
  [[nodiscard]] const BIO_METHOD* bio() const { return bio_.get(); }

 private:
  struct Free {
    void operator()(SSL_CTX* ssl) const;
    void operator()(BIO_METHOD* bio) const;
  };

  TlsTrust();

  std::unique_ptr<SSL_CTX, Free> ssl_;
  std::unique_ptr<BIO_METHOD, Free> bio_;
  std::set<std::string> digests_;  // of the authorities
};

}  // namespace dnsd

#endif  // DNSD_DNSD_FORWARD_TLS_TRUST_H_
