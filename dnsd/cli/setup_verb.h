// The verb `setup-resolver`: makes this machine ask dnsd for its names, and
// takes that back.
//
// Threads: the main thread.
// Errors:  exit code 1, and why on standard error; then nothing was changed.
#ifndef DNSD_DNSD_CLI_SETUP_VERB_H_
#define DNSD_DNSD_CLI_SETUP_VERB_H_

#include <string>
#include <vector>

namespace dnsd {

[[nodiscard]] int SetupResolverVerb(const std::vector<std::string>& args);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_SETUP_VERB_H_
