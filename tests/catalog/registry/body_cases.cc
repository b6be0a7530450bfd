#include "tests/catalog/registry/body_cases.h"

#include <fstream>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "catalog/registry/api_body.h"

namespace dnsd::testing {
namespace {

absl::Status Decode(const std::string& kind, const std::string& body) {
  if (kind == "service") return DecodeServiceBody(body).status();
  if (kind == "check") return DecodeCheckBody(body).status();
  if (kind == "update") return DecodeCheckUpdate(body).status();
  if (kind == "catalog") return DecodeCatalogRegistration(body).status();
  if (kind == "removal") return DecodeCatalogDeregistration(body).status();
  const auto query = DecodeQueryBody(body);
  // The route's rule: what is created has no id yet.
  if (query.ok() && !query->query.id.empty()) {
    return absl::FailedPreconditionError(
        "ID must be empty when creating a new prepared query");
  }
  return query.status();
}

}  // namespace

std::vector<BodyCase> BodyCases() {
  std::vector<BodyCase> cases;
  std::ifstream file(
      absl::StrCat(DNSD_SOURCE_DIR, "/tests/testdata/api_bodies/same.txt"));
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, '\t');
    BodyCase one;
    if (parts.size() != 4 || !absl::SimpleAtoi(parts[1], &one.status) ||
        !absl::CUnescape(parts[2], &one.body) ||
        !absl::CUnescape(parts[3], &one.text)) {
      continue;
    }
    one.kind = parts[0];
    cases.push_back(std::move(one));
  }
  return cases;
}

BodyRequest RequestOf(const std::string& kind) {
  if (kind == "service") return {"PUT", "/v1/agent/service/register"};
  if (kind == "check") return {"PUT", "/v1/agent/check/register"};
  if (kind == "update") return {"PUT", "/v1/agent/check/update/ttl"};
  if (kind == "catalog") return {"PUT", "/v1/catalog/register"};
  if (kind == "removal") return {"PUT", "/v1/catalog/deregister"};
  return {"POST", "/v1/query"};
}

DecoderAnswer AskDecoder(const std::string& kind, const std::string& body) {
  const absl::Status status = Decode(kind, body);
  if (status.ok()) return {};
  return {status.code() == absl::StatusCode::kInvalidArgument ? 400 : 500,
          std::string(status.message())};
}

}  // namespace dnsd::testing
