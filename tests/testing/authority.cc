#include "tests/testing/authority.h"

#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/process.h"

namespace dnsd::testing {
namespace {

void Run(const std::vector<std::string>& command) {
  const Finished finished = RunToEnd(command);
  ASSERT_EQ(finished.exit_code, 0) << finished.output;
}

}  // namespace

Authority::Authority(const std::string& name) {
  Run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
       "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
       "/CN=" + name, "-keyout", dir_.Path("ca.key"), "-out", ca_file()});
}

void Authority::Issue(const std::string& name, const std::string& names,
                      int days) const {
  Run({"openssl", "req", "-newkey", "ec", "-pkeyopt",
       "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + name,
       "-keyout", key(name), "-out", dir_.Path("request")});
  const std::string extensions =
      dir_.Write("extensions", "subjectAltName=" + names + "\n");
  Run({"openssl", "x509", "-req", "-in", dir_.Path("request"), "-CA", ca_file(),
       "-CAkey", dir_.Path("ca.key"), "-CAcreateserial", "-days",
       std::to_string(days), "-extfile", extensions, "-out",
       certificate(name)});
}

}  // namespace dnsd::testing
