// RegisterLoad keeps some HTTP connections busy with registrations, one on its
// way on each, and counts what is answered.
//
// Threads: one owner; it works in the calling thread.
// Errors:  a connection that fails, or an answer that is not 200, ends the run
//          with a message.
// Limits:  a run ends after its time or its requests, whichever is first.
#ifndef DNSD_BENCH_REGISTER_LOAD_H_
#define DNSD_BENCH_REGISTER_LOAD_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace dnsd::testing {

struct RegisterLoadOptions {
  uint16_t port = 0;  // of 127.0.0.1
  size_t connections = 16;
  size_t requests_max = 1u << 30;
  std::chrono::milliseconds time_max{5'000};
  std::string path;
  std::function<std::string(size_t i)> body;  // of the i-th request
};

struct RegisterLoadResult {
  size_t answered = 0;
  double seconds = 0;
  std::vector<double> delays_ms;  // sorted

  [[nodiscard]] double per_second() const {
    return seconds > 0 ? static_cast<double>(answered) / seconds : 0;
  }
};

[[nodiscard]] absl::StatusOr<RegisterLoadResult> RunRegisterLoad(
    const RegisterLoadOptions& options);

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_REGISTER_LOAD_H_
