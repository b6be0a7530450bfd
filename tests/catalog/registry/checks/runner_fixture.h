// RunnerTest has a loop and a CheckRunner on it, and keeps what it reports.
//
// Threads: the test's.
#ifndef DNSD_TESTS_CATALOG_REGISTRY_CHECKS_RUNNER_FIXTURE_H_
#define DNSD_TESTS_CATALOG_REGISTRY_CHECKS_RUNNER_FIXTURE_H_

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/base/event_loop.h"
#include "catalog/registry/checks/check_runner.h"
#include "tests/testing/process.h"

namespace dnsd::testing {

class RunnerTest : public ::testing::Test {
 protected:
  // Intervals of milliseconds are allowed here.
  static CheckRunnerOptions Quick() {
    CheckRunnerOptions options;
    options.interval_min = std::chrono::milliseconds(1);
    options.deregister_min = std::chrono::milliseconds(1);
    options.local_scripts = true;
    options.node_name = "here";
    options.seed = 1;
    return options;
  }

  void MakeRunner(const CheckRunnerOptions& options) {
    runner_.reset();
    runner_ = std::make_unique<CheckRunner>(
        &loop_, options,
        CheckRunner::Hooks{
            .report =
                [this](const CheckFinding& report) {
                  reports_.push_back(report);
                  last_[report.check_id] = report;
                  ++counts_[report.check_id];
                  if (on_report_) on_report_(report);
                },
            .reap =
                [this](const std::string& service_id,
                       const std::string& check_id) {
                  reaped_.emplace_back(service_id, check_id);
                },
            .alias =
                [this](const std::string& node, const std::string& service_id) {
                  return on_alias_(node, service_id);
                }});
  }

  // False when it has not happened after a time that only failures wait out.
  bool RunUntil(const std::function<bool()>& happened) {
    const uint64_t start_ns = uv_hrtime();
    // So that the loop wakes up to look at the clock.
    Timer tick(&loop_, [] {});
    tick.Start(2, 2);
    while (!happened()) {
      if (uv_hrtime() - start_ns >
          static_cast<uint64_t>(std::chrono::nanoseconds(kPatience).count())) {
        return false;
      }
      uv_run(loop_.uv(), UV_RUN_ONCE);
    }
    return true;
  }

  // The first report of the check from now on.
  CheckFinding Next(const std::string& id) {
    const int before = counts_[id];
    EXPECT_TRUE(RunUntil([&] { return counts_[id] > before; }))
        << id << " says nothing";
    return last_[id];
  }

  // Runs the one check and returns what it says first.
  CheckFinding Run(CheckDefinition definition) {
    if (definition.id.empty()) definition.id = absl::StrCat("check-", ++made_);
    if (definition.interval.count() == 0) {
      definition.interval = std::chrono::milliseconds(20);
    }
    const absl::Status status = runner_->Add(definition, {});
    EXPECT_TRUE(status.ok()) << status;
    CheckFinding report = Next(definition.id);
    runner_->Remove(definition.id);
    return report;
  }

  EventLoop loop_;
  std::vector<CheckFinding> reports_;
  std::map<std::string, CheckFinding> last_;
  std::map<std::string, int> counts_;
  std::vector<std::pair<std::string, std::string>> reaped_;
  std::function<void(const CheckFinding&)> on_report_;
  std::function<AliasTarget(const std::string&, const std::string&)> on_alias_ =
      [](const std::string&, const std::string&) { return AliasTarget(); };
  int made_ = 0;
  std::unique_ptr<CheckRunner> runner_;
};

}  // namespace dnsd::testing

#endif  // DNSD_TESTS_CATALOG_REGISTRY_CHECKS_RUNNER_FIXTURE_H_
