#include "catalog/registry/checks/check_runner.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "tests/catalog/base/scripted_server.h"
#include "tests/catalog/registry/checks/runner_fixture.h"

namespace dnsd::testing {
namespace {

using std::chrono::milliseconds;

CheckDefinition Ttl(const std::string& id, milliseconds ttl) {
  CheckDefinition check;
  check.id = id;
  check.ttl = ttl;
  return check;
}

CheckDefinition Tcp(const std::string& id, uint16_t port,
                    milliseconds interval) {
  CheckDefinition check;
  check.id = id;
  check.tcp = absl::StrCat("127.0.0.1:", port);
  check.interval = interval;
  return check;
}

TEST_F(RunnerTest, TtlExpiresOnceWithItsLastOutput) {
  MakeRunner(Quick());
  ASSERT_TRUE(runner_->Add(Ttl("t", milliseconds(30)), {}).ok());
  EXPECT_EQ(Next("t").output, "TTL expired");
  EXPECT_EQ(last_["t"].status, HealthStatus::kCritical);
  ASSERT_TRUE(runner_->SetTtl("t", HealthStatus::kWarning, "hm").ok());
  EXPECT_EQ(last_["t"].output, "hm");
  EXPECT_EQ(last_["t"].status, HealthStatus::kWarning);
  EXPECT_EQ(Next("t").output,
            "TTL expired (last output before timeout follows): hm");
  EXPECT_EQ(counts_["t"], 3);
}

TEST_F(RunnerTest, TtlGoesOnWhereItWasRestored) {
  MakeRunner(Quick());
  CheckStart start;
  start.status = HealthStatus::kPassing;
  start.output = "before";
  start.ttl_left = milliseconds(20);
  ASSERT_TRUE(runner_->Add(Ttl("t", std::chrono::hours(1)), start).ok());
  EXPECT_LE(*runner_->TtlLeft("t"), milliseconds(20));
  EXPECT_EQ(Next("t").output,
            "TTL expired (last output before timeout follows): before");
  ASSERT_TRUE(runner_->SetTtl("t", HealthStatus::kPassing, "").ok());
  EXPECT_GT(*runner_->TtlLeft("t"), std::chrono::minutes(30));
}

TEST_F(RunnerTest, TtlOutputIsCutOffAsConsulDoes) {
  MakeRunner(Quick());
  CheckDefinition check = Ttl("t", std::chrono::hours(1));
  check.output_max_size = 10;
  ASSERT_TRUE(runner_->Add(check, {}).ok());
  ASSERT_TRUE(
      runner_->SetTtl("t", HealthStatus::kPassing, "0123456789abcdef").ok());
  EXPECT_EQ(last_["t"].output, "0123456789 ... (captured 10 of 16 bytes)");
}

TEST_F(RunnerTest, RefusesWithConsulsTexts) {
  CheckRunnerOptions options = Quick();
  options.local_scripts = false;
  MakeRunner(options);
  EXPECT_EQ(runner_->SetTtl("no", HealthStatus::kPassing, "").message(),
            "CheckID \"no\" does not have associated TTL");
  ASSERT_TRUE(runner_->Add(Tcp("tcp", 1, std::chrono::hours(1)), {}).ok());
  EXPECT_EQ(runner_->SetTtl("tcp", HealthStatus::kPassing, "").message(),
            "CheckID \"tcp\" does not have associated TTL");
  CheckDefinition script;
  script.id = "s";
  script.args = {"true"};
  script.interval = std::chrono::hours(1);
  EXPECT_EQ(runner_->Add(script, {}).message(),
            "Scripts are disabled on this agent; to enable, configure "
            "'enable_script_checks' or 'enable_local_script_checks' to true");
  options.local_scripts = true;
  MakeRunner(options);
  CheckStart remote;
  remote.origin = CheckOrigin::kRemote;
  EXPECT_TRUE(runner_->Add(script, {}).ok());
  EXPECT_EQ(runner_->Add(script, remote).message(),
            "Scripts are disabled on this agent from remote calls; to enable, "
            "configure 'enable_script_checks' to true");
  CheckDefinition os;
  os.id = "os";
  os.os_service = "ssh";
  os.interval = std::chrono::hours(1);
  EXPECT_EQ(runner_->Add(os, {}).code(), absl::StatusCode::kUnimplemented);
  CheckDefinition nothing;
  nothing.id = "nothing";
  EXPECT_FALSE(runner_->Add(nothing, {}).ok());
  EXPECT_FALSE(runner_->Add(Tcp("fast", 1, milliseconds(0)), {}).ok());
  EXPECT_EQ(runner_->stats().checks, 1u);
}

TEST_F(RunnerTest, RunsAtWholeIntervalsAndCountsThem) {
  ScriptedServer server(
      [](ScriptedServer::Connection* c) { c->WaitForClose(); });
  MakeRunner(Quick());
  ASSERT_TRUE(runner_->Add(Tcp("t", server.port(), milliseconds(10)), {}).ok());
  const uint64_t start_ns = uv_hrtime();
  ASSERT_TRUE(RunUntil([&] { return counts_["t"] >= 20; }));
  const uint64_t elapsed_ms = (uv_hrtime() - start_ns) / 1'000'000;
  const CheckRunnerStats stats = runner_->stats();
  // Each interval is a run or was skipped, so that nothing drifts.
  EXPECT_GE((stats.runs + stats.skipped + 1) * 10 + 10, elapsed_ms);
  EXPECT_LE((stats.runs + stats.skipped - 1) * 10, elapsed_ms + 10);
}

TEST_F(RunnerTest, AHangingRunSkipsTheNextAndTimesOut) {
  ScriptedServer server(
      [](ScriptedServer::Connection* c) { c->WaitForClose(); });
  MakeRunner(Quick());
  CheckDefinition check;
  check.id = "h";
  check.http = server.Url("/");
  check.interval = milliseconds(20);
  check.timeout = milliseconds(100);
  ASSERT_TRUE(runner_->Add(check, {}).ok());
  const CheckFinding report = Next("h");
  EXPECT_EQ(report.status, HealthStatus::kCritical);
  EXPECT_EQ(report.output,
            absl::StrCat("Get \"", check.http,
                         "\": context deadline exceeded (Client.Timeout "
                         "exceeded while awaiting headers)"));
  EXPECT_EQ(runner_->stats().timeouts, 1u);
  EXPECT_GE(runner_->stats().skipped, 1u);
  EXPECT_EQ(runner_->stats().runs, 1u);
}

TEST_F(RunnerTest, KeepsItsPhaseWhenOnlyNamesChange) {
  ScriptedServer server(
      [](ScriptedServer::Connection* c) { c->WaitForClose(); });
  MakeRunner(Quick());
  CheckDefinition check;
  check.id = "h";
  check.http = server.Url("/");
  check.interval = milliseconds(10);
  check.timeout = std::chrono::hours(1);
  ASSERT_TRUE(runner_->Add(check, {}).ok());
  ASSERT_TRUE(RunUntil([&] { return runner_->stats().running == 1; }));
  check.notes = "new";
  check.name = "new";
  ASSERT_TRUE(runner_->Add(check, {}).ok());
  EXPECT_EQ(runner_->stats().running, 1u);
  check.method = "POST";
  ASSERT_TRUE(runner_->Add(check, {}).ok());
  EXPECT_EQ(runner_->stats().running, 0u);
  EXPECT_EQ(runner_->stats().checks, 1u);
}

TEST_F(RunnerTest, NoMoreRunAtATimeThanAllowed) {
  ScriptedServer server(
      [](ScriptedServer::Connection* c) { c->WaitForClose(); });
  CheckRunnerOptions options = Quick();
  options.probes_max = 3;
  MakeRunner(options);
  for (int i = 0; i < 10; ++i) {
    CheckDefinition check;
    check.id = absl::StrCat("h", i);
    check.http = server.Url("/");
    check.interval = milliseconds(10);
    check.timeout = milliseconds(50);
    ASSERT_TRUE(runner_->Add(check, {}).ok());
  }
  size_t running_max = 0;
  ASSERT_TRUE(RunUntil([&] {
    running_max = std::max(running_max, runner_->stats().running);
    return counts_.size() == 10;  // everyone has had a turn
  }));
  EXPECT_EQ(running_max, 3u);
  for (int i = 0; i < 10; ++i) runner_->Remove(absl::StrCat("h", i));
  EXPECT_EQ(runner_->stats().running, 0u);
  EXPECT_EQ(runner_->stats().waiting, 0u);
}

TEST_F(RunnerTest, HooksMayRemoveAndAdd) {
  ScriptedServer server(
      [](ScriptedServer::Connection* c) { c->WaitForClose(); });
  MakeRunner(Quick());
  std::set<std::string> seen;
  int added = 0;
  on_report_ = [&](const CheckFinding& report) {
    seen.insert(report.check_id);
    runner_->Remove(report.check_id);
    if (++added > 50) return;
    EXPECT_TRUE(
        runner_
            ->Add(Tcp(absl::StrCat("n", added), server.port(), milliseconds(5)),
                  {})
            .ok());
  };
  ASSERT_TRUE(runner_->Add(Tcp("n0", server.port(), milliseconds(5)), {}).ok());
  EXPECT_TRUE(RunUntil([&] { return seen.size() == 51; }));
  EXPECT_EQ(runner_->stats().checks, 0u);
}

TEST_F(RunnerTest, AliasesFollowTheirTarget) {
  AliasTarget target;
  std::vector<std::string> asked;
  on_alias_ = [&](const std::string& node, const std::string& service_id) {
    asked.push_back(absl::StrCat(node, "/", service_id));
    return target;
  };
  MakeRunner(Quick());
  CheckDefinition check;
  check.id = "a";
  check.alias_service = "web";
  ASSERT_TRUE(runner_->Add(check, {}).ok());
  EXPECT_EQ(Next("a").output, "Service web could not be found on node ");
  EXPECT_EQ(asked, std::vector<std::string>{"/web"});
  target.exists = true;
  runner_->CatalogChanged("HERE", "web");
  EXPECT_EQ(Next("a").output, "No checks found.");
  // The node's own checks count, too; others' do not.
  runner_->CatalogChanged("here", "");
  EXPECT_EQ(Next("a").output, "No checks found.");
  const size_t before = asked.size();
  runner_->CatalogChanged("here", "other");
  runner_->CatalogChanged("there", "web");
  ASSERT_TRUE(runner_->Add(Ttl("t", milliseconds(10)), {}).ok());
  Next("t");
  EXPECT_EQ(asked.size(), before);
  runner_->Remove("a");
  runner_->CatalogChanged("here", "web");
}

// Two aliases of each other: outputs that contain each other stop growing.
TEST_F(RunnerTest, AliasesInACircleComeToRest) {
  std::map<std::string, Check> checks;  // by instance
  on_alias_ = [&](const std::string&, const std::string& service_id) {
    AliasTarget target;
    target.exists = true;
    target.checks = {checks[service_id]};
    return target;
  };
  MakeRunner(Quick());
  on_report_ = [&](const CheckFinding& report) {
    Check changed;
    changed.name = report.check_id;
    changed.status = report.status;
    changed.output = report.output;
    Check& known = checks[report.check_id];
    if (known == changed) return;
    known = changed;
    runner_->CatalogChanged("here", report.check_id);
  };
  for (const auto& [id, other] : {std::pair("a", "b"), std::pair("b", "a")}) {
    checks[id].name = id;
    CheckDefinition check;
    check.id = id;
    check.alias_service = other;
    check.output_max_size = 200;
    ASSERT_TRUE(runner_->Add(check, {}).ok());
  }
  size_t reports = 0;
  ASSERT_TRUE(RunUntil([&] {
    // Nothing in a turn of the loop: it is at rest.
    const bool rests = !reports_.empty() && reports == reports_.size();
    reports = reports_.size();
    return rests;
  }));
  EXPECT_EQ(last_["a"].output.size(), 200u);
  EXPECT_LT(reports_.size(), 200u);
}

TEST_F(RunnerTest, ReapsInstancesThatStayCritical) {
  CheckRunnerOptions options = Quick();
  options.reap_interval = milliseconds(10);
  MakeRunner(options);
  CheckDefinition check = Ttl("t", milliseconds(10));
  check.service_id = "web-1";
  check.deregister_critical_service_after = milliseconds(20);
  CheckDefinition other = check;
  other.id = "u";
  CheckDefinition of_node = check;
  of_node.id = "n";
  of_node.service_id.clear();
  CheckDefinition healthy = check;
  healthy.id = "h";
  healthy.service_id = "web-2";
  healthy.ttl = std::chrono::hours(1);
  for (const auto& one : {check, other, of_node, healthy}) {
    ASSERT_TRUE(runner_->Add(one, {}).ok());
  }
  // Critical at its start alone is not critical for long.
  ASSERT_TRUE(runner_->SetTtl("h", HealthStatus::kCritical, "").ok());
  ASSERT_TRUE(runner_->SetTtl("h", HealthStatus::kPassing, "").ok());
  ASSERT_TRUE(RunUntil([&] { return reaped_.size() >= 2; }));
  for (const auto& [service_id, check_id] : reaped_) {
    EXPECT_EQ(service_id, "web-1");
  }
  runner_->Remove("t");
  runner_->Remove("u");
  reaped_.clear();
  // A whole reap interval later.
  ASSERT_TRUE(runner_->Add(Ttl("later", milliseconds(30)), {}).ok());
  Next("later");
  EXPECT_TRUE(reaped_.empty());
}

}  // namespace
}  // namespace dnsd::testing
