// Certificates and keys from PEM files, with errors for people.
//
// Threads: any; blocks on file I/O.
// Errors:  kInvalidArgument with the file and the reason; never with anything
//          that stands in it. A key behind a passphrase is one: nobody is
//          asked for it.
// Limits:  kPemFileBytesMax per file, kPemFilesMax per directory.
#ifndef DNSD_DNSD_HTTP_PEM_FILE_H_
#define DNSD_DNSD_HTTP_PEM_FILE_H_

#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace dnsd {

// All authorities of a Debian system are 200 KiB.
inline constexpr size_t kPemFileBytesMax = 4u << 20;
inline constexpr size_t kPemFilesMax = 1000;

struct PemFree {
  void operator()(X509* certificate) const;
  void operator()(EVP_PKEY* key) const;
};
using Certificate = std::unique_ptr<X509, PemFree>;
using PrivateKey = std::unique_ptr<EVP_PKEY, PemFree>;

// All certificates of a file, in order; at least one.
[[nodiscard]] absl::StatusOr<std::vector<Certificate>> ReadCertificates(
    const std::string& file);
// Those of every file of a directory, sub-directories left out, each once.
[[nodiscard]] absl::StatusOr<std::vector<Certificate>> ReadCertificatesIn(
    const std::string& directory);
[[nodiscard]] absl::StatusOr<PrivateKey> ReadPrivateKey(
    const std::string& file);

// What OpenSSL's last error says.
[[nodiscard]] std::string PemReason();

}  // namespace dnsd

#endif  // DNSD_DNSD_HTTP_PEM_FILE_H_
