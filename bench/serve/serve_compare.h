// Two reports against each other. Machines drift, so what is compared is the
// ratio to the yardstick of the same run, and a difference counts where the
// quartiles do not overlap.
//
// Threads: any; no state.
#ifndef DNSD_BENCH_SERVE_SERVE_COMPARE_H_
#define DNSD_BENCH_SERVE_SERVE_COMPARE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "bench/serve/serve_report.h"

namespace dnsd::testing {

struct ServeChange {
  enum class Verdict : uint8_t { kSame, kBetter, kWorse };

  std::string workload;
  std::string server;
  Spread old_rate;  // to the yardstick's
  Spread new_rate;
  Spread old_cpu;
  Spread new_cpu;
  Verdict rate = Verdict::kSame;
  Verdict cpu = Verdict::kSame;
};

// Of what both have, in the order of the new one, without yardsticks.
[[nodiscard]] std::vector<ServeChange> ChangesOf(
    const std::vector<ServeTable>& old_tables,
    const std::vector<ServeTable>& new_tables);

// In Markdown.
[[nodiscard]] std::string ChangesText(const std::vector<ServeChange>& changes);

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_SERVE_SERVE_COMPARE_H_
