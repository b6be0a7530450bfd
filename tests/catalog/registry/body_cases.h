// Bodies that Consul refuses or takes in odd ways: what a decoder's test and
// the comparison with a real Consul have in common.
#ifndef DNSD_TESTS_CATALOG_REGISTRY_BODY_CASES_H_
#define DNSD_TESTS_CATALOG_REGISTRY_BODY_CASES_H_

#include <span>
#include <string>

namespace dnsd::testing {

// Which request a body is of.
enum class BodyKind { kService, kCheck, kUpdate, kCatalog, kRemoval, kQuery };

struct BodyCase {
  BodyKind kind;
  const char* body;
  int status;        // of Consul 1.8.7
  const char* text;  // its answer, where it is an error
};

// Where both say the same.
[[nodiscard]] std::span<const BodyCase> SameCases();

// "PUT" and "/v1/..." of a kind; updates are of the check "ttl".
struct BodyRequest {
  const char* method;
  const char* path;
};
[[nodiscard]] BodyRequest RequestOf(BodyKind kind);

// What our decoder says: the status as HTTP has it, and the text; 200 and ""
// when it takes the body.
struct Decoded {
  int status = 200;
  std::string text;
};
[[nodiscard]] Decoded Decode(BodyKind kind, const std::string& body);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_REGISTRY_BODY_CASES_H_
