// TestSeed makes random tests repeatable.
//
// The seed is fixed unless the test was started with --seed=N (or with
// DNSD_SEED=N in the environment, which also reaches tests started by ctest).
// It is printed, so that a failure in a log can be replayed.
//
// Threads: any. No shared state: the same answer each time.
#ifndef DNSD_TESTS_TESTING_SEEDS_H_
#define DNSD_TESTS_TESTING_SEEDS_H_

#include <cstdint>

namespace dnsd::testing {

// Prints "seed: N" and returns it. Call it once per test, at its top.
[[nodiscard]] uint64_t TestSeed();

// `count` in optimised builds, a fraction of it (but at least 1) under
// sanitizers and without optimisation, where each step is slower.
[[nodiscard]] int Scaled(int count);

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_TESTING_SEEDS_H_
