// Answers for tests of decoders: recorded from a Consul 1.8.7, and made up.
//
// Threads: any.
#ifndef DNSD_TESTS_CATALOG_CONSUL_RECORDED_H_
#define DNSD_TESTS_CATALOG_CONSUL_RECORDED_H_

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {

// tests/testdata/consul/NAME.json.
inline std::string Recorded(const std::string& name) {
  const std::string text = ReadFile(
      absl::StrCat(DNSD_SOURCE_DIR, "/tests/testdata/consul/", name, ".json"));
  EXPECT_NE(text, "") << name;
  return text;
}

// An answer of /v1/internal/ui/nodes: one instance, with these members after
// its names.
inline std::string InstanceWith(const std::string& members) {
  return absl::StrCat(
      R"([{"Node":"n","Address":"10.0.0.1","Services":[{"ID":"i","Service":)"
      R"("s")",
      members.empty() ? "" : ",", members, "}]}]");
}

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_CONSUL_RECORDED_H_
