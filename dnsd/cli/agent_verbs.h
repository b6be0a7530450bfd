// The verbs that are about the agent that is asked: info, reload, leave,
// members, maint. What they print is what Consul's print.
//
// Threads: the main thread; they block.
// Errors:  the exit code, and why on standard error.
#ifndef DNSD_DNSD_CLI_AGENT_VERBS_H_
#define DNSD_DNSD_CLI_AGENT_VERBS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "catalog/base/value.h"

namespace dnsd {

[[nodiscard]] int InfoVerb(const std::vector<std::string>& args);
[[nodiscard]] int LeaveVerb(const std::vector<std::string>& args);
// 2 when there are no members.
[[nodiscard]] int MembersVerb(const std::vector<std::string>& args);
[[nodiscard]] int MaintVerb(const std::vector<std::string>& args);
[[nodiscard]] int ReloadVerb(const std::vector<std::string>& args);

// What InfoVerb() prints for an answer's JSON: sections and keys sorted, each
// key on a line of its own with a tab before it.
[[nodiscard]] absl::StatusOr<std::string> InfoText(const Value& self);

// The tables of MembersVerb() for the members of an answer, which are sorted
// by name first. No line end at the end.
[[nodiscard]] std::string MembersText(std::vector<Value> members,
                                      bool detailed);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_AGENT_VERBS_H_
