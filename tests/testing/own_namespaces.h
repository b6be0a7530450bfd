// EnterOwnNamespaces() gives the test program a network and a mount table of
// its own: a loopback interface and nothing else, every port free, and mounts
// that nobody else sees. Programs started from then on have them too.
//
// Threads: the first one, before there are others.
// Errors:  why it is not possible, as without root; then nothing has changed.
#ifndef DNSD_TESTS_TESTING_OWN_NAMESPACES_H_
#define DNSD_TESTS_TESTING_OWN_NAMESPACES_H_

#include <string>

namespace dnsd::testing {

// "" when the program is there, now or since an earlier call.
[[nodiscard]] std::string EnterOwnNamespaces();

// Then: makes /etc this program's own copy, and /run and /mnt empty ones, all
// in memory. "" or what failed, now or in an earlier call.
[[nodiscard]] std::string MakeMachineOwn();

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_OWN_NAMESPACES_H_
