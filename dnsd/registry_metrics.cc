#include "dnsd/registry_metrics.h"

namespace dnsd {
namespace {

constexpr double kMicro = 1e-6;

double Seconds(uint64_t us) { return static_cast<double>(us) * kMicro; }

void AddStore(const StoreStats& store, MetricsText* out) {
  MetricsText& text = *out;
  text.Single("dnsd_store_commits_total", MetricType::kCounter,
              "Registrations made durable.", store.commit_count);
  text.Single("dnsd_store_failures_total", MetricType::kCounter,
              "Registrations that could not be stored.", store.failed_count);
  text.Single("dnsd_store_groups_total", MetricType::kCounter,
              "Transactions that took them to the disk.", store.group_count);
  text.Single("dnsd_store_pending", MetricType::kGauge,
              "Registrations on their way to the disk.", store.pending_count);
  text.Single("dnsd_store_commit_seconds_total", MetricType::kCounter,
              "Time that registrations took to become durable.",
              Seconds(store.latency_sum_us));
  // Consul's name, in milliseconds.
  text.Family("consul.catalog.register", MetricType::kSummary,
              "Time that a registration took, in milliseconds.");
  text.Summary({}, store.commit_count,
               static_cast<double>(store.latency_sum_us) * 1e-3);
  text.Single("dnsd_store_commit_seconds_max", MetricType::kGauge,
              "The longest of them.", Seconds(store.latency_max_us));
  text.Single("dnsd_store_file_bytes", MetricType::kGauge,
              "Size of the store's file.", store.file_size);
  text.Single("dnsd_store_log_bytes", MetricType::kGauge,
              "Size of the store's log.", store.log_size);
  text.Single("dnsd_store_ok", MetricType::kGauge,
              "Whether the last transaction could be written.",
              store.last_error.ok() ? 1 : 0);
}

void AddChecks(const CheckRunnerStats& checks, MetricsText* out) {
  MetricsText& text = *out;
  text.Single("dnsd_checks", MetricType::kGauge, "Health checks run here.",
              checks.checks);
  text.Single("dnsd_checks_running", MetricType::kGauge,
              "Health checks on their way.", checks.running);
  text.Single("dnsd_checks_waiting", MetricType::kGauge,
              "Health checks that are due, above a limit.", checks.waiting);
  text.Single("dnsd_check_runs_total", MetricType::kCounter,
              "Health checks run.", checks.runs);
  text.Single("dnsd_check_timeouts_total", MetricType::kCounter,
              "Health checks that took too long.", checks.timeouts);
  text.Single("dnsd_check_skipped_total", MetricType::kCounter,
              "Runs left out because the one before was still going.",
              checks.skipped);
  text.Single("dnsd_check_late_seconds_max", MetricType::kGauge,
              "How late a health check began at most.",
              static_cast<double>(checks.late_ms_max) / 1e3);
}

}  // namespace

void AddRegistryMetrics(const RegistryNumbers& numbers, MetricsText* out) {
  MetricsText& text = *out;
  text.Single("dnsd_agent_services", MetricType::kGauge,
              "Services of this agent.", numbers.agent_services);
  AddStore(*numbers.store, out);
  AddChecks(numbers.checks, out);
  text.Single("dnsd_blocked_requests", MetricType::kGauge,
              "HTTP requests that wait for a change.", numbers.blocking.parked);
  text.Single("dnsd_blocked_queries", MetricType::kGauge,
              "Different ones among them.", numbers.blocking.queries);
  text.Single("consul.rpc.queries_blocking", MetricType::kGauge,
              "HTTP requests that wait for a change.", numbers.blocking.parked);
  text.Single("dnsd_blocked_woken_total", MetricType::kCounter,
              "Requests answered because of a change.", numbers.blocking.woken);
  text.Single("dnsd_blocked_timed_out_total", MetricType::kCounter,
              "Requests answered because their time was over.",
              numbers.blocking.timed_out);
}

}  // namespace dnsd
