// A report as a picture: for each workload a bar for each server, its rate to
// the yardstick's with the quartiles over rounds.
//
// Threads: any; no state.
#ifndef DNSD_BENCH_SERVE_SERVE_PLOT_H_
#define DNSD_BENCH_SERVE_SERVE_PLOT_H_

#include <string>
#include <vector>

#include "bench/serve/serve_report.h"

namespace dnsd::testing {

// SVG.
[[nodiscard]] std::string PlotText(const std::vector<ServeTable>& tables);

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_SERVE_SERVE_PLOT_H_
