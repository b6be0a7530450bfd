// The verbs `services register` and `services deregister`: services from
// configuration files, JSON and HCL, or from flags, to and from an agent.
//
// Threads: the main thread; they block.
// Errors:  exit code 1, and why on standard error. All files are read before
//          anything is sent, so a bad file changes nothing.
#ifndef DNSD_DNSD_CLI_SERVICE_VERBS_H_
#define DNSD_DNSD_CLI_SERVICE_VERBS_H_

#include <string>
#include <vector>

namespace dnsd {

// `args` begins with the name of the sub-verb.
[[nodiscard]] int ServicesVerb(const std::vector<std::string>& args);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_SERVICE_VERBS_H_
