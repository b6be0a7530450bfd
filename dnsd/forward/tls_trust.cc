#include "dnsd/forward/tls_trust.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "catalog/base/check.h"
#include "dnsd/forward/tls_stream.h"

namespace dnsd {

void TlsTrust::Free::operator()(SSL_CTX* ssl) const { SSL_CTX_free(ssl); }
void TlsTrust::Free::operator()(BIO_METHOD* bio) const { BIO_meth_free(bio); }

TlsTrust::TlsTrust()
    : ssl_(SSL_CTX_new(TLS_client_method())),
      bio_(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "dnsd upstream")) {
  DNSD_CHECK(ssl_ != nullptr && bio_ != nullptr);
  BIO_meth_set_read_ex(bio_.get(), TlsStream::Receive);
  BIO_meth_set_write_ex(bio_.get(), TlsStream::Send);
  BIO_meth_set_ctrl(bio_.get(), TlsStream::Control);
  SSL_CTX* const ssl = ssl_.get();
  DNSD_CHECK(SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1);
  // Messages have their length: an end without notice cuts nothing off.
  SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                               SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS |
                            SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, nullptr);
  // Each upstream keeps its own session: OpenSSL's cache is for all of them.
  SSL_CTX_set_session_cache_mode(
      ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ssl, TlsStream::OnSession);
  X509_VERIFY_PARAM* const rules = SSL_CTX_get0_param(ssl);
  X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_hostflags(rules,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
}

TlsTrust::~TlsTrust() = default;

std::shared_ptr<const TlsTrust> TlsTrust::Create(
    const std::vector<X509*>& authorities) {
  // The constructor is private, which std::make_shared cannot call.
  std::shared_ptr<TlsTrust> trust{std::unique_ptr<TlsTrust>(new TlsTrust())};
  X509_STORE* const store = SSL_CTX_get_cert_store(trust->ssl());
  for (X509* const authority : authorities) {
    DNSD_CHECK(X509_STORE_add_cert(store, authority) == 1);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    DNSD_CHECK(X509_digest(authority, EVP_sha256(), digest, &size) == 1);
    trust->digests_.emplace(reinterpret_cast<const char*>(digest), size);
  }
  return trust;
}

}  // namespace dnsd
