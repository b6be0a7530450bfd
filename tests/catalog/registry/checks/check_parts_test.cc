// The parts of checks that need no loop: times, thresholds, texts.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "catalog/registry/checks/alias_result.h"
#include "catalog/registry/checks/check_schedule.h"
#include "catalog/registry/checks/go_text.h"
#include "catalog/registry/checks/grpc_health.h"
#include "catalog/registry/checks/output_tail.h"
#include "catalog/registry/checks/status_thresholds.h"
#include "catalog/registry/go_json.h"
#include "tests/testing/seeds.h"

namespace dnsd::testing {
namespace {

// p, w, c: passing, warning, critical; -: nothing changes.
std::string Statuses(const ThresholdLimits& limits,
                     const std::string& results) {
  StatusThresholds thresholds(limits);
  std::string statuses;
  for (const char c : results) {
    const auto status = thresholds.Take(c == 'p'   ? HealthStatus::kPassing
                                        : c == 'w' ? HealthStatus::kWarning
                                                   : HealthStatus::kCritical);
    statuses += !status.has_value()                 ? '-'
                : *status == HealthStatus::kPassing ? 'p'
                : *status == HealthStatus::kWarning ? 'w'
                                                    : 'c';
  }
  return statuses;
}

TEST(StatusThresholds, CountAsConsulDoes) {
  const struct {
    ThresholdLimits limits;
    const char* results;
    const char* statuses;
  } cases[] = {
      {{0, 0, 0}, "pcwpc", "pcwpc"},
      // Counters start at their thresholds: the first result counts.
      {{3, 0, 0}, "ppp", "ppp"},
      {{3, 0, 0}, "cpppp", "c--pp"},
      {{3, 0, 0}, "cppcppp", "c--c--p"},
      {{0, 3, 3}, "cpccc", "cp--c"},
      {{0, 3, 3}, "pccpccc", "p--p--c"},
      // A warning is a success.
      {{2, 0, 0}, "cwpw", "c-pw"},
      {{0, 2, 2}, "pcwcc", "p-w-c"},
      // Between the two thresholds, failures warn.
      {{0, 1, 3}, "pccc", "pwwc"},
      {{0, 2, 4}, "pcccc", "p-wwc"},
      {{2, 2, 3}, "pcccpp", "p-wc-p"},
  };
  for (const auto& one : cases) {
    EXPECT_EQ(Statuses(one.limits, one.results), one.statuses)
        << one.limits.success_before_passing << " "
        << one.limits.failures_before_warning << " "
        << one.limits.failures_before_critical << " " << one.results;
  }
}

TEST(CheckSchedule, PlansFromThePlanAndNotFromTheClock) {
  const struct {
    int64_t planned, interval, now, due, skipped;
  } cases[] = {
      {100, 10, 100, 110, 0}, {100, 10, 109, 110, 0}, {100, 10, 110, 120, 1},
      {100, 10, 111, 120, 1}, {100, 10, 135, 140, 3}, {100, 10, 90, 110, 0},
  };
  for (const auto& one : cases) {
    const NextRun next = PlanNext(one.planned, one.interval, one.now);
    EXPECT_EQ(next.due_ms, one.due) << one.now;
    EXPECT_EQ(next.skipped, one.skipped) << one.now;
  }
}

// The same steps on a std::map beside it.
TEST(CheckSchedule, IsAMapSortedByTime) {
  std::mt19937_64 random(TestSeed());
  CheckSchedule schedule;
  std::map<uint64_t, int64_t> model;
  int64_t now = 0;
  for (int step = 0; step < Scaled(50'000); ++step) {
    const uint64_t key = random() % 50;
    switch (random() % 3) {
      case 0: {
        const auto due = static_cast<int64_t>(random() % 1000) + now;
        schedule.Set(key, due);
        model[key] = due;
        break;
      }
      case 1:
        schedule.Erase(key);
        model.erase(key);
        break;
      default: {
        now += static_cast<int64_t>(random() % 20);
        size_t due_count = 0;
        std::pair<int64_t, uint64_t> first = {INT64_MAX, 0};
        for (const auto& [model_key, due] : model) {
          if (due <= now) ++due_count;
          first = std::min(first, {due, model_key});
        }
        EXPECT_EQ(schedule.CountDue(now), due_count);
        EXPECT_EQ(schedule.FirstDue().has_value(), !model.empty());
        const auto taken = schedule.TakeDue(now);
        ASSERT_EQ(taken.has_value(), due_count > 0);
        if (!taken.has_value()) break;
        EXPECT_EQ(taken->first, first.second);
        EXPECT_EQ(taken->second, first.first);
        model.erase(taken->first);
      }
    }
  }
}

TEST(GoText, DurationsAreGos) {
  const std::pair<int64_t, const char*> cases[] = {
      {0, "0s"},
      {1, "1ns"},
      {1'500, "1.5µs"},
      {300'000'000, "300ms"},
      {1'500'000'000, "1.5s"},
      {30'000'000'000, "30s"},
      {90'000'000'000, "1m30s"},
      {3'600'000'000'000, "1h0m0s"},
      {-1'000'000'000, "-1s"},
  };
  for (const auto& [ns, text] : cases) {
    EXPECT_EQ(GoDuration(std::chrono::nanoseconds(ns)), text);
  }
}

TEST(GoText, QuotesAsPercentQ) {
  EXPECT_EQ(GoQuoted("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\x01\"");
}

TEST(GoText, HostsAndPortsSplitAsGos) {
  const struct {
    const char* address;
    const char* host;
    const char* port;
    const char* error;
  } cases[] = {
      {"127.0.0.1:80", "127.0.0.1", "80", ""},
      {"[::1]:80", "::1", "80", ""},
      {":80", "", "80", ""},
      {"name", "", "", "address name: missing port in address"},
      {"::1:80", "", "", "address ::1:80: too many colons in address"},
      {"[::1]", "", "", "address [::1]: missing port in address"},
      {"[::1:80", "", "", "address [::1:80: missing ']' in address"},
  };
  for (const auto& one : cases) {
    std::string host;
    std::string port;
    EXPECT_EQ(SplitHostPort(one.address, &host, &port), one.error);
    if (*one.error != '\0') continue;
    EXPECT_EQ(host, one.host);
    EXPECT_EQ(port, one.port);
  }
}

TEST(OutputTail, KeepsTheEndOfEverySplit) {
  std::string all;
  for (int i = 0; i < 40; ++i) all += static_cast<char>('0' + i);
  for (size_t step = 1; step <= all.size(); ++step) {
    OutputTail tail(10);
    for (size_t i = 0; i < all.size(); i += step) {
      tail.Append(absl::string_view(all).substr(i, step));
    }
    EXPECT_EQ(tail.Tail(), all.substr(30));
    EXPECT_EQ(tail.TailWithNote(),
              "Captured 10 of 40 bytes\n...\n" + all.substr(30));
  }
  OutputTail small(10);
  small.Append("short");
  EXPECT_EQ(small.TailWithNote(), "short");
}

TEST(AliasResult, IsTheWorstOfItsTarget) {
  const auto check = [](const char* name, HealthStatus status) {
    Check made;
    made.name = name;
    made.status = status;
    made.output = "out";
    return made;
  };
  const Check passing = check("p", HealthStatus::kPassing);
  const Check warning = check("w", HealthStatus::kWarning);
  const Check critical = check("c", HealthStatus::kCritical);
  const struct {
    AliasTarget target;
    HealthStatus status;
    const char* output;
  } cases[] = {
      {{false, {}},
       HealthStatus::kCritical,
       "Service id could not be found on node n"},
      {{true, {}}, HealthStatus::kPassing, "No checks found."},
      {{true, {passing}}, HealthStatus::kPassing, "All checks passing."},
      {{true, {warning, passing}},
       HealthStatus::kWarning,
       "Aliased check \"w\" failing: out"},
      {{true, {warning, critical, passing}},
       HealthStatus::kCritical,
       "Aliased check \"c\" failing: out"},
  };
  for (const auto& one : cases) {
    const ProbeResult result = AliasResult(one.target, "n", "id");
    EXPECT_EQ(result.status, one.status);
    EXPECT_EQ(result.output, one.output);
  }
}

// What no right server says is an error, whatever is cut off where.
TEST(GrpcHealth, AnswersAreReadToTheByte) {
  H2Answer answer;
  answer.headers = {{":status", "200"}, {"grpc-status", "0"}};
  const std::string serving("\0\0\0\0\x02\x08\x01", 7);
  answer.data = serving;
  EXPECT_EQ(GrpcHealthError(answer, "t"), "");
  answer.data[6] = 2;
  EXPECT_EQ(GrpcHealthError(answer, "t"), "gRPC t serving status: NOT_SERVING");
  // An unknown field before it is passed over.
  answer.data = std::string("\0\0\0\0\x05\x12\x01x\x08\x01", 10);
  EXPECT_EQ(GrpcHealthError(answer, "t"), "");
  for (size_t size = 0; size < serving.size(); ++size) {
    answer.data = serving.substr(0, size);
    EXPECT_NE(GrpcHealthError(answer, "t"), "") << size;
  }
  answer.headers["grpc-status"] = "5";
  answer.headers["grpc-message"] = "a%20b%";
  EXPECT_EQ(GrpcHealthError(answer, "t"),
            "rpc error: code = NotFound desc = a b%");
  answer.headers.erase("grpc-status");
  EXPECT_NE(GrpcHealthError(answer, "t"), "");
}

}  // namespace
}  // namespace dnsd::testing
