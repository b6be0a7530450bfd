// The arguments that forward_cost and serve_cost share: how long, which
// servers, on which cores.
//
// Threads: any.
#ifndef DNSD_BENCH_COST_ARGUMENTS_H_
#define DNSD_BENCH_COST_ARGUMENTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace dnsd::testing {

// Which of the servers, and where.
struct ComparedServers {
  int server_core = 0;
  int load_core = 1;
  std::string also;  // a program: another dnsd, for before and after
  // By name; empty: all. The yardsticks are always there.
  std::vector<std::string> only;

  [[nodiscard]] bool IsWanted(const std::string& name) const;
  // The first core for servers, the second for the load. False, having said
  // so, when there are not two.
  [[nodiscard]] bool TakeCores(const char* program);
};

struct CostRounds {
  size_t rounds = 20;
  size_t slice_ms = 250;  // of each server in each round
  std::string json;       // path; empty: none
};

// --rounds=N, --slice-ms=N, --only=NAME,..., --also=PATH, --json=PATH. False:
// another one, or not of its form.
[[nodiscard]] bool ReadCostArgument(absl::string_view argument,
                                    CostRounds* rounds,
                                    ComparedServers* servers);

}  // namespace dnsd::testing

#endif  // DNSD_BENCH_COST_ARGUMENTS_H_
