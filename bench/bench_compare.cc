// Holds two results of serve_cost against each other.
//
//   bench_compare OLD.json NEW.json
//
// Exit code 1: something is worse beyond the quartiles of both; 2: they cannot
// be compared.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/serve/serve_compare.h"
#include "bench/serve/serve_report.h"
#include "tests/testing/temp_dir.h"

namespace dnsd::testing {
namespace {

// False, having said why, when it is not a result.
bool Read(const std::string& path, std::vector<ServeTable>* tables) {
  absl::StatusOr<std::vector<ServeTable>> read = ReadTables(ReadFile(path));
  if (!read.ok()) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(),
                 std::string(read.status().message()).c_str());
    return false;
  }
  *tables = *std::move(read);
  return true;
}

int Main(const std::vector<std::string>& arguments) {
  if (arguments.size() != 2) {
    std::fprintf(stderr, "usage: bench_compare OLD.json NEW.json\n");
    return 2;
  }
  std::vector<ServeTable> old_tables;
  std::vector<ServeTable> new_tables;
  if (!Read(arguments[0], &old_tables) || !Read(arguments[1], &new_tables)) {
    return 2;
  }
  const std::vector<ServeChange> changes = ChangesOf(old_tables, new_tables);
  if (changes.empty()) {
    std::fprintf(stderr, "no workload and server that both have\n");
    return 2;
  }
  std::printf("%s", ChangesText(changes).c_str());
  using Verdict = ServeChange::Verdict;
  return std::ranges::any_of(changes,
                             [](const ServeChange& change) {
                               return change.rate == Verdict::kWorse ||
                                      change.cpu == Verdict::kWorse;
                             })
             ? 1
             : 0;
}

}  // namespace
}  // namespace dnsd::testing

int main(int argc, char** argv) {
  return dnsd::testing::Main({argv + 1, argv + argc});
}
