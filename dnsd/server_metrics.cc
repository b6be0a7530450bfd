#include "dnsd/server_metrics.h"

#include "dnsd/http/metrics_text.h"
#include "dnsd/version.h"

namespace dnsd {
namespace {

// By Outcome.
constexpr const char* kOutcomeNames[] = {
    "answered",         "nodata",  "nxdomain", "truncated", "refused",
    "servfail",         "formerr", "notimp",   "badvers",   "dropped_short",
    "dropped_response", "forward", "pending"};
static_assert(std::size(kOutcomeNames) == kOutcomeCount);

// By TcpClose.
constexpr const char* kCloseNames[] = {
    "client",      "reset",   "idle",       "partial_frame", "bad_frame",
    "not_reading", "evicted", "client_cap", "memory",        "stopped"};
static_assert(std::size(kCloseNames) == kTcpCloseCount);

using Numbers = TransportNumbers<uint64_t>;

struct ByTransport {
  const char* proto;
  const Numbers& numbers;
};

void AddCatalog(const ServerNumbers& numbers, MetricsText* out) {
  MetricsText& text = *out;
  text.Single("dnsd_catalog_nodes", MetricType::kGauge, "Nodes known.",
              numbers.nodes);
  text.Single("dnsd_catalog_instances", MetricType::kGauge,
              "Service instances known.", numbers.instances);
  text.Single("dnsd_view_names", MetricType::kGauge,
              "Compiled names of the catalog.", numbers.names);
  text.Single("dnsd_publications_total", MetricType::kCounter,
              "Views published.", numbers.publications);
  text.Single("dnsd_retired_objects", MetricType::kGauge,
              "Replaced objects that a worker may still read.",
              numbers.retired);
  text.Single("dnsd_reloads_total", MetricType::kCounter,
              "Configuration reloads tried.", numbers.reloads);
  text.Single("dnsd_reload_failures_total", MetricType::kCounter,
              "Configuration reloads that were refused.",
              numbers.reload_failures);
}

void AddHttp(const HttpCounts& counts, MetricsText* text) {
  text->Single("dnsd_http_refused_total", MetricType::kCounter,
               "HTTP connections above the limit of one client.",
               counts.refused);
  text->Single("dnsd_http_requests_refused_total", MetricType::kCounter,
               "HTTP requests above the limits of those in flight.",
               counts.requests_refused);
  text->Single("dnsd_http_requests_in_flight", MetricType::kGauge,
               "HTTP requests being worked on; parked ones are not.",
               counts.requests_in_flight);
  text->Single("dnsd_http_tls_handshakes_total", MetricType::kCounter,
               "TLS handshakes of HTTP clients.", counts.handshakes);
  text->Single("dnsd_http_tls_handshake_failures_total", MetricType::kCounter,
               "TLS handshakes that failed or took too long.",
               counts.handshake_failures);
}

}  // namespace

void AddMetrics(const ServerNumbers& numbers, MetricsText* out) {
  MetricsText& text = *out;
  WorkerTotals totals = SumStats(numbers.workers);
  const ByTransport both[] = {{"udp", totals.udp}, {"tcp", totals.tcp}};
  text.Family("dnsd_build_info", MetricType::kGauge, "The running version.");
  text.Sample({{"version", kVersion}}, 1);

  auto family = [&](const char* name, const char* help,
                    uint64_t Numbers::*field) {
    text.Family(name, MetricType::kCounter, help);
    for (const ByTransport& side : both) {
      text.Sample({{"proto", side.proto}}, side.numbers.*field);
    }
  };
  family("dnsd_dns_received_total", "Messages received.", &Numbers::received);
  family("dnsd_dns_received_bytes_total", "Bytes of messages received.",
         &Numbers::received_bytes);
  family("dnsd_dns_sent_total", "Responses sent.", &Numbers::sent);
  family("dnsd_dns_sent_bytes_total", "Bytes of responses sent.",
         &Numbers::sent_bytes);
  family("dnsd_dns_send_errors_total", "Responses that could not be sent.",
         &Numbers::send_errors);
  family("dnsd_dns_dropped_too_long_total", "Messages too long for a query.",
         &Numbers::dropped_too_long);
  family("dnsd_dns_dropped_address_total",
         "Messages from addresses not to be answered.",
         &Numbers::dropped_address);
  text.Family("dnsd_dns_outcomes_total", MetricType::kCounter,
              "Messages by what became of them.");
  for (const ByTransport& side : both) {
    for (size_t i = 0; i < kOutcomeCount; ++i) {
      text.Sample({{"proto", side.proto}, {"outcome", kOutcomeNames[i]}},
                  side.numbers.outcomes[i]);
    }
  }

  text.Single("dnsd_dns_parked_total", MetricType::kCounter,
              "Queries that had to wait for the catalog.", totals.parked);
  text.Family("dnsd_dns_parked_ended_total", MetricType::kCounter,
              "Queries that waited, or had no room to, by how that ended.");
  text.Sample({{"end", "answered"}}, totals.parked_answered);
  text.Sample({{"end", "expired"}}, totals.parked_expired);
  text.Sample({{"end", "refused"}}, totals.parked_refused);
  text.Sample({{"end", "dropped"}}, totals.parked_dropped);

  text.Single("dnsd_tcp_connections", MetricType::kGauge,
              "Open TCP connections.", totals.tcp_open);
  text.Single("dnsd_tcp_accepted_total", MetricType::kCounter,
              "TCP connections accepted.", totals.tcp_accepted);
  text.Family("dnsd_tcp_closed_total", MetricType::kCounter,
              "TCP connections closed, by reason.");
  for (size_t i = 0; i < kTcpCloseCount; ++i) {
    text.Sample({{"reason", kCloseNames[i]}}, totals.tcp_closed[i]);
  }
  AddHttp(numbers.http, out);
  AddCatalog(numbers, out);
}

}  // namespace dnsd
