// Bodies and what Consul 1.8.7 answered to them (tests/testdata/api_bodies):
// what the decoders' test and the comparison with a real Consul have in common.
//
// Threads: any; no shared state.
#ifndef DNSD_TESTS_CATALOG_REGISTRY_BODY_CASES_H_
#define DNSD_TESTS_CATALOG_REGISTRY_BODY_CASES_H_

#include <string>
#include <vector>

namespace dnsd::testing {

struct BodyCase {
  std::string kind;  // "service", "check", "update", "catalog", "removal",
                     // "query"
  std::string body;
  int status = 0;
  std::string text;  // of the answer, where it is an error
};

// Empty when the file cannot be read.
[[nodiscard]] std::vector<BodyCase> BodyCases();

// Where a body of the kind goes; updates are of the check "ttl".
struct BodyRequest {
  const char* method;
  const char* path;
};
[[nodiscard]] BodyRequest RequestOf(const std::string& kind);

// What our decoder says: the status HTTP has for it, and its text; 200 and ""
// for a body that it takes.
struct DecoderAnswer {
  int status = 200;
  std::string text;
};
[[nodiscard]] DecoderAnswer AskDecoder(const std::string& kind,
                                       const std::string& body);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_REGISTRY_BODY_CASES_H_
