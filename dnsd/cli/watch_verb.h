// `watch`: a view of the catalog once, or a command for each of its changes.
//
// Threads: the main thread; it blocks. With a command it ends when that fails
//          or a signal comes, else never.
// Errors:  exit code 1, and why on standard error. An answer that fails while
//          it watches is said and asked for again, after 5 seconds, 20, 45, …,
//          at most 3 minutes.
#ifndef DNSD_DNSD_CLI_WATCH_VERB_H_
#define DNSD_DNSD_CLI_WATCH_VERB_H_

#include <string>
#include <vector>

namespace dnsd {

[[nodiscard]] int WatchVerb(const std::vector<std::string>& args);

}  // namespace dnsd

#endif  // DNSD_DNSD_CLI_WATCH_VERB_H_
