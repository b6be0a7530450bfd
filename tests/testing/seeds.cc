#include "tests/testing/seeds.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"

namespace dnsd::testing {
namespace {

constexpr uint64_t kSeedDefault = 20220623;

#if defined(__SANITIZE_THREAD__)
constexpr int kSlowness = 20;
#elif defined(__SANITIZE_ADDRESS__) || !defined(__OPTIMIZE__)
constexpr int kSlowness = 10;
#else
constexpr int kSlowness = 1;
#endif

// The value of --seed on our command line, or "". gtest_main owns main(), so
// the arguments are read from the kernel, where they end in NUL each.
std::string SeedFlag() {
  std::ifstream command_line("/proc/self/cmdline", std::ios::binary);
  constexpr absl::string_view kFlag = "--seed=";
  std::string argument;
  std::string value;
  while (std::getline(command_line, argument, '\0')) {
    if (absl::StartsWith(argument, kFlag)) {
      value = argument.substr(kFlag.size());
    }
  }
  return value;
}

}  // namespace

uint64_t TestSeed() {
  std::string text = SeedFlag();
  if (text.empty()) {
    const char* variable = std::getenv("DNSD_SEED");
    text = variable == nullptr ? "" : variable;
  }
  uint64_t seed = kSeedDefault;
  if (!text.empty() && !absl::SimpleAtoi(text, &seed)) {
    std::fprintf(stderr, "seed: '%s' is not a number\n", text.c_str());
    std::exit(2);
  }
  std::fprintf(stderr, "seed: %llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

int Scaled(int count) { return std::max(1, count / kSlowness); }

}  // namespace dnsd::testing
