#include "dnsd/http/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "catalog/base/check.h"
#include "dnsd/http/pem_file.h"
#include "dnsd/http/tls_session.h"

namespace dnsd {
namespace {

// Tells this server's resumed sessions from others'.
constexpr absl::string_view kSessionContext = "dnsd";

// Key exchange with forward secrecy, as Go has it by default; no finite-field
// groups, with which a client can make a server work hard for little.
constexpr char kCipherList[] = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES";

constexpr absl::string_view kHttp11 = "http/1.1";

int ProtocolVersion(TlsVersion version) {
  switch (version) {
    case TlsVersion::k1_0:
      return TLS1_VERSION;
    case TlsVersion::k1_1:
      return TLS1_1_VERSION;
    case TlsVersion::k1_2:
      return TLS1_2_VERSION;
    case TlsVersion::k1_3:
      break;
  }
  return TLS1_3_VERSION;
}

int SelectAlpn(SSL*, const unsigned char** out, unsigned char* out_size,
               const unsigned char* in, unsigned in_size, void*) {
  // Each name behind its length.
  for (unsigned at = 0; at < in_size; at += 1u + in[at]) {
    const unsigned size = in[at];
    if (at + 1 + size > in_size) break;
    if (size == kHttp11.size() &&
        std::memcmp(in + at + 1, kHttp11.data(), size) == 0) {
      *out = in + at + 1;
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// OpenSSL's name of a suite, or nothing.
const char* OpenSslName(const std::string& name) {
  for (const char* ending : {"", "_SHA256"}) {  // Go leaves ChaCha20's out
    const std::string whole = absl::StrCat(name, ending);
    const char* const found = OPENSSL_cipher_name(whole.c_str());
    if (found != nullptr && std::strcmp(found, "(NONE)") != 0) return found;
  }
  return nullptr;
}

class Builder {
 public:
  Builder(const TlsServerOptions& options, SSL_CTX* ssl,
          std::vector<TlsProblem>* problems)
      : options_(options), ssl_(ssl), problems_(problems) {}

  void Build() {
    SetProtocol();
    SetCiphers();
    if (AddCertificate()) AddKey();
    if (options_.verify_incoming) AddAuthorities();
    ERR_clear_error();
  }

 private:
  void Fail(const char* option, std::string reason) {
    problems_->push_back({option, std::move(reason)});
    ERR_clear_error();
  }

  void SetProtocol() {
    SSL_CTX_set_min_proto_version(ssl_, ProtocolVersion(options_.min_version));
    SSL_CTX_set_options(ssl_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    if (options_.prefer_server_cipher_suites) {
      SSL_CTX_set_options(ssl_, SSL_OP_CIPHER_SERVER_PREFERENCE);
    }
    SSL_CTX_set_mode(ssl_, SSL_MODE_RELEASE_BUFFERS);
    // Clients keep their sessions in tickets; nothing is kept here for them.
    SSL_CTX_set_session_cache_mode(ssl_, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ssl_, 1);
    SSL_CTX_set_session_id_context(
        ssl_, reinterpret_cast<const unsigned char*>(kSessionContext.data()),
        static_cast<unsigned>(kSessionContext.size()));
    SSL_CTX_set_alpn_select_cb(ssl_, SelectAlpn, nullptr);
  }

  void SetCiphers() {
    std::vector<std::string> names;
    for (const std::string& name : options_.cipher_suites) {
      const char* const found = OpenSslName(name);
      if (found == nullptr) {
        Fail("tls_cipher_suites", absl::StrCat("unknown: \"", name, "\""));
        return;
      }
      names.push_back(found);
    }
    std::string list = names.empty() ? kCipherList : absl::StrJoin(names, ":");
    // At its usual level OpenSSL has no signatures for versions before 1.2.
    if (options_.min_version < TlsVersion::k1_2) list += ":@SECLEVEL=0";
    if (SSL_CTX_set_cipher_list(ssl_, list.c_str()) != 1) {
      Fail("tls_cipher_suites",
           absl::StrCat("none of these is available before TLS 1.3: ",
                        absl::StrJoin(options_.cipher_suites, ",")));
    }
  }

  bool AddCertificate() {
    const auto chain = ReadCertificates(options_.cert_file);
    if (!chain.ok()) {
      Fail("cert_file", std::string(chain.status().message()));
      return false;
    }
    if (SSL_CTX_use_certificate(ssl_, chain->front().get()) != 1) {
      Fail("cert_file",
           absl::StrCat("\"", options_.cert_file, "\": ", PemReason()));
      return false;
    }
    for (size_t i = 1; i < chain->size(); ++i) {
      DNSD_CHECK(SSL_CTX_add1_chain_cert(ssl_, (*chain)[i].get()) == 1);
    }
    return true;
  }

  void AddKey() {
    const auto key = ReadPrivateKey(options_.key_file);
    if (!key.ok()) {
      Fail("key_file", std::string(key.status().message()));
    } else if (SSL_CTX_use_PrivateKey(ssl_, key->get()) != 1 ||
               SSL_CTX_check_private_key(ssl_) != 1) {
      Fail("key_file",
           absl::StrCat("\"", options_.key_file,
                        "\" is not the key of the certificate in \"",
                        options_.cert_file, "\""));
    }
  }

  void AddAuthorities() {
    if (options_.ca_file.empty() && options_.ca_path.empty()) {
      Fail("verify_incoming",
           "needs ca_file or ca_path: whose certificates are good?");
      return;
    }
    const bool one_file = !options_.ca_file.empty();
    const char* const option = one_file ? "ca_file" : "ca_path";
    const auto authorities = one_file ? ReadCertificates(options_.ca_file)
                                      : ReadCertificatesIn(options_.ca_path);
    if (!authorities.ok()) {
      Fail(option, std::string(authorities.status().message()));
      return;
    }
    X509_STORE* const store = SSL_CTX_get_cert_store(ssl_);
    for (const auto& authority : *authorities) {
      X509_STORE_add_cert(store, authority.get());
      SSL_CTX_add_client_CA(ssl_, authority.get());
    }
    SSL_CTX_set_verify(ssl_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                       nullptr);
  }

  const TlsServerOptions& options_;
  SSL_CTX* const ssl_;
  std::vector<TlsProblem>* const problems_;
};

}  // namespace

void TlsContext::Free::operator()(SSL_CTX* ssl) const { SSL_CTX_free(ssl); }
void TlsContext::Free::operator()(BIO_METHOD* bio) const { BIO_meth_free(bio); }

TlsContext::TlsContext()
    : ssl_(SSL_CTX_new(TLS_server_method())),
      bio_(BIO_meth_new(BIO_TYPE_SOURCE_SINK, "dnsd")) {
  DNSD_CHECK(ssl_ != nullptr && bio_ != nullptr);
  BIO_meth_set_read_ex(bio_.get(), TlsSession::ReadInput);
  BIO_meth_set_write_ex(bio_.get(), TlsSession::WriteOutput);
  BIO_meth_set_ctrl(bio_.get(), TlsSession::Control);
}

int64_t TlsContext::certificate_end() const {
  const X509* certificate = SSL_CTX_get0_certificate(ssl_.get());
  std::tm end{};
  if (certificate == nullptr ||
      ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) {
    return 0;
  }
  return timegm(&end);
}

TlsContext::~TlsContext() = default;

std::shared_ptr<const TlsContext> TlsContext::Create(
    const TlsServerOptions& options, std::vector<TlsProblem>* problems) {
  const size_t before = problems->size();
  // The constructor is private, which std::make_shared cannot call.
  std::shared_ptr<TlsContext> context{
      std::unique_ptr<TlsContext>(new TlsContext())};
  Builder(options, context->ssl(), problems).Build();
  if (problems->size() != before) return nullptr;
  return context;
}

}  // namespace dnsd
