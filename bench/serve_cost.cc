// What serving costs, beside Knot, NSD and a Consul 1.8.7, interleaved in one
// run, all with the same catalog.
//
//   serve_cost [--quick] [--rounds=N] [--slice-ms=N] [--workloads=NAME,...]
//              [--only=SERVER,...] [--also=DNSD] [--big] [--json=PATH]
//
// A table for each workload: how much a server takes over UDP and TCP, its CPU
// time for each answer, and the delay. Each server is measured for a slice,
// round by round, in an order that turns; ratios are of slices of one round.
//
// The yardstick stands first: an echo whose answers are as long, so what the
// kernel alone costs.
//
// Needs two cores: servers run on the first, this program on the second. Whom
// `./dev` did not fetch is left out. dnsd is the one of this build or
// DNSD_BINARY; --also is another beside it, for before and after. --big is a
// catalog of 100,000 services of 10 instances, without Consul and with fewer
// workloads, unless arguments behind it say so; loading it takes minutes.
// --json=PATH is for bench_compare; a plot goes to PATH with .svg.
//
// Exit code 2: something failed, or a server gave a wrong answer. 77: there is
// only one core.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "bench/cost_arguments.h"
#include "bench/process_cpu.h"
#include "bench/serve/catalog_changes.h"
#include "bench/serve/questions.h"
#include "bench/serve/serve_plot.h"
#include "bench/serve/serve_report.h"
#include "bench/serve/serve_servers.h"
#include "bench/serve/workloads.h"

namespace dnsd::testing {
namespace {

struct Options : CostRounds {
  std::vector<std::string> workloads;  // empty: all
  bool needs_edns = false;             // answers are longer than 512 bytes
  ServeServersOptions servers;
};

class ServeCost {
 public:
  explicit ServeCost(Options options)
      : options_(std::move(options)), servers_(options_.servers) {}

  // False: it cannot be said.
  bool Run() {
    if (!servers_.Start()) return false;
    for (const ServeServer& server : servers_.servers()) {
      std::printf("%s: %.0f MB resident\n", server.name.c_str(),
                  static_cast<double>(server.resident_bytes) / 1e6);
    }
    std::printf("\n");
    std::vector<ServeTable> tables;
    for (const Workload& workload : AllWorkloads()) {
      if (!options_.workloads.empty() &&
          std::ranges::find(options_.workloads, workload.name) ==
              options_.workloads.end()) {
        continue;
      }
      tables.push_back(Measure(workload));
      std::printf("%s\n", TableText(tables.back()).c_str());
      std::fflush(stdout);
      WarnOfOthers(workload, tables.back());
    }
    if (!options_.json.empty()) Write(tables);
    return !failed_ && !tables.empty();
  }

 private:
  // A server that is asked as much as it can take has its core to itself, or
  // rates mean little.
  static void WarnOfOthers(const Workload& workload, const ServeTable& table) {
    constexpr double kBusy = 0.75;
    const double busy = table.rows.front().busy.median;
    if (workload.per_second > 0 || busy >= kBusy) return;
    std::fprintf(stderr,
                 "%s: the echo had %.2f of its core; with other work on the "
                 "machine look at CPU times\n",
                 workload.name.c_str(), busy);
  }

  void Write(const std::vector<ServeTable>& tables) {
    const std::filesystem::path json = options_.json;
    std::filesystem::path plot = json;
    plot.replace_extension(".svg");
    std::error_code error;
    if (json.has_parent_path()) {
      std::filesystem::create_directories(json.parent_path(), error);
    }
    std::ofstream json_file(json);
    json_file << JsonText(tables);
    std::ofstream plot_file(plot);
    plot_file << PlotText(tables);
    json_file.close();
    plot_file.close();
    if (!json_file || !plot_file) {
      std::fprintf(stderr, "cannot write %s\n", json.c_str());
      failed_ = true;
    }
  }

