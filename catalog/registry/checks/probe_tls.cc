#include "catalog/registry/checks/probe_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <memory>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace dnsd {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

// The subject's alternative names of one type.
std::vector<std::string> AltNames(X509* certificate, int type) {
  std::vector<std::string> texts;
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(
          certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != type) continue;
    const ASN1_STRING* value =
        type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
    const auto* bytes = ASN1_STRING_get0_data(value);
    const int size = ASN1_STRING_length(value);
    if (type == GEN_DNS) {
      texts.emplace_back(reinterpret_cast<const char*>(bytes),
                         static_cast<size_t>(size));
    } else if (size == 4 || size == 16) {
      char text[INET6_ADDRSTRLEN] = "";
      inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text));
      texts.emplace_back(text);
    }
  }
  return texts;
}

// "", or what Go's VerifyHostname says.
std::string NameError(X509* certificate, const std::string& name) {
  const bool is_address = IsIpAddress(name);
  const int fits =
      is_address
          ? X509_check_ip_asc(certificate, name.c_str(), 0)
          : X509_check_host(certificate, name.c_str(), name.size(),
                            X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, nullptr);
  if (fits == 1) return "";
  const std::vector<std::string> names =
      AltNames(certificate, is_address ? GEN_IPADD : GEN_DNS);
  if (names.empty() && is_address) {
    return absl::StrCat("x509: cannot validate certificate for ", name,
                        " because it doesn't contain any IP SANs");
  }
  if (names.empty()) {
    return absl::StrCat(
        "x509: certificate is not valid for any names, but wanted to match ",
        name);
  }
  return absl::StrCat("x509: certificate is valid for ",
                      absl::StrJoin(names, ", "), ", not ", name);
}

std::string ChainError(int code) {
  switch (code) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "x509: certificate signed by unknown authority";
    case X509_V_ERR_CERT_NOT_YET_VALID:
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "x509: certificate has expired or is not yet valid";
    default:
      return absl::StrCat("x509: ", X509_verify_cert_error_string(code));
  }
}

int Verify(X509_STORE_CTX* store, void* user) {
  auto* peer = static_cast<TlsPeer*>(user);
  if (!peer->verify) return 1;
  // Go looks at the name first.
  peer->error = NameError(X509_STORE_CTX_get0_cert(store), peer->name);
  if (peer->error.empty() && X509_verify_cert(store) != 1) {
    peer->error = ChainError(X509_STORE_CTX_get_error(store));
  }
  return peer->error.empty() ? 1 : 0;
}

}  // namespace

bool IsIpAddress(const std::string& name) {
  unsigned char bytes[16];
  return inet_pton(AF_INET, name.c_str(), bytes) == 1 ||
         inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

void ConfigureTls(SSL_CTX* context, const TlsClientOptions& options,
                  TlsPeer* peer) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context, Verify, peer);
  if (peer->verify) {
    if (options.ca_file.empty() && options.ca_path.empty()) {
      SSL_CTX_set_default_verify_paths(context);
    } else {
      SSL_CTX_load_verify_locations(
          context, options.ca_file.empty() ? nullptr : options.ca_file.c_str(),
          options.ca_path.empty() ? nullptr : options.ca_path.c_str());
    }
  }
  if (!options.cert_file.empty()) {
    SSL_CTX_use_certificate_chain_file(context, options.cert_file.c_str());
    SSL_CTX_use_PrivateKey_file(context,
                                options.key_file.empty()
                                    ? options.cert_file.c_str()
                                    : options.key_file.c_str(),
                                SSL_FILETYPE_PEM);
  }
  ERR_clear_error();  // what could not be read shows in the handshake
}

std::string TlsErrorText() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* const reason = ERR_reason_error_string(code);
  const std::string text = reason == nullptr ? "handshake failed" : reason;
  if (absl::StrContains(text, "wrong version number") ||
      absl::StrContains(text, "http request") ||
      absl::StrContains(text, "packet length too long")) {
    return "tls: first record does not look like a TLS handshake";
  }
  return absl::StrCat("tls: ", text);
}

}  // namespace dnsd
