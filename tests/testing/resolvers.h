// The DNS servers of others that `./dev` unpacks in build/resolvers, or where
// DNSD_RESOLVERS says.
//
// Threads: any.
#ifndef DNSD_TESTS_TESTING_RESOLVERS_H_
#define DNSD_TESTS_TESTING_RESOLVERS_H_

#include <string>
#include <vector>

namespace dnsd::testing {

// "sbin/named": its path below usr/ or beside it, or "" where it was not
// fetched.
[[nodiscard]] std::string ResolverProgram(const std::string& program);

// What starts it, with the libraries that were fetched along.
[[nodiscard]] std::vector<std::string> ResolverCommand(
    const std::string& path, const std::vector<std::string>& args);

// For programs that look for their parts in /usr: in a mount table of its own,
// where what was fetched lies over /usr. Needs root.
[[nodiscard]] std::vector<std::string> InstalledResolverCommand(
    const std::string& path, const std::vector<std::string>& args);
// Why that cannot work here, or "".
[[nodiscard]] std::string InstalledResolverProblem();

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_RESOLVERS_H_
