// Authority is a certificate authority in a directory of its own: what tests of
// TLS need, made by the openssl command.
//
// Threads:   one owner.
// Ownership: the files go with it.
// Errors:    a command that fails is a failure of the test.
#ifndef DNSD_TESTS_TESTING_AUTHORITY_H_
#define DNSD_TESTS_TESTING_AUTHORITY_H_

#include <string>

#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

class Authority {
 public:
  explicit Authority(const std::string& name = "Test CA");

  // A certificate `name`.crt and its `name`.key, for servers and clients: of
  // localhost and 127.0.0.1 if `names` does not say otherwise, in openssl's
  // words. Made again, it is another one in the same files. -1 days: it has
  // expired.
  void Issue(const std::string& name,
             const std::string& names = "DNS:localhost,IP:127.0.0.1",
             int days = 2) const;

  [[nodiscard]] std::string ca_file() const { return dir_.Path("ca.crt"); }
  [[nodiscard]] std::string certificate(const std::string& name) const {
    return dir_.Path(name + ".crt");
  }
  [[nodiscard]] std::string key(const std::string& name) const {
    return dir_.Path(name + ".key");
  }
  [[nodiscard]] const TempDir& dir() const { return dir_; }

 private:
  TempDir dir_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_AUTHORITY_H_
