#include "dnsd/http/pem_file.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace dnsd {
namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

absl::Status Bad(const std::string& path, absl::string_view why) {
  ERR_clear_error();
  return absl::InvalidArgumentError(absl::StrCat("\"", path, "\": ", why));
}

absl::StatusOr<std::string> ReadWhole(const std::string& file) {
  struct stat info;
  // Opening a pipe would wait for its writer.
  if (stat(file.c_str(), &info) != 0) return Bad(file, strerror(errno));
  if (!S_ISREG(info.st_mode)) return Bad(file, "is not a file");
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Bad(file, strerror(errno));
  std::string text;
  std::string piece(64u << 10, '\0');
  ssize_t got = 0;
  while ((got = read(fd, piece.data(), piece.size())) > 0 &&
         text.size() <= kPemFileBytesMax) {
    text.append(piece, 0, static_cast<size_t>(got));
  }
  const int error = got < 0 ? errno : 0;
  close(fd);
  OPENSSL_cleanse(piece.data(), piece.size());
  if (error != 0) return Bad(file, strerror(error));
  if (text.size() > kPemFileBytesMax) return Bad(file, "is too long");
  return text;
}

std::unique_ptr<BIO, BioFree> Open(const std::string& text) {
  return std::unique_ptr<BIO, BioFree>(
      BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Called for a key behind a passphrase; the default would ask the terminal.
int NoPassphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

void PemFree::operator()(X509* certificate) const { X509_free(certificate); }
void PemFree::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

std::string PemReason() {
  const char* const reason = ERR_reason_error_string(ERR_peek_last_error());
  return reason == nullptr ? "not readable" : reason;
}

absl::StatusOr<std::vector<Certificate>> ReadCertificates(
    const std::string& file) {
  const absl::StatusOr<std::string> text = ReadWhole(file);
  if (!text.ok()) return text.status();
  std::vector<Certificate> certificates;
  const auto bio = Open(*text);
  ERR_clear_error();
  for (;;) {  // each turn uses up a block of the text
    Certificate certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    certificates.push_back(std::move(certificate));
  }
  // At the end of the text there is no further block; else it is a bad one.
  const unsigned long error = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(error) == ERR_LIB_PEM &&
                      ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!at_end) return Bad(file, PemReason());
  if (certificates.empty()) return Bad(file, "has no certificate in PEM");
  ERR_clear_error();
  return certificates;
}

absl::StatusOr<std::vector<Certificate>> ReadCertificatesIn(
    const std::string& directory) {
  std::error_code error;
  std::vector<std::string> files;
  for (std::filesystem::directory_iterator at(directory, error), end;
       !error && at != end && files.size() <= kPemFilesMax;
       at.increment(error)) {
    std::error_code unknown;
    if (!at->is_directory(unknown)) files.push_back(at->path().string());
  }
  if (error) return Bad(directory, error.message());
  if (files.empty()) return Bad(directory, "has no files");
  if (files.size() > kPemFilesMax) return Bad(directory, "has too many files");
  std::sort(files.begin(), files.end());
  std::vector<Certificate> all;
  for (const std::string& file : files) {
    absl::StatusOr<std::vector<Certificate>> some = ReadCertificates(file);
    if (!some.ok()) return some.status();
    for (Certificate& certificate : *some) {
      const bool known =
          std::any_of(all.begin(), all.end(), [&](const Certificate& other) {
            return X509_cmp(other.get(), certificate.get()) == 0;
          });
      if (!known) all.push_back(std::move(certificate));
    }
  }
  return all;
}

absl::StatusOr<PrivateKey> ReadPrivateKey(const std::string& file) {
  absl::StatusOr<std::string> text = ReadWhole(file);
  if (!text.ok()) return text.status();
  ERR_clear_error();
  bool asked = false;
  PrivateKey key(PEM_read_bio_PrivateKey(Open(*text).get(), nullptr,
                                         NoPassphrase, &asked));
  OPENSSL_cleanse(text->data(), text->size());
  if (asked) return Bad(file, "the key is behind a passphrase");
  if (key == nullptr) return Bad(file, "has no private key in PEM");
  return key;
}

}  // namespace dnsd
