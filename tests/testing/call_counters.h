// Counts what the hot path may not do: allocations, locks, looks at the clock.
// Linked into an executable of its own: it puts itself in front of malloc,
// pthread_mutex_lock and clock_gettime.
//
// Under sanitizers, which have those places themselves, allocations are
// counted by the sanitizer's hooks and the rest is left to the plain build.
//
// Threads: only what a thread itself does between its Arm() and Disarm()
// counts.
#ifndef DNSD_TESTS_TESTING_CALL_COUNTERS_H_
#define DNSD_TESTS_TESTING_CALL_COUNTERS_H_

namespace dnsd::testing {

struct CallCounts {
  int allocations = 0;
  int frees = 0;
  int locks = 0;
  int clocks = 0;
};

// Before the first Arm(), from a test.
void InstallCallCounters();
// Whether this build counts locks and looks at the clock.
[[nodiscard]] bool CountsLocks();

void Arm();
[[nodiscard]] CallCounts Disarm();

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_CALL_COUNTERS_H_
