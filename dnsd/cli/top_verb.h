// `dnsd top` shows what an agent does, as it does it.
//
// Threads: the main thread.
// Errors:  printed; the exit code says so.
#ifndef DNSD_DNSD_CLI_TOP_VERB_H_
#define DNSD_DNSD_CLI_TOP_VERB_H_

#include <string>
#include <vector>

namespace dnsd {

[[nodiscard]] int TopVerb(const std::vector<std::string>& args);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_TOP_VERB_H_
