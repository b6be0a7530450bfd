// What mirror_delay is told on its command line.
//
// Threads: any.
#ifndef DNSD_BENCH_MIRROR_OPTIONS_H_
#define DNSD_BENCH_MIRROR_OPTIONS_H_

#include <cstddef>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/string_view.h"
#include "tests/testing/consul_process.h"

namespace dnsd::testing {

struct MirrorDelayOptions {
  size_t services = 100;
  size_t changes = 200;
  size_t cold_changes = 20;
  size_t idle_seconds = 60;
  std::string consul;
};

inline bool ReadNumber(absl::string_view argument, absl::string_view flag,
                       size_t* number) {
  if (argument.substr(0, flag.size()) != flag) return false;
  return absl::SimpleAtoi(argument.substr(flag.size()), number);
}

// Nothing, having said why, when an argument is unknown or no Consul is found.
inline std::optional<MirrorDelayOptions> ReadOptions(
    const std::vector<std::string>& arguments) {
  MirrorDelayOptions options;
  options.consul = ConsulBinary().value_or("");
  for (const std::string& argument : arguments) {
    constexpr absl::string_view kConsul = "--consul=";
    if (absl::string_view(argument).substr(0, kConsul.size()) == kConsul) {
      options.consul = argument.substr(kConsul.size());
    } else if (!ReadNumber(argument, "--services=", &options.services) &&
               !ReadNumber(argument, "--changes=", &options.changes) &&
               !ReadNumber(argument,
                           "--cold-changes=", &options.cold_changes) &&
               !ReadNumber(argument,
                           "--idle-seconds=", &options.idle_seconds)) {
      std::fprintf(stderr, "mirror_delay: unknown: %s\n", argument.c_str());
      return std::nullopt;
    }
  }
  if (options.consul.empty() || options.services == 0) {
    std::fprintf(stderr, "mirror_delay: no Consul: set DNSD_CONSUL\n");
    return std::nullopt;
  }
  return options;
}

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_MIRROR_OPTIONS_H_