  // Of the server in one round; adds its ticks to `row`.
  ServeSlice MeasureSlice(const Workload& workload, const ServeServer& server,
                          Questions* questions, ServeRow* row) {
    const NextQuestion next = [questions](uint8_t* message) {
      return questions->Next(message);
    };
    const bool is_yardstick = server.is_yardstick;
    const IsRightAnswer is_right = [questions, is_yardstick](
                                       std::span<const uint8_t> question,
                                       std::span<const uint8_t> answer) {
      return is_yardstick || questions->IsRight(question, answer);
    };
    std::optional<CatalogChanges> changes;
    if (workload.changes_per_second > 0 && server.http_port != 0) {
      changes.emplace(servers_.catalog(), server.http_port,
                      workload.changes_per_second);
    }
    const ProcessCpu before = CpuOf(server.pids);
    LoadResult result = RunWorkload(
        workload, server.port, std::chrono::milliseconds(options_.slice_ms),
        next, is_right);
    const ProcessCpu after = CpuOf(server.pids);
    if (changes) changes_[server.name] += changes->count();
    if (changes && changes->count() == 0) {
      std::fprintf(stderr, "%s takes no changes\n", server.name.c_str());
      failed_ = true;
    }
    row->user_ticks += after.user_ticks - before.user_ticks;
    row->system_ticks += after.system_ticks - before.system_ticks;
    if (result.right == 0 || result.wrong > 0) {
      std::fprintf(stderr, "%s, %s: %zu right and %zu wrong answers\n",
                   workload.name.c_str(), server.name.c_str(), result.right,
                   result.wrong);
      failed_ = true;
    }
    return SliceOf(std::move(result), after.seconds - before.seconds);
  }

  ServeTable Measure(const Workload& workload) {
    Questions questions(
        options_.needs_edns ? workload.mix.WithEdns() : workload.mix,
        options_.servers.size);
    std::vector<ServeServer> servers;
    std::vector<ServeRow> rows;
    for (const ServeServer& server : servers_.servers()) {
      if (server.is_for_few_clients && !workload.has_few_clients) continue;
      if (workload.changes_per_second > 0 && server.http_port == 0 &&
          !server.is_yardstick) {
        continue;
      }
      servers.push_back(server);
      rows.emplace_back().server = server.name;
    }
    for (size_t round = 0; round < options_.rounds; ++round) {
      for (size_t i = 0; i < servers.size(); ++i) {
        const size_t index = (round + i) % servers.size();
        rows[index].slices.push_back(
            MeasureSlice(workload, servers[index], &questions, &rows[index]));
      }
    }
    const size_t slices_ms = options_.rounds * options_.slice_ms;
    for (const auto& [name, count] : changes_) {
      std::printf(
          "%s: %s took %.0f changes a second\n", workload.name.c_str(),
          name.c_str(),
          static_cast<double>(count * 1000) / static_cast<double>(slices_ms));
    }
    changes_.clear();
    return {workload.name, workload.title, Summed(rows)};
  }

  Options options_;
  ServeServers servers_;
  std::map<std::string, size_t> changes_;  // by server, of one workload
  bool failed_ = false;
};

bool ReadArgument(const std::string& argument, Options* options) {
  constexpr absl::string_view kWorkloads = "--workloads=";
  if (argument == "--quick") {
    options->rounds = 5;
    options->slice_ms = 150;
    return true;
  }
  if (argument == "--big") {
    options->servers.size = {100'000, 10};
    // Consul would take minutes and gigabytes.
    options->needs_edns = true;
    options->workloads = {"udp-edns", "gso-1", "tcp-8x16"};
    options->servers.only = {"dnsd", "Knot", "NSD"};
    return true;
  }
  if (absl::StartsWith(argument, kWorkloads)) {
    options->workloads =
        absl::StrSplit(argument.substr(kWorkloads.size()), ',');
    return true;
  }
  return ReadCostArgument(argument, options, &options->servers);
}

int Main(const std::vector<std::string>& arguments) {
  Options options;
  for (const std::string& argument : arguments) {
    if (!ReadArgument(argument, &options)) {
      std::fprintf(stderr, "serve_cost: unknown: %s\n", argument.c_str());
      return 2;
    }
  }
  if (!options.servers.TakeCores("serve_cost")) return 77;
  return ServeCost(options).Run() ? 0 : 2;
}

}  // namespace
}  // namespace dnsd::testing

int main(int argc, char** argv) {
  return dnsd::testing::Main({argv + 1, argv + argc});
}
