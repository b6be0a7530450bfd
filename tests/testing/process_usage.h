// What a running process holds, by /proc.
//
// Threads: any.
// Errors:  0 for one that is not there.
#ifndef DNSD_TESTS_TESTING_PROCESS_USAGE_H_
#define DNSD_TESTS_TESTING_PROCESS_USAGE_H_

#include <sys/types.h>

#include <cstddef>

namespace dnsd::testing {

// Its open descriptors.
[[nodiscard]] size_t OpenFiles(pid_t pid);
// Its memory that is not swapped out (VmRSS).
[[nodiscard]] size_t ResidentBytes(pid_t pid);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_PROCESS_USAGE_H_
