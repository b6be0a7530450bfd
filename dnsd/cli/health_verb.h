// `dnsd health`: whether an agent is well, as an exit code and one line; what
// containers and monitoring call.
//
// Threads: the main thread; it blocks, at most as long as -timeout says.
// Errors:  the exit code 1, and why on standard error.
#ifndef DNSD_DNSD_CLI_HEALTH_VERB_H_
#define DNSD_DNSD_CLI_HEALTH_VERB_H_

#include <string>
#include <vector>

namespace dnsd {

[[nodiscard]] int HealthVerb(const std::vector<std::string>& args);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_HEALTH_VERB_H_
