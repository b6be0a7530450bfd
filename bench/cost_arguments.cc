#include "bench/cost_arguments.h"

#include <algorithm>
#include <cstdio>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "bench/process_cpu.h"

namespace dnsd::testing {

bool ComparedServers::IsWanted(const std::string& name) const {
  return only.empty() || std::ranges::find(only, name) != only.end();
}

bool ComparedServers::TakeCores(const char* program) {
  const std::vector<int> cores = AllowedCores();
  if (cores.size() < 2) {
    std::fprintf(stderr, "%s: needs two cores\n", program);
    return false;
  }
  server_core = cores[0];
  load_core = cores[1];
  return true;
}

bool ReadCostArgument(absl::string_view argument, CostRounds* rounds,
                      ComparedServers* servers) {
  const std::vector<std::string> parts =
      absl::StrSplit(argument, absl::MaxSplits('=', 1));
  const std::string value = parts.size() > 1 ? parts[1] : "";
  if (parts[0] == "--rounds") return absl::SimpleAtoi(value, &rounds->rounds);
  if (parts[0] == "--slice-ms") {
    return absl::SimpleAtoi(value, &rounds->slice_ms);
  }
  if (parts[0] == "--only") {
    servers->only = absl::StrSplit(value, ',');
    return true;
  }
  if (parts[0] == "--also") {
    servers->also = value;
    return !value.empty();
  }
  rounds->json = value;
  return parts[0] == "--json" && !value.empty();
}

}  // namespace dnsd::testing
