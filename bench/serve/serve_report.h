// What the serving benchmark measured, and how it is told: summed up over
// rounds, as a table, and as JSON that can be read again.
//
// Threads: values.
// Units:   as the names say; a quantile of slices is one over rounds.
#ifndef DNSD_BENCH_SERVE_SERVE_REPORT_H_
#define DNSD_BENCH_SERVE_SERVE_REPORT_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "bench/load_result.h"
#include "bench/spread.h"

namespace dnsd::testing {

// Of one server in one round.
struct ServeSlice {
  size_t right = 0;
  size_t wrong = 0;
  size_t lost = 0;
  size_t reconnects = 0;
  double per_second = 0;
  double cpu_us = 0;  // of the server, for each right answer
  double busy = 0;    // of its core; 1: all the time
  double delay_us_50 = 0;
  double delay_us_99 = 0;
  double delay_us_999 = 0;
  double answer_bytes = 0;
};
// `cpu_seconds` is what the server used meanwhile.
[[nodiscard]] ServeSlice SliceOf(LoadResult result, double cpu_seconds);

struct ServeRow {
  std::string server;
  std::vector<ServeSlice> slices;  // of round 0, 1, ...
  double user_ticks = 0;
  double system_ticks = 0;
};

// The same of all its rounds.
struct ServeSummary {
  std::string server;
  size_t rounds = 0;
  size_t right = 0;
  size_t wrong = 0;
  size_t lost = 0;
  size_t reconnects = 0;
  double user_share = 0;  // of the CPU time
  Spread per_second;
  Spread cpu_us;
  Spread busy;
  Spread delay_us_50;
  Spread delay_us_99;
  Spread delay_us_999;
  Spread answer_bytes;
  // To the yardstick's slice of the same round.
  Spread rate_ratio;
  Spread cpu_ratio;
};

struct ServeTable {
  std::string workload;  // "udp"
  std::string title;     // for people
  std::vector<ServeSummary> rows;
};

// The first row is the yardstick.
[[nodiscard]] std::vector<ServeSummary> Summed(
    const std::vector<ServeRow>& rows);

// In Markdown.
[[nodiscard]] std::string TableText(const ServeTable& table);

[[nodiscard]] std::string JsonText(const std::vector<ServeTable>& tables);
[[nodiscard]] absl::StatusOr<std::vector<ServeTable>> ReadTables(
    absl::string_view json);

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_SERVE_SERVE_REPORT_H_
