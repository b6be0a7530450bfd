#include "dnsd/config_forward_tls.h"

#include <openssl/x509.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "dnsd/forward/tls_trust.h"
#include "dnsd/http/pem_file.h"

namespace dnsd {
namespace {

using Certificates = std::vector<Certificate>;

bool AnybodyOverTls(const Config& config) {
  return std::any_of(config.forward.begin(), config.forward.end(),
                     [](const ForwardRuleConfig& rule) {
                       return std::any_of(
                           rule.to.begin(), rule.to.end(),
                           [](const UpstreamConfig& to) { return to.tls; });
                     });
}

// Where OpenSSL looks for them. It would read its directory while it shakes
// hands; all of them at once is a file.
absl::StatusOr<Certificates> ReadSystems() {
  const char* const given = std::getenv(X509_get_default_cert_file_env());
  const std::string files[] = {
      given == nullptr ? "" : given, X509_get_default_cert_file(),
      absl::StrCat(X509_get_default_cert_dir(), "/ca-certificates.crt")};
  for (const std::string& file : files) {
    std::error_code error;
    if (std::filesystem::exists(file, error)) return ReadCertificates(file);
  }
  return absl::NotFoundError(
      "TLS needs to know whose certificates are good: this system has no "
      "authorities, and recursor_ca_file is not given");
}

}  // namespace

void ResolveForwardTls(const Settings& settings, Config* config,
                       Problems* problems) {
  // Files that nobody needs are not looked at.
  if (!AnybodyOverTls(*config)) return;
  Place place = settings.PlaceOf("recursors");
  if (place.key.empty()) place.key = "forward";
  const Setting* const file = settings.Find("dns_config.recursor_ca_file");
  const Setting* const path = settings.Find("dns_config.recursor_ca_path");
  absl::StatusOr<Certificates> read;
  if (file != nullptr && !file->text.empty()) {
    place = file->place;
    read = ReadCertificates(file->text);
  } else if (path != nullptr && !path->text.empty()) {
    place = path->place;
    read = ReadCertificatesIn(path->text);
  } else {
    read = ReadSystems();
  }
  if (!read.ok()) {
    problems->Error(place, read.status().message());
    return;
  }
  std::vector<X509*> authorities;
  for (const Certificate& one : *read) authorities.push_back(one.get());
  config->recursor_trust = TlsTrust::Create(authorities);
}

}  // namespace dnsd
