#include "dnsd/http/metrics_text.h"

#include <limits>
#include <string>

#include "gtest/gtest.h"
#include "tests/testing/prometheus.h"

namespace dnsd {
namespace {

std::string Everything() {
  MetricsText text;
  text.Family("dnsd_dns_queries_total", MetricType::kCounter,
              "Queries received, by protocol.");
  text.Sample({{"proto", "udp"}, {"family", "inet6"}}, uint64_t{1} << 63);
  text.Sample({{"proto", "tcp \"x\" \\ \n \xc3\xa4"}}, 0);
  text.Family("dnsd_escapes", MetricType::kGauge, "A \\ and a\nline end.");
  text.Sample({}, -1.5);
  text.Sample({{"v", "nan"}}, std::numeric_limits<double>::quiet_NaN());
  text.Sample({{"v", "inf"}}, std::numeric_limits<double>::infinity());
  text.Sample({{"v", "-inf"}}, -std::numeric_limits<double>::infinity());
  text.Single("dnsd_snapshot_age_seconds", MetricType::kGauge,
              "Age of the catalog.", 0.1);
  text.Family("consul.dns.domain_query", MetricType::kSummary, "Consul's.");
  text.Summary({{"node", "n1"}}, 4, 1.5);
  DurationTotals durations;
  durations.Add(1'000, 2);
  durations.Add(2'000'000'000);
  durations.Add(20'000'000'000);
  text.Family("dnsd_delay_seconds", MetricType::kHistogram, "Delays.");
  text.Durations({{"proto", "udp"}}, durations, 18);
  return text.Take();
}

TEST(MetricsText, WritesFamiliesAndSamples) {
  EXPECT_EQ(
      Everything(),
      "# HELP dnsd_dns_queries_total Queries received, by protocol.\n"
      "# TYPE dnsd_dns_queries_total counter\n"
      "dnsd_dns_queries_total{proto=\"udp\",family=\"inet6\"} "
      "9223372036854775808\n"
      "dnsd_dns_queries_total{proto=\"tcp \\\"x\\\" \\\\ \\n \xc3\xa4\"} 0\n"
      "# HELP dnsd_escapes A \\\\ and a\\nline end.\n"
      "# TYPE dnsd_escapes gauge\n"
      "dnsd_escapes -1.5\n"
      "dnsd_escapes{v=\"nan\"} NaN\n"
      "dnsd_escapes{v=\"inf\"} +Inf\n"
      "dnsd_escapes{v=\"-inf\"} -Inf\n"
      "# HELP dnsd_snapshot_age_seconds Age of the catalog.\n"
      "# TYPE dnsd_snapshot_age_seconds gauge\n"
      "dnsd_snapshot_age_seconds 0.1\n"
      "# HELP consul_dns_domain_query Consul's.\n"
      "# TYPE consul_dns_domain_query summary\n"
      "consul_dns_domain_query_sum{node=\"n1\"} 1.5\n"
      "consul_dns_domain_query_count{node=\"n1\"} 4\n"
      "# HELP dnsd_delay_seconds Delays.\n"
      "# TYPE dnsd_delay_seconds histogram\n"
      "dnsd_delay_seconds_bucket{proto=\"udp\",le=\"1.024\"} 2\n"
      "dnsd_delay_seconds_bucket{proto=\"udp\",le=\"2.048\"} 3\n"
      "dnsd_delay_seconds_bucket{proto=\"udp\",le=\"4.096\"} 3\n"
      "dnsd_delay_seconds_bucket{proto=\"udp\",le=\"8.192\"} 3\n"
      "dnsd_delay_seconds_bucket{proto=\"udp\",le=\"+Inf\"} 4\n"
      "dnsd_delay_seconds_sum{proto=\"udp\"} 22.000002000000002\n"
      "dnsd_delay_seconds_count{proto=\"udp\"} 4\n");
}

TEST(MetricsText, TakeBeginsAnew) {
  MetricsText text;
  text.Single("a_total", MetricType::kCounter, "A.", 1);
  EXPECT_NE(text.Take(), "");
  EXPECT_EQ(text.Take(), "");
  text.Single("a_total", MetricType::kCounter, "A.", 2);
  EXPECT_NE(text.Take(), "");
}

TEST(MetricsTextDeathTest, OurMistakesStopUs) {
  MetricsText text;
  EXPECT_DEATH(text.Sample({}, 1), "check failed");
  EXPECT_DEATH(text.Family("a-b", MetricType::kGauge, "x"), "check failed");
  EXPECT_DEATH(text.Family("1a", MetricType::kGauge, "x"), "check failed");
  EXPECT_DEATH(text.Family("a", MetricType::kGauge, ""), "check failed");
  EXPECT_DEATH(text.Family("a", MetricType::kCounter, "x"), "check failed");
  EXPECT_DEATH(text.Family("a_total", MetricType::kGauge, "x"), "check failed");
  text.Family("twice", MetricType::kGauge, "x");
  EXPECT_DEATH(text.Sample({{"a:b", ""}}, 1), "check failed");
  EXPECT_DEATH(text.Family("twice", MetricType::kGauge, "x"), "check failed");
}

// Prometheus' own checker reads it on its standard input.
TEST(MetricsText, PromtoolHasNoComplaint) {
  if (!testing::PrometheusBinary()) {
    GTEST_SKIP() << "no Prometheus: ./dev test fetches it";
  }
  const testing::Finished check =
      testing::RunPromtool("check metrics", Everything());
  EXPECT_EQ(check.exit_code, 0) << check.output;
}

TEST(MetricsText, TheSameAsConsulsJson) {
  MetricsText text;
  text.Single("a", MetricType::kGauge, "A.", 1.5);
  text.Single("nan", MetricType::kGauge, "Not a number.",
              std::numeric_limits<double>::quiet_NaN());
  text.Family("b_total", MetricType::kCounter, "B.");
  text.Sample({{"p", "\"u\""}}, 3);
  text.Family("consul.dns.domain_query", MetricType::kSummary, "Consul's.");
  text.Summary({{"node", "n1"}}, 4, 1.5);
  EXPECT_EQ(text.Json(1'795'899'720),
            R"({"Timestamp":"2026-11-28 21:02:00 +0000 UTC","Gauges":[)"
            R"({"Name":"a","Value":1.5,"Labels":{}}],"Points":[],"Counters":[)"
            R"({"Name":"b_total","Count":1,"Rate":0,"Sum":3,"Min":3,"Max":3,)"
            R"("Mean":3,"Stddev":0,"Labels":{"p":"\"u\""}}],"Samples":[)"
            R"({"Name":"consul.dns.domain_query","Count":4,"Rate":0,)"
            R"("Sum":1.5,"Min":0.375,"Max":0.375,"Mean":0.375,"Stddev":0,)"
            R"("Labels":{"node":"n1"}}]})");
}

}  // namespace
}  // namespace dnsd
