#include "dnsd/server_metrics.h"

#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "dnsd/coredns_metrics.h"
#include "dnsd/http/metrics_text.h"
#include "dnsd/process_metrics.h"
#include "dnsd/version.h"

namespace dnsd {
namespace {

// By Outcome.
constexpr const char* kOutcomeNames[] = {
    "answered",      "nodata",           "nxdomain", "truncated", "refused",
    "servfail",      "formerr",          "notimp",   "badvers",   "badcookie",
    "dropped_short", "dropped_response", "forward",  "transfer",  "pending"};
static_assert(std::size(kOutcomeNames) == kOutcomeCount);

// By CookieState.
constexpr const char* kCookieNames[] = {"none", "malformed", "client_only",
                                        "bad", "good"};
static_assert(std::size(kCookieNames) == kCookieStateCount);

// By TcpClose.
constexpr const char* kCloseNames[] = {
    "client",    "reset",       "idle",       "partial_frame",
    "bad_frame", "not_reading", "evicted",    "client_cap",
    "memory",    "stopped",     "handed_over"};
static_assert(std::size(kCloseNames) == kTcpCloseCount);

constexpr double kNano = 1e-9;

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
  text.Family("dnsd_publication_delay_seconds", MetricType::kHistogram,
              "From a change of the catalog until queries saw it.");
  text.Durations({}, numbers.publication_delay);
  text.Single("dnsd_retired_objects", MetricType::kGauge,
              "Replaced objects that a worker may still read.",
              numbers.retired);
  text.Single("dnsd_retired_oldest_seconds", MetricType::kGauge,
              "How long the oldest of them has been waiting.",
              static_cast<double>(numbers.oldest_wait_ns) * kNano);
  text.Family("dnsd_grace_period_seconds", MetricType::kSummary,
              "Until no worker could read replaced objects any more.");
  text.Summary({}, numbers.grace.count,
               static_cast<double>(numbers.grace.sum_ns) * kNano);
  text.Single("dnsd_reloads_total", MetricType::kCounter,
              "Configuration reloads tried.", numbers.reloads);
  text.Single("dnsd_reload_failures_total", MetricType::kCounter,
              "Configuration reloads that were refused.",
              numbers.reload_failures);
}

void AddSource(const StatsReport::Source& source, MetricsText* text) {
  const MetricLabels kind = {{"kind", source.kind}};
  text->Family("dnsd_source_state", MetricType::kGauge,
               "1 for the state that the catalog's source is in.");
  for (const char* state : {"ok", "stale", "loading"}) {
    text->Sample({{"kind", source.kind}, {"state", state}},
                 std::string(state) == source.state ? 1 : 0);
  }
  text->Family("dnsd_source_age_seconds", MetricType::kGauge,
               "Since what is known was known to be true.");
  text->Sample(kind, source.age_s);
  text->Family("dnsd_catalog_index", MetricType::kGauge,
               "Index of the catalog's last change.");
  text->Sample(kind, source.index);
}

void AddWorkers(const std::vector<const WorkerStats*>& workers,
                MetricsText* text) {
  text->Family("dnsd_worker_received_total", MetricType::kCounter,
               "Messages that a worker received.");
  for (size_t i = 0; i < workers.size(); ++i) {
    text->Sample(
        {{"worker", absl::StrCat(i)}},
        workers[i]->udp.received.value() + workers[i]->tcp.received.value());
  }
}

void AddAnswers(std::span<const ByTransport> both, MetricsText* text) {
  text->Family("dnsd_dns_answers_total", MetricType::kCounter,
               "Responses by type of the question and RCODE.");
  for (const ByTransport& side : both) {
    for (size_t family = 0; family < side.numbers.answers.size(); ++family) {
      for (size_t type = 0; type < kTypeNames.size(); ++type) {
        for (size_t rcode = 0; rcode < kRcodeNames.size(); ++rcode) {
          const uint64_t count = side.numbers.answers[family].at(type, rcode);
          if (count == 0) continue;
          text->Sample({{"proto", side.proto},
                        {"family", family == 0 ? "ipv4" : "ipv6"},
                        {"type", kTypeNames[type]},
                        {"rcode", kRcodeNames[rcode]}},
                       count);
        }
      }
    }
  }
  text->Family("dnsd_dns_delay_seconds", MetricType::kHistogram,
               "From the receipt of a query to the sending of its response.");
  for (const ByTransport& side : both) {
    text->Durations({{"proto", side.proto}}, side.numbers.delay);
  }
}

// Everything that was received and got no answer, once.
void AddDrops(const WorkerTotals& totals, MetricsText* text) {
  const auto add = [text](const char* proto, const char* reason,
                          uint64_t count) {
    text->Sample({{"proto", proto}, {"reason", reason}}, count);
  };
  text->Family("dnsd_dns_dropped_total", MetricType::kCounter,
               "Messages that got no answer, by reason.");
  add("udp", "too_long", totals.udp.dropped_too_long);
  add("udp", "address", totals.udp.dropped_address);
  add("udp", "rate_limit", totals.rate_dropped);
  for (const auto& [proto, numbers] :
       {std::pair{"udp", &totals.udp}, std::pair{"tcp", &totals.tcp}}) {
    add(proto, "short", numbers->outcome(Outcome::kDroppedShort));
    add(proto, "response", numbers->outcome(Outcome::kDroppedResponse));
    add(proto, "unsendable", numbers->send_errors);
  }
  add("tcp", "connection_ended", totals.parked_dropped);
}

void AddUpstreams(const ForwardFigures& figures, MetricsText* text) {
  text->Single("dnsd_forward_cache_entries", MetricType::kGauge,
               "Answers of recursors that are kept.", figures.cache.entries);
  text->Single("dnsd_forward_cache_bytes", MetricType::kGauge,
               "Memory that they take.", figures.cache.bytes);
  text->Single("dnsd_forward_cache_evictions_total", MetricType::kCounter,
               "Answers forgotten for lack of room.", figures.cache.evictions);
  const auto family = [&](const char* name, MetricType type, const char* help,
                          auto value) {
    text->Family(name, type, help);
    for (const auto& [to, upstream] : figures.upstreams) {
      text->Sample({{"to", to}}, value(upstream));
    }
  };
  family("dnsd_recursor_up", MetricType::kGauge,
         "Whether the recursor answers any worker.",
         [](const UpstreamFigures& u) { return u.up_count > 0 ? 1 : 0; });
  family("dnsd_recursor_rtt_seconds", MetricType::kGauge,
         "Its mean time to answer lately.",
         [](const UpstreamFigures& u) { return u.rtt_ms() / 1e3; });
  family("dnsd_recursor_sent_total", MetricType::kCounter,
         "Queries sent to it.",
         [](const UpstreamFigures& u) { return u.counts.sent; });
  family("dnsd_recursor_timeouts_total", MetricType::kCounter,
         "Of these, not answered in time.",
         [](const UpstreamFigures& u) { return u.counts.timeouts; });
  family("dnsd_recursor_failures_total", MetricType::kCounter,
         "Of these, unreachable or answered with an error.",
         [](const UpstreamFigures& u) { return u.counts.failures; });
}

// Consul's name. In milliseconds, as all of Consul's.
void AddConsulDns(const WorkerTotals& totals, const std::string& node,
                  MetricsText* text) {
  DurationTotals delay = totals.udp.delay;
  AddTo(totals.tcp.delay, &delay);
  uint64_t count = 0;
  for (const uint64_t in_bucket : delay.counts) count += in_bucket;
  text->Family("consul.dns.domain_query", MetricType::kSummary,
               "Time to answer a query, in milliseconds.");
  text->Summary({{"node", node}}, count,
                static_cast<double>(delay.sum_ns) * 1e-6);
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

// What is done about forged sources.
void AddClients(const WorkerTotals& totals, MetricsText* text) {
  text->Family("dnsd_dns_cookies_total", MetricType::kCounter,
               "Queries with a DNS cookie, by what it was worth.");
  for (size_t i = 1; i < kCookieStateCount; ++i) {
    text->Sample({{"cookie", kCookieNames[i]}},
                 totals.udp.cookies[i] + totals.tcp.cookies[i]);
  }
  text->Family("dnsd_dns_rate_limited_total", MetricType::kCounter,
               "UDP responses beyond the rate limit, by what became of them.");
  text->Sample({{"action", "dropped"}}, totals.rate_dropped);
  text->Sample({{"action", "slipped"}}, totals.rate_slipped);
  text->Sample({{"action", "passed"}}, totals.rate_passed);
}

void AddForward(const ForwardTotals& totals, MetricsText* text) {
  const auto add = [&](const char* name, const char* help, uint64_t value) {
    text->Single(name, MetricType::kCounter, help, value);
  };
  add("dnsd_forward_queries_total", "Queries for names outside our zones.",
      totals.queries);
  add("dnsd_forward_cache_hits_total", "Of these, answered from the cache.",
      totals.cache_hits);
  add("dnsd_forward_stale_total", "Of these, answered from it past their time.",
      totals.stale);
  add("dnsd_forward_coalesced_total",
      "Of these, joined to a question being asked.", totals.coalesced);
  add("dnsd_forward_refused_total",
      "Of these, refused: not allowed, or without RD.", totals.refused);
  add("dnsd_forward_table_full_total",
      "Of these, failed because too many wait.", totals.table_full);
  add("dnsd_forward_failed_total",
      "Of these, failed because no recursor answered.", totals.failed);
  add("dnsd_forward_loops_total",
      "Queries of ours that came back: forwarders go round in a circle.",
      totals.loops);
  add("dnsd_forward_sent_total", "Queries sent to recursors.", totals.sent);
  add("dnsd_forward_sent_tcp_total", "Of these, over TCP.", totals.sent_tcp);
  add("dnsd_forward_sent_tls_total", "Of these, over TLS.", totals.sent_tls);
  add("dnsd_forward_hedged_total", "Of these, beside one that was slow.",
      totals.hedged);
  add("dnsd_forward_timeouts_total", "Recursors that did not answer in time.",
      totals.timeouts);
  add("dnsd_forward_upstream_failures_total",
      "Recursors that failed or could not be reached.",
      totals.upstream_failures);
  add("dnsd_forward_wrong_replies_total",
      "Messages that answered another question.", totals.wrong_replies);
  add("dnsd_forward_wrong_case_total",
      "Replies that lost the letter case of the question.", totals.wrong_case);
  add("dnsd_forward_foreign_records_total",
      "Records of other names that answers brought along.",
      totals.foreign_records);
  add("dnsd_forward_external_total",
      "Lookups of names that names of the catalog lead to.", totals.external);
  add("dnsd_forward_no_edns_total",
      "Times that a recursor was found not to know EDNS.", totals.no_edns);
  add("dnsd_forward_tls_connections_total",
      "TLS connections begun to recursors.", totals.tls_connections);
  add("dnsd_forward_tls_handshakes_total",
      "Of these, with a finished handshake and a good certificate.",
      totals.tls_handshakes);
  add("dnsd_forward_tls_resumed_total",
      "Of these, with the session of an earlier one.", totals.tls_resumed);
  add("dnsd_forward_tls_handshake_failures_total",
      "TLS handshakes with recursors that failed or took too long.",
      totals.tls_handshake_failures);
}

void AddMessages(std::span<const ByTransport> both, MetricsText* out) {
  MetricsText& text = *out;
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
}

void AddParkedAndTcp(const WorkerTotals& totals, MetricsText* out) {
  MetricsText& text = *out;
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
}

}  // namespace

void AddMetrics(const ServerNumbers& numbers, MetricsText* out) {
  MetricsText& text = *out;
  WorkerTotals totals = SumStats(numbers.workers);
  const ByTransport both[] = {{"udp", totals.udp}, {"tcp", totals.tcp}};
  text.Family("dnsd_build_info", MetricType::kGauge, "The running version.");
  text.Sample({{"version", kVersion}}, 1);

  AddMessages(both, out);
  AddClients(totals, out);
  AddParkedAndTcp(totals, out);
  AddDrops(totals, out);
  AddAnswers(both, out);
  AddWorkers(numbers.workers, out);
  AddForward(totals.forward, out);
  AddCoreDnsMetrics(totals, numbers.dns_port, out);
  if (numbers.is_forwarding) {
    AddUpstreams(numbers.forward, out);
    AddCoreDnsForwardMetrics(totals.forward, numbers.forward, numbers.dns_port,
                             out);
  }
  AddConsulDns(totals, numbers.node_name, out);
  AddHttp(numbers.http, out);
  if (numbers.certificate_end != 0) {
    text.Single("dnsd_http_tls_certificate_end_seconds", MetricType::kGauge,
                "When the certificate of HTTPS ends, since 1970.",
                numbers.certificate_end);
  }
  AddSource(numbers.source, out);
  AddCatalog(numbers, out);
  AddProcessMetrics(out);
}

void AddTransferMetrics(const TransferService& transfers, MetricsText* text) {
  const auto add = [&](const char* name, const char* help, uint64_t value) {
    text->Single(name, MetricType::kCounter, help, value);
  };
  const TransferStats& stats = transfers.stats();
  add("dnsd_transfer_started_total", "Zone transfers begun.",
      stats.started.value());
  add("dnsd_transfer_completed_total", "Of these, sent to the end.",
      stats.completed.value());
  add("dnsd_transfer_broken_total",
      "Of these, ended by a secondary that was gone or took nothing.",
      stats.broken.value());
  add("dnsd_transfer_refused_total",
      "Zone transfers asked for by who may not have them.",
      transfers.gate().refused());
  add("dnsd_transfer_bad_signatures_total",
      "Questions whose TSIG was not right.", transfers.gate().bad_signatures());
  add("dnsd_transfer_messages_total", "Messages of zone transfers.",
      stats.messages.value());
  add("dnsd_transfer_bytes_total", "Bytes sent to secondaries over TCP.",
      stats.bytes.value());
  add("dnsd_notify_sent_total", "NOTIFY messages sent, again ones too.",
      stats.notifies_sent.value());
  add("dnsd_notify_acknowledged_total", "Of these, acknowledged.",
      stats.notifies_acknowledged.value());
  add("dnsd_notify_failed_total",
      "Secondaries that refused NOTIFY or never acknowledged it.",
      stats.notifies_failed.value());
}

}  // namespace dnsd
