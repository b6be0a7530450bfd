// 10,000 checks at 10 s on one thread: as many runs as there should be, and
// none of them late. DNSD_CHECKS_LOAD_SECONDS=30 runs it for that long and
// prints what it measured; else a tenth of the checks, three intervals of 1 s.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "absl/strings/numbers.h"
#include "tests/catalog/registry/checks/probe_targets.h"
#include "tests/catalog/registry/checks/runner_fixture.h"
#include "tests/testing/seeds.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;

double CpuSeconds() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) +
         static_cast<double>(used.tv_nsec) / 1e9;
}

struct Load {
  int checks;
  int64_t interval_ms;
  int64_t run_ms;
};

Load LoadOfThisRun() {
  const char* const wanted = std::getenv("DNSD_CHECKS_LOAD_SECONDS");
  int seconds = 0;
  if (wanted != nullptr && absl::SimpleAtoi(wanted, &seconds)) {
    return {.checks = 10'000, .interval_ms = 10'000, .run_ms = seconds * 1000};
  }
  return {.checks = Scaled(500), .interval_ms = 1'000, .run_ms = 3'000};
}

class ChecksLoad : public RunnerTest {
 protected:
  void Measure(const char* kind,
               const std::function<void(CheckDefinition*)>& make) {
    const Load load = LoadOfThisRun();
    MakeRunner(Quick());
    for (int i = 0; i < load.checks; ++i) {
      CheckDefinition check;
      check.id = absl::StrCat("c", i);
      check.interval = milliseconds(load.interval_ms);
      make(&check);
      ASSERT_TRUE(runner_->Add(check, {}).ok());
    }
    const uint64_t start_ns = uv_hrtime();
    const double start_cpu = CpuSeconds();
    const auto elapsed_ms = [&] {
      return static_cast<int64_t>((uv_hrtime() - start_ns) / 1'000'000);
    };
    int64_t late_ms_max = 0;
    ASSERT_TRUE(RunUntil([&] { return elapsed_ms() >= load.run_ms; }));
    late_ms_max = runner_->stats().late_ms_max;
    const CheckRunnerStats stats = runner_->stats();
    const int64_t intervals = elapsed_ms() / load.interval_ms;
    const int64_t planned = load.checks * elapsed_ms() / load.interval_ms;
    std::printf(
        "%s: %d checks each %lld ms for %lld ms: %llu runs of %lld planned, "
        "%llu skipped, %llu timed out, late by at most %lld ms, "
        "%.0f us of CPU each\n",
        kind, load.checks, static_cast<long long>(load.interval_ms),
        static_cast<long long>(elapsed_ms()),
        static_cast<unsigned long long>(stats.runs),
        static_cast<long long>(planned),
        static_cast<unsigned long long>(stats.skipped),
        static_cast<unsigned long long>(stats.timeouts),
        static_cast<long long>(late_ms_max),
        (CpuSeconds() - start_cpu) * 1e6 / static_cast<double>(stats.runs));
    // Whatever the machine does, each interval of each check is a run or is
    // counted as skipped: the plan does not move.
    const auto told = static_cast<int64_t>(stats.runs + stats.skipped);
    EXPECT_GE(told + static_cast<int64_t>(stats.waiting),
              (intervals - 1) * load.checks);
    EXPECT_LE(told, (intervals + 1) * load.checks);
    size_t seen = 0;
    for (const auto& [id, report] : last_) {
      seen += report.status == HealthStatus::kPassing ? 1 : 0;
    }
    EXPECT_EQ(seen, static_cast<size_t>(load.checks));
    last_.clear();
    counts_.clear();
    reports_.clear();
  }
};

TEST_F(ChecksLoad, TcpDoesNotDrift) {
  const ScriptedServer server([](ScriptedServer::Connection* connection) {
    connection->WaitForClose();
  });
  Measure("tcp", [&](CheckDefinition* check) {
    check->tcp = absl::StrCat("127.0.0.1:", server.port());
  });
}

TEST_F(ChecksLoad, HttpDoesNotDrift) {
  const ScriptedServer server(HttpTargets());
  Measure("http",
          [&](CheckDefinition* check) { check->http = server.Url("/st/200"); });
}

}  // namespace
}  // namespace dnsd::testing
