// The verbs that ask a running agent something over HTTP: reload, info.
//
// Threads: the main thread; they block.
// Errors:  exit code 1, and why on standard error.
#ifndef DNSD_DNSD_VERBS_H_
#define DNSD_DNSD_VERBS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace dnsd {

// `dnsd reload`: PUT /v1/agent/reload.
[[nodiscard]] int ReloadVerb(const std::vector<std::string>& args);

// `dnsd info`: the Stats of GET /v1/agent/self, as `consul info` prints them.
[[nodiscard]] int InfoVerb(const std::vector<std::string>& args);

// What InfoVerb() prints for an answer's body: sections and keys sorted, each
// key on a line of its own with a tab before it.
[[nodiscard]] absl::StatusOr<std::string> InfoText(absl::string_view json);

}  // namespace dnsd

#endif  // DNSD_DNSD_VERBS_H_
