// `dnsd monitor` shows the log of an agent as it is written, until Ctrl-C.
//
// Threads: the main thread; it blocks.
// Errors:  printed; the exit code says so. It is 0 after SIGINT and SIGTERM,
//          and 1 when the agent ended the log, as with `consul monitor`.
#ifndef DNSD_DNSD_CLI_MONITOR_VERB_H_
#define DNSD_DNSD_CLI_MONITOR_VERB_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dnsd {

[[nodiscard]] int MonitorVerb(const std::vector<std::string>& args);

// Lines of an agent's log for a terminal: control characters, which no agent
// of ours sends, are escaped.
[[nodiscard]] std::string MonitorText(absl::string_view lines);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_MONITOR_VERB_H_
