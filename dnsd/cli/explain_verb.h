// dnsd explain NAME [TYPE]: what DNS would answer and why, for people.
//
// Threads: the main thread; it blocks.
// Errors:  exit code 1, and why on standard error.
#ifndef DNSD_DNSD_CLI_EXPLAIN_VERB_H_
#define DNSD_DNSD_CLI_EXPLAIN_VERB_H_

#include <string>
#include <vector>

#include "catalog/base/value.h"

namespace dnsd {

[[nodiscard]] int ExplainVerb(const std::vector<std::string>& args);

// What it prints for the JSON of GET /v1/dnsd/explain.
[[nodiscard]] std::string ExplanationText(const Value& explanation);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_EXPLAIN_VERB_H_
