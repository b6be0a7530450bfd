#include "tests/testing/authority.h"

#include "absl/strings/str_cat.h"
#include "tests/testing/process.h"

namespace dnsd::testing {

Authority::Authority() {
  Run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
       "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
       "/CN=Test CA", "-keyout", dir_.Path("ca.key"), "-out", ca_file()});
}

void Authority::Issue(const std::string& name, const std::string& names) {
  Run({"openssl", "req", "-newkey", "ec", "-pkeyopt",
       "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + name,
       "-keyout", key(name), "-out", dir_.Path("request")});
  const std::string extensions =
      dir_.Write("extensions", absl::StrCat("subjectAltName=", names, "\n"));
  Run({"openssl", "x509", "-req", "-in", dir_.Path("request"), "-CA", ca_file(),
       "-CAkey", dir_.Path("ca.key"), "-CAcreateserial", "-days", "2",
       "-extfile", extensions, "-out", certificate(name)});
}

void Authority::Run(const std::vector<std::string>& command) {
  if (RunToEnd(command).exit_code != 0) ok_ = false;
}

}  // namespace dnsd::testing
