#include "dnsd/coredns_metrics.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace dnsd {
namespace {

using Numbers = TransportNumbers<uint64_t>;

MetricLabels ServerLabels(uint16_t port, const char* zone_label) {
  return {{"server", absl::StrCat("dns://:", port)}, {zone_label, "."}};
}

MetricLabels With(MetricLabels labels, const char* name, std::string value) {
  labels.emplace_back(name, std::move(value));
  return labels;
}

uint64_t OfType(const AnswerTotals& answers, size_t type) {
  uint64_t sum = 0;
  for (const uint64_t count : answers.rows[type]) sum += count;
  return sum;
}

void AddRequests(const WorkerTotals& totals, const MetricLabels& server,
                 MetricsText* text) {
  text->Family("coredns_dns_requests_total", MetricType::kCounter,
               "Queries that were answered, by type.");
  for (const auto& [proto, numbers] :
       {std::pair{"udp", &totals.udp}, std::pair{"tcp", &totals.tcp}}) {
    for (size_t family = 0; family < numbers->answers.size(); ++family) {
      for (size_t type = 0; type < kTypeNames.size(); ++type) {
        const uint64_t count = OfType(numbers->answers[family], type);
        if (count == 0) continue;
        MetricLabels labels = With(server, "proto", proto);
        labels.emplace_back("family", family == 0 ? "1" : "2");
        labels.emplace_back("type", kTypeNames[type]);
        text->Sample(labels, count);
      }
    }
  }
}

void AddResponses(const WorkerTotals& totals, const MetricLabels& server,
                  MetricsText* text) {
  text->Family("coredns_dns_responses_total", MetricType::kCounter,
               "Responses, by RCODE.");
  for (size_t rcode = 0; rcode < kRcodeNames.size(); ++rcode) {
    uint64_t count = 0;
    for (const Numbers* numbers : {&totals.udp, &totals.tcp}) {
      for (const AnswerTotals& answers : numbers->answers) {
        for (const auto& row : answers.rows) count += row[rcode];
      }
    }
    if (count == 0) continue;
    text->Sample(With(server, "rcode", kRcodeNames[rcode]), count);
  }
}

}  // namespace

void AddCoreDnsMetrics(const WorkerTotals& totals, uint16_t port,
                       MetricsText* text) {
  const MetricLabels server = ServerLabels(port, "zone");
  AddRequests(totals, server, text);
  AddResponses(totals, server, text);
  DurationTotals delay = totals.udp.delay;
  AddTo(totals.tcp.delay, &delay);
  text->Family("coredns_dns_request_duration_seconds", MetricType::kHistogram,
               "From the receipt of a query to the sending of its response.");
  text->Durations(server, delay, kFineDurationBounds);
}

void AddCoreDnsForwardMetrics(const ForwardTotals& totals,
                              const ForwardFigures& figures, uint16_t port,
                              MetricsText* text) {
  const MetricLabels server = ServerLabels(port, "zones");
  const auto single = [&](const char* name, MetricType type, const char* help,
                          uint64_t value) {
    text->Family(name, type, help);
    text->Sample(server, value);
  };
  single("coredns_cache_entries", MetricType::kGauge,
         "Answers of recursors that are kept.", figures.cache.entries);
  single("coredns_cache_hits_total", MetricType::kCounter,
         "Queries answered from them in time.", totals.cache_hits);
  const uint64_t misses = CacheMisses(totals);
  single("coredns_cache_misses_total", MetricType::kCounter,
         "Queries that were not in the cache.", misses);
  single("coredns_cache_requests_total", MetricType::kCounter,
         "Queries looked up in the cache.",
         totals.cache_hits + totals.stale + misses);
  single("coredns_cache_served_stale_total", MetricType::kCounter,
         "Queries answered from the cache past their time.", totals.stale);
  text->Family("coredns_forward_requests_total", MetricType::kCounter,
               "Queries sent to a recursor.");
  for (const auto& [to, upstream] : figures.upstreams) {
    text->Sample({{"to", to}}, upstream.counts.sent);
  }
  text->Family("coredns_forward_request_duration_seconds",
               MetricType::kHistogram, "Until a recursor replied.");
  for (const auto& [to, upstream] : figures.upstreams) {
    text->Durations({{"to", to}}, upstream.counts.delay, kFineDurationBounds);
  }
  text->Single("coredns_forward_max_concurrent_rejects_total",
               MetricType::kCounter,
               "Queries that failed because too many wait.", totals.table_full);
}

}  // namespace dnsd
