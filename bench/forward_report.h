// What forward_cost measured, and how it is told.
//
// Threads: values.
// Units:   as the names say; a quantile of slices is one over rounds.
#ifndef DNSD_BENCH_FORWARD_REPORT_H_
#define DNSD_BENCH_FORWARD_REPORT_H_

#include <cstddef>
#include <string>
#include <vector>

namespace dnsd::testing {

// Of one server in one round.
struct ForwardSlice {
  size_t right = 0;
  size_t wrong = 0;
  size_t lost = 0;
  double per_second = 0;
  double cpu_us = 0;            // of the server, for each right answer
  double busy = 0;              // of its core; 1: all the time
  double upstream_queries = 0;  // for each right answer
  double delay_us_median = 0;
  double delay_us_p99 = 0;
};

struct ForwardRow {
  std::string server;
  std::vector<ForwardSlice> slices;  // of round 0, 1, ...
  double user_ticks = 0;
  double system_ticks = 0;
};

// The first row is the yardstick.
struct ForwardTable {
  std::string name;  // "cache hits"
  // Delays above the yardstick's; else CPU time and its ratio to dnsd's.
  bool is_delay = false;
  std::vector<ForwardRow> rows;
};

// In Markdown.
[[nodiscard]] std::string TableText(const ForwardTable& table);
[[nodiscard]] std::string JsonText(const std::vector<ForwardTable>& tables);

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_FORWARD_REPORT_H_
