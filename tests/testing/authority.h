// Authority is a certificate authority of a test, made by the openssl command.
//
// Threads:   one owner.
// Ownership: its files go with it.
// Errors:    ok() is false when openssl failed; nothing else helps then.
#ifndef DNSD_TESTS_TESTING_AUTHORITY_H_
#define DNSD_TESTS_TESTING_AUTHORITY_H_

#include <string>
#include <vector>

#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

class Authority {
 public:
  Authority();

  // Makes a certificate and its key for a server or a client: of localhost and
  // 127.0.0.1 if `names` does not say otherwise, in openssl's words.
  void Issue(const std::string& name,
             const std::string& names = "DNS:localhost,IP:127.0.0.1");

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] std::string ca_file() const { return dir_.Path("ca.crt"); }
  [[nodiscard]] std::string certificate(const std::string& name) const {
    return dir_.Path(name + ".crt");
  }
  [[nodiscard]] std::string key(const std::string& name) const {
    return dir_.Path(name + ".key");
  }

 private:
  void Run(const std::vector<std::string>& command);

  TempDir dir_;
  bool ok_ = true;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_AUTHORITY_H_
